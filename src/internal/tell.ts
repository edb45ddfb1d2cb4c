/** Tells an observer, which decides nothing: what it throws, or rejects with, is ignored. */
export function tell<T>(observer: ((value: T) => unknown) | undefined, value: T): void {
  if (observer === undefined) return;
  try {
    // The rejection of an async function would end the process.
    Promise.resolve(observer(value)).catch(() => undefined);
  } catch {
    // What it throws at once is ignored like what it rejects with.
  }
}

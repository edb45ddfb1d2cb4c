import type { Use } from "../sealer.ts";

/** Tells an observer of a use. What it throws, or rejects with, is ignored: it must not decide what is sealed. */
export function tellUse(onUse: ((use: Use) => void) | undefined, use: Use): void {
  if (onUse === undefined) return;
  try {
    // The rejection of an async function would end the process.
    void Promise.resolve(onUse(use) as unknown).catch(() => undefined);
  } catch {
    // An observer must not decide whether data is sealed.
  }
}

/**
 * Fails a run past user code, when a memoized step turns out to be forged after that code was started: neither its
 * `catch` nor its `finally` hears of it.
 */
export class OutsideFailure {
  /** Whether the run is failing. */
  happened = false;
  /** Rejects with what the run fails with. */
  readonly promise: Promise<never>;
  #reject: (reason: unknown) => void = () => {};

  constructor() {
    this.promise = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // Nobody waits for it in a request that meets no forged step.
    this.promise.catch(() => {});
  }

  /** Fails the run, and gives the step that did it what {@link abandoned} says. */
  fail(reason: unknown): Promise<never> {
    this.happened = true;
    this.#reject(reason);
    return abandoned();
  }
}

/**
 * A promise that never settles, and tells whoever wants to hear of its end that it came. The SDK waits for that before
 * it lets a middleware see another step where there is no AsyncLocalStorage: siblings would pass unseen.
 */
export function abandoned(): Promise<never> {
  const promise = new Promise<never>(() => {});
  promise.finally = (onEnd) => {
    onEnd?.();
    return promise;
  };
  return promise;
}

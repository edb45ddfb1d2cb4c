/** Errors that reached user code without having been sealed, by identity: their class and members stay as they are. */
const platformErrors = new WeakSet<object>();

/** Remembers an error as the platform's own. */
export function markPlatformError(error: unknown): void {
  if (typeof error === "object" && error !== null) platformErrors.add(error);
}

/**
 * Whether an error that a function caught, or that `onFailure` was given, is the platform's own account: a time-out,
 * a limit, a cancellation. Such an error came in plaintext, so nothing proves what it says; an error of your own code
 * was sealed, and is what your code threw.
 *
 * Takes the error itself, the serialised one in `event.data.error` of a function.failed or function.finished event,
 * or anything else, and never throws.
 *
 * @example
 * ```ts
 * import { isPlatformError } from "stepseal/inngest";
 *
 * try {
 *   throw new Error("card declined");
 * } catch (error) {
 *   console.log(isPlatformError(error)); // false
 * }
 * ```
 */
export function isPlatformError(error: unknown): boolean {
  return typeof error === "object" && error !== null && platformErrors.has(error);
}

import { StepsealError } from "../../../errors.ts";

const ours = new WeakSet<object>();

/** Remembers a middleware as one of stepseal's, so that a second one on the same client is noticed. */
export function markAsOurs(middleware: object): void {
  ours.add(middleware);
}

export function isOurs(middleware: unknown): boolean {
  return typeof middleware === "function" && ours.has(middleware);
}

/**
 * Checks that the middleware is where it can keep its promise: on the client, and once.
 *
 * @param listed what is listed there
 * @param fnId id of the function on which it is listed, where it is on one
 * @throws {StepsealError} `CONFIG`, saying where it belongs
 */
export function checkPlace(listed: readonly unknown[], fnId: string | undefined): void {
  const count = listed.filter(isOurs).length;
  if (fnId !== undefined && count > 0) {
    throw new StepsealError(
      "CONFIG",
      `encryptionMiddleware is installed on the function "${fnId}": events that it sends outside its steps would leave unsealed. Install it on the client: new Inngest({ middleware: [encryptionMiddleware()] })`,
    );
  }
  if (count > 1) {
    throw new StepsealError("CONFIG", "encryptionMiddleware is listed twice on this client; keep the first");
  }
}

/** The error for a middleware that is listed on a client of an SDK that it was not made for. */
export function wrongSdk(from: string, sdk: string, instead: string): StepsealError {
  return new StepsealError(
    "CONFIG",
    `encryptionMiddleware of ${from} is listed on a client of SDK ${sdk}; import it from ${instead}`,
  );
}

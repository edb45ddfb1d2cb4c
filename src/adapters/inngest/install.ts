import type { Inngest, InngestFunction, Middleware } from "inngest";
import { StepsealError } from "../../errors.ts";

const isOurs = new WeakSet<object>();

/** Remembers a class as one of stepseal's, so that a second one on the same client is noticed. */
export function markAsOurs(middleware: object): void {
  isOurs.add(middleware);
}

/**
 * Checks that the middleware is where it can keep its promise: on the client, once, and first.
 *
 * @throws {StepsealError} `CONFIG`, saying where it belongs
 */
export function checkInstallation(self: object, client: Inngest.Any, fn: InngestFunction.Any | null): void {
  if (fn !== null) {
    throw new StepsealError(
      "CONFIG",
      `encryptionMiddleware is installed on the function "${fn.id()}": events that it sends outside its steps would leave unsealed. Install it on the client: new Inngest({ middleware: [encryptionMiddleware()] })`,
    );
  }
  // biome-ignore lint/complexity/useLiteralKeys: private to TypeScript, and the only list of what the user gave
  const listed: readonly Middleware.Class[] = client["options"].middleware ?? [];
  if (listed.filter((middleware) => isOurs.has(middleware)).length > 1) {
    throw new StepsealError("CONFIG", "encryptionMiddleware is listed twice on this client; keep the first");
  }
  if (listed[0] !== self) {
    throw new StepsealError(
      "CONFIG",
      "encryptionMiddleware is not first in the client's list of middleware: what stands before it would see ciphertext, and what it throws would leave unsealed. Put it first: middleware: [encryptionMiddleware(), …]",
    );
  }
}

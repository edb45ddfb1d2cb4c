import type { Inngest, InngestFunction, Middleware } from "inngest";
import { StepsealError } from "../../errors.ts";
import type { PlaintextPath, ResolvedOptions } from "./gate/options.ts";
import { checkPlace, isOurs } from "./gate/ours.ts";
import { refusedPath } from "./gate/refusals.ts";

/** The SDK's own middleware that opens a path which cannot be sealed, by the id of its instances. */
const OPENS_PATH: ReadonlyMap<string, PlaintextPath> = new Map([
  ["inngest:extended-traces", "traces"],
  ["inngest:sandbox", "sandbox"],
]);

/**
 * Refuses middleware that opens a path which is not allowed.
 *
 * @param at where it is listed, for the message
 * @throws {StepsealError} `REFUSED`
 */
export function checkOthers(
  listed: readonly Middleware.Class[],
  client: Inngest.Any,
  { allows }: Pick<ResolvedOptions, "allows">,
  at: string,
): void {
  for (const Other of listed) {
    if (isOurs(Other)) continue;
    const path = OPENS_PATH.get(idOf(Other, client));
    if (path !== undefined && !allows(path)) throw refusedPath(path, `middleware of ${at}`);
  }
}

/** Ids are members of instances, of which the SDK makes one for each request. */
function idOf(Other: Middleware.Class, client: Inngest.Any): string {
  try {
    return new Other({ client }).id;
  } catch {
    // Not made for a client that is still being made; none of those above.
    return "";
  }
}

/** What the user listed on a client. */
export function listedOn(client: Inngest.Any): readonly Middleware.Class[] {
  // biome-ignore lint/complexity/useLiteralKeys: private to TypeScript, and the only list of what the user gave
  return client["options"].middleware ?? [];
}

/**
 * Checks that the middleware is where it can keep its promise: on the client, once, and first.
 *
 * @throws {StepsealError} `CONFIG`, saying where it belongs
 */
export function checkInstallation(self: object, client: Inngest.Any, fn: InngestFunction.Any | null): void {
  if (fn !== null) checkPlace([self], fn.id());
  const listed = listedOn(client);
  checkPlace(listed, undefined);
  if (listed[0] !== self) {
    throw new StepsealError(
      "CONFIG",
      "encryptionMiddleware is not first in the client's list of middleware: what stands before it would see ciphertext, and what it throws would leave unsealed. Put it first: middleware: [encryptionMiddleware(), …]",
    );
  }
}

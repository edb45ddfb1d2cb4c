import { StepsealError } from "../../../errors.ts";
import type { ValueSealer } from "../../../value-sealer.ts";
import { isObject } from "./event.ts";
import type { ResolvedOptions } from "./options.ts";
import { checkMembers } from "./refusals.ts";

/**
 * Kinds that the SDK itself writes: scores, variants, warnings, token counts, and, where sandboxes are allowed, what
 * was done with them. Names and numbers, by design; a kind that a later SDK adds is sealed until it is known.
 */
const SDK_KINDS: ReadonlySet<string> = new Set([
  "inngest.score",
  "inngest.experiment",
  "inngest.ai",
  "inngest.warnings",
  "inngest.sandbox",
]);

const UPDATE_KEYS = new Set(["kind", "scope", "op", "values"]);

/** What sealing metadata needs to know. */
interface MetadataScope {
  readonly sealer: ValueSealer;
  readonly options: Pick<ResolvedOptions, "allows">;
}

/**
 * Seals the values of metadata updates in place, so that a dashboard shows the envelope where it shows values.
 *
 * @throws {StepsealError} `REFUSED` for a shape that this version does not know
 */
export function sealMetadata(updates: unknown, { sealer, options }: MetadataScope): unknown[] {
  if (!Array.isArray(updates)) throw new StepsealError("REFUSED", "metadata updates that are not a list");
  return updates.map((update: unknown) => {
    if (!isObject(update) || typeof update.kind !== "string") {
      throw new StepsealError("REFUSED", "a metadata update without a kind");
    }
    checkMembers(update, UPDATE_KEYS, "a metadata update");
    if (SDK_KINDS.has(update.kind) || options.allows("metadata")) return update;
    return { ...update, values: sealer.seal(update.values, { kind: "metadata", name: update.kind }) };
  });
}

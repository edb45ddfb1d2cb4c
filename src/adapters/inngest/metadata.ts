import { StepsealError } from "../../errors.ts";
import type { Sealer } from "../../sealer.ts";
import { isObject } from "./event.ts";

/** Kinds that the SDK itself writes: scores, variants, warnings, token counts. Names and numbers, by design. */
const SDK_KINDS = /^inngest\./;

/**
 * Seals the values of metadata updates in place, so that a dashboard shows the envelope where it shows values.
 *
 * @throws {StepsealError} `REFUSED` for a shape that this version does not know
 */
export function sealMetadata(updates: unknown, { sealer }: { readonly sealer: Sealer }): unknown[] {
  if (!Array.isArray(updates)) throw new StepsealError("REFUSED", "metadata updates that are not a list");
  return updates.map((update: unknown) => {
    if (!isObject(update) || typeof update.kind !== "string") {
      throw new StepsealError("REFUSED", "a metadata update without a kind");
    }
    for (const key of Object.keys(update)) {
      if (key !== "kind" && key !== "scope" && key !== "op" && key !== "values") {
        throw new StepsealError("REFUSED", `metadata update member "${key}" is unknown`);
      }
    }
    if (SDK_KINDS.test(update.kind)) return update;
    return { ...update, values: sealer.seal(update.values, { kind: "metadata", name: update.kind }) };
  });
}

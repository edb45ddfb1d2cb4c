import { StepsealError } from "../errors.ts";
import { type HeldKey, hold } from "./held.ts";
import type { Material } from "./material.ts";
import { OVERRIDE, type Overrides, type RingEntry } from "./options.ts";

/**
 * What a ring holds, from its entries: one primary, no key twice; or run keys alone.
 *
 * @param where names the list of entries in messages that concern no single one
 * @throws {StepsealError} CONFIG
 */
export function assemble(entries: readonly RingEntry[], where: string, overrides: Overrides): Material {
  const byKid = new Map<string, HeldKey>();
  const positions = new Map<string, string>();
  const overridden = new Set(overrides.map(({ kid }) => kid));
  for (const entry of entries) {
    const held = hold(entry, overridden);
    const other = positions.get(held.kid);
    if (other !== undefined && !joinRun(byKid.get(held.kid), held)) {
      throw new StepsealError(
        "CONFIG",
        `${entry.where}: the same key as ${other}, kid ${held.kid}. Remove one of the two.`,
        { kid: held.kid },
      );
    }
    if (other !== undefined) continue;
    positions.set(held.kid, entry.where);
    byKid.set(held.kid, held);
  }
  checkOverrides(overrides, byKid);
  const isOfRunKeys = entries.length > 0 && entries.every((entry) => "runKey" in entry);
  if (isOfRunKeys) return { primary: undefined, byKid, runKeys: new Map(), latest: undefined };
  const primaries = [...byKid.values()].filter((held) => held.state === "primary");
  const [primary] = primaries;
  if (primary === undefined) {
    throw new StepsealError(
      "CONFIG",
      `${where}: no key of ${entries.length} has the state primary. Exactly one key seals: give one that state.`,
    );
  }
  if (primaries.length > 1) {
    const places = primaries.map((held) => positions.get(held.kid)).join(" and ");
    throw new StepsealError(
      "CONFIG",
      `${where}: ${primaries.length} keys have the state primary: ${places}. Exactly one key seals: give the others the state standby or decrypt-only.`,
    );
  }
  return { primary, byKid, runKeys: new Map(), latest: undefined };
}

/** Adds the run of one held key to another of its kid. False where that cannot be: the key is there twice. */
function joinRun(into: HeldKey | undefined, { runs }: HeldKey): boolean {
  const [only] = runs ?? [];
  if (only === undefined || into?.runs === undefined || into.runs.has(only[0])) return false;
  into.runs.set(...only);
  return true;
}

/** An override that has nothing to override is a typing error, or one that was forgotten and waits for its moment. */
function checkOverrides(overrides: Overrides, byKid: ReadonlyMap<string, HeldKey>): void {
  for (const { where, kid } of overrides) {
    const state = byKid.get(kid)?.state;
    if (state === "compromised") continue;
    const found = state === undefined ? "is not in this ring" : `has the state ${state}`;
    throw new StepsealError(
      "CONFIG",
      `${where}: key ${kid} ${found}. ${OVERRIDE} names compromised keys alone: remove it.`,
      { kid },
    );
  }
}

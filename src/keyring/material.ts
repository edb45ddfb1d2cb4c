import { StepsealError } from "../errors.ts";
import { deriveSealingKey } from "./derive.ts";
import { type HeldKey, isOpen } from "./held.ts";
import { refusedKey, unknownKey, unknownRun } from "./key-errors.ts";

/** Run keys a ring keeps, over all its keys: about 0.1 MB. */
const RUN_KEYS = 512;

/** What a ring holds, and shows nobody. */
export interface Material {
  /** None in a ring of run keys. */
  readonly primary: HeldKey | undefined;
  readonly byKid: ReadonlyMap<string, HeldKey>;
  /** Least recently used first. By kid and run: kids have one length, so no two pairs have one name. */
  readonly runKeys: Map<string, Uint8Array>;
  /** The youngest of the run keys: a resumed function opens hundreds of values of one run in a row. */
  latest: { readonly held: HeldKey; readonly run: string; readonly key: Uint8Array } | undefined;
}

/**
 * The sealing key of a held key for a run, or for no run. The array is the ring's own.
 *
 * @throws {StepsealError} UNKNOWN_KEY, KEY_DISABLED, KEY_COMPROMISED, KEY_DESTROYED
 */
export function keyFor(material: Material, held: HeldKey, run: string | undefined): Uint8Array {
  if (held.runs !== undefined) {
    const only = run === undefined ? undefined : held.runs.get(run);
    if (only === undefined) throw unknownRun(held, run);
    return only;
  }
  if (held.prk === undefined || held.sealingKey === undefined) throw refusedKey(held);
  if (run === undefined) return held.sealingKey;
  const { latest } = material;
  // Ten times cheaper than the Map, which must join, hash and insert.
  if (latest?.held === held && latest.run === run) return latest.key;
  const name = held.kid + run;
  const cached = material.runKeys.get(name);
  const key = cached ?? deriveSealingKey(held.prk, run);
  // Inserting again makes it the youngest. The oldest is dropped and not wiped: a caller may still hold it.
  if (cached !== undefined) material.runKeys.delete(name);
  material.runKeys.set(name, key);
  if (material.runKeys.size > RUN_KEYS) material.runKeys.delete(material.runKeys.keys().next().value!);
  material.latest = { held, run, key };
  return key;
}

/** A key to derive others from: one whose state opens, and no override. */
export function usableKey(
  { primary, byKid }: Material,
  kid: string | undefined,
  use: string,
): { kid: string; prk: Uint8Array } {
  if (primary === undefined) throw noPrimary();
  const held = kid === undefined ? primary : byKid.get(kid);
  if (held === undefined) throw unknownKey(kid ?? "", byKid.values(), use);
  if (held.prk === undefined || !isOpen(held.state)) throw refusedKey(held, use);
  return { kid: held.kid, prk: held.prk };
}

export function noPrimary(): StepsealError {
  return new StepsealError(
    "CONFIG",
    "This ring holds run keys alone, which open values of their runs: no key of it seals, or makes other keys. Give createKeyring a root key (ssk1_…) for that.",
  );
}

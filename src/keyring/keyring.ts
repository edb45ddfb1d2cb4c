import { StepsealError } from "../errors.ts";
import { deriveIndexKey, deriveKid, derivePrk, deriveSealingKey } from "./derive.ts";
import { refusedKey, unknownKey } from "./key-errors.ts";
import { type KeyringOptions, type KeyState, type RingEntry, readKeyringOptions } from "./options.ts";

export type { KeyEntry, KeyringOptions, KeyState } from "./options.ts";

/** Run keys a ring keeps, over all its keys: about 0.1 MB. */
const RUN_KEYS = 512;

/** What a ring holds of one key. Keys that open nothing keep no material. */
type HeldKey = {
  readonly kid: string;
  readonly state: KeyState;
  readonly destroyedAt: string | undefined;
  readonly prk: Uint8Array | undefined;
  /** For values of no run. */
  readonly sealingKey: Uint8Array | undefined;
};

type Material = {
  readonly primary: HeldKey;
  readonly byKid: ReadonlyMap<string, HeldKey>;
  /** Least recently used first. By kid and run: kids have one length, so no two pairs have one name. */
  readonly runKeys: Map<string, Uint8Array>;
  /** The youngest of the run keys: a resumed function opens hundreds of values of one run in a row. */
  latest: { readonly held: HeldKey; readonly run: string; readonly key: Uint8Array } | undefined;
};

let makeRing: (material: Material) => Keyring;
let materialOf: (ring: Keyring) => Material | undefined;

/**
 * Keys by kid: one that seals, and any number that open. Made by `createKeyring` or
 * `loadKeyring`; never changes.
 *
 * The ring shows kids and states, however it is printed, inspected, serialised or cloned; the material is private.
 *
 * @example
 * ```ts
 * import { createKeyring, generateKey } from "stepseal";
 *
 * const ring = createKeyring({ key: generateKey() });
 * console.log(ring.keys); // [ { kid: "6f1c…", state: "primary" } ]
 * ```
 */
export class Keyring {
  /** The kid of the key that seals. */
  readonly primary: string;
  /** Every key of the ring, in the order given. */
  readonly keys: readonly { readonly kid: string; readonly state: KeyState }[];
  readonly #material: Material;

  static {
    makeRing = (material) => new Keyring(material);
    materialOf = (ring) => (#material in ring ? ring.#material : undefined);
    // Node's hook for console.log and util.inspect; defined here because the name of the member is computed.
    Object.defineProperty(Keyring.prototype, Symbol.for("nodejs.util.inspect.custom"), {
      value(
        this: Keyring,
        _depth: number,
        options: object,
        inspect?: (value: unknown, options: object) => string,
      ) {
        return inspect === undefined ? this.toJSON() : `Keyring ${inspect(this.toJSON(), options)}`;
      },
    });
  }

  private constructor(material: Material) {
    this.#material = material;
    this.primary = material.primary.kid;
    this.keys = Object.freeze(
      [...material.byKid.values()].map(({ kid, state }) => Object.freeze({ kid, state })),
    );
    Object.freeze(this);
  }

  /** What `JSON.stringify` and `console.log` show: kids and states. */
  toJSON(): { primary: string; keys: { kid: string; state: KeyState }[] } {
    return { primary: this.primary, keys: this.keys.map(({ kid, state }) => ({ kid, state })) };
  }
}

/**
 * Makes a ring of keys given in code.
 *
 * @param options `{ key, fallbackKeys? }`: the key that seals, and keys that only open; or `{ keys }`: every key
 * with its state, exactly one of them `primary`
 * @throws {StepsealError} CONFIG for a key that is none or is weak, two keys with one kid, no primary or two, an
 * unknown state or option, or a wrong type; the message names the option and the fix, and never shows a value
 * @example
 * ```ts
 * import { createKeyring, generateKey } from "stepseal";
 *
 * createKeyring({ key: generateKey() });
 * createKeyring({ key: generateKey(), fallbackKeys: [generateKey()] });
 * createKeyring({
 *   keys: [
 *     { key: generateKey(), state: "primary" },
 *     { key: generateKey(), state: "standby" },
 *     { kid: "0123456789abcdef", state: "destroyed", destroyedAt: "2026-01-31" },
 *   ],
 * });
 * ```
 */
export function createKeyring(options: KeyringOptions): Keyring {
  return assembleKeyring(readKeyringOptions(options, ""), "keys");
}

/** Makes a ring of entries already read. `where` names their list in messages that concern no single entry. */
export function assembleKeyring(entries: readonly RingEntry[], where: string): Keyring {
  const byKid = new Map<string, HeldKey>();
  const positions = new Map<string, string>();
  for (const entry of entries) {
    const held = hold(entry);
    const other = positions.get(held.kid);
    if (other !== undefined) {
      throw new StepsealError(
        "CONFIG",
        `${entry.where}: the same key as ${other}, kid ${held.kid}. Remove one of the two.`,
        { kid: held.kid },
      );
    }
    positions.set(held.kid, entry.where);
    byKid.set(held.kid, held);
  }
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
  return makeRing({ primary, byKid, runKeys: new Map(), latest: undefined });
}

/** Whether a value is a ring of this copy of the package. */
export function isKeyring(value: unknown): value is Keyring {
  return typeof value === "object" && value !== null && materialOf(value as Keyring) !== undefined;
}

/**
 * The primary key's sealing key for a run, or for no run. Internal.
 *
 * The array is the ring's own and the same one on every call: callers neither change nor wipe it.
 *
 * @throws {StepsealError} CONFIG when `ring` is no ring
 */
export function sealingKey(ring: Keyring, run: string | undefined): { kid: string; key: Uint8Array } {
  const material = materialIn(ring);
  return { kid: material.primary.kid, key: runKey(material, material.primary, run) };
}

/**
 * The key that opens what `kid` sealed for a run, or for no run. Internal; the array is the ring's own, as above.
 *
 * @throws {StepsealError} UNKNOWN_KEY, KEY_DISABLED, KEY_COMPROMISED, KEY_DESTROYED; CONFIG when `ring` is no ring
 */
export function openingKey(ring: Keyring, kid: string, run: string | undefined): Uint8Array {
  const material = materialIn(ring);
  const held = material.byKid.get(kid);
  if (held === undefined) throw unknownKey(kid, material.byKid.values());
  return runKey(material, held, run);
}

/**
 * The key of blind indexes under a key of the ring, made anew on each call. Internal.
 *
 * @param kid default: the primary
 * @throws {StepsealError} UNKNOWN_KEY, KEY_DISABLED, KEY_COMPROMISED, KEY_DESTROYED; CONFIG when `ring` is no ring
 */
export function indexKey(ring: Keyring, kid: string | undefined): Uint8Array {
  const use = "Blind indexes are made under";
  const material = materialIn(ring);
  const held = kid === undefined ? material.primary : material.byKid.get(kid);
  if (held === undefined) throw unknownKey(kid ?? "", material.byKid.values(), use);
  if (held.prk === undefined) throw refusedKey(held, use);
  return deriveIndexKey(held.prk);
}

function hold(entry: RingEntry): HeldKey {
  if (entry.state === "destroyed") {
    const { kid, state, destroyedAt } = entry;
    return { kid, state, destroyedAt, prk: undefined, sealingKey: undefined };
  }
  const prk = derivePrk(entry.root);
  entry.root.fill(0);
  const kid = deriveKid(prk);
  const { state } = entry;
  const opens = state === "primary" || state === "standby" || state === "decrypt-only";
  const sealingKey = opens ? deriveSealingKey(prk, undefined) : undefined;
  if (!opens) prk.fill(0);
  return { kid, state, destroyedAt: undefined, prk: opens ? prk : undefined, sealingKey };
}

function materialIn(ring: Keyring): Material {
  if (isKeyring(ring)) return materialOf(ring)!;
  throw new StepsealError(
    "CONFIG",
    "keyring: found no ring made by this copy of stepseal. Make one with createKeyring, loadKeyring or keyringFromEnv, and see that stepseal is installed once.",
  );
}

function runKey(material: Material, held: HeldKey, run: string | undefined): Uint8Array {
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

import { StepsealError } from "../errors.ts";
import { assemble } from "./assemble.ts";
import { deriveIndexKey, deriveSealingKey } from "./derive.ts";
import { count, type HeldKey, type KeyReport, reportOf } from "./held.ts";
import { unknownKey } from "./key-errors.ts";
import { keyFor, type Material, noPrimary, usableKey } from "./material.ts";
import {
  type KeyringOptions,
  type KeyState,
  type Overrides,
  type RingEntry,
  readKeyringOptions,
} from "./options.ts";
import { checkRun, formatRunKey } from "./run-key.ts";

export type { KeyReport } from "./held.ts";
export type { KeyEntry, KeyringOptions, KeyState } from "./options.ts";

/** What a ring shows of a key. */
export interface KeyInfo {
  /** 16 lower-case hex digits. */
  readonly kid: string;
  readonly state: KeyState;
  /** Of a run key: the run it opens. */
  readonly run?: string;
}

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
 * console.log(ring.keys.map(({ state }) => state)); // [ "primary" ]
 * ```
 */
export class Keyring {
  /** The kid of the key that seals; empty in a ring of run keys, which seals nothing. */
  readonly primary: string;
  /** Every key of the ring, in the order given. */
  readonly keys: readonly KeyInfo[];
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
    this.primary = material.primary?.kid ?? "";
    this.keys = Object.freeze([...material.byKid.values()].flatMap(infoOf));
    Object.freeze(this);
  }

  /**
   * How often each key sealed and opened in this process, and when last, in the order of `keys`. Sum it over your
   * processes before you delete a key; blind indexes are not counted.
   *
   * @example
   * ```ts
   * import { createKeyring, createSealer, generateKey } from "stepseal";
   *
   * const keyring = createKeyring({ key: generateKey() });
   * createSealer({ keyring }).seal("x", { kind: "custom" });
   * for (const { state, seals, opens } of keyring.report()) console.log(state, seals, opens); // primary 1 0
   * ```
   */
  report(): KeyReport[] {
    return [...this.#material.byKid.values()].map(reportOf);
  }

  /**
   * A key for one run, as text: it opens the values that were sealed for that run under one key of this ring (results,
   * inputs and errors of its steps, its own result or error), and nothing else. Fields of events belong to no run.
   * It is secret, and symmetric: who has it could also seal values of that run.
   *
   * @param run the platform's id of the run
   * @param kid the key that sealed it, where that is no longer the primary
   * @returns `ssrk1_…`, for `createKeyring({ runKeys })`
   * @throws {StepsealError} CONFIG for a run that is none, or in a ring of run keys; UNKNOWN_KEY, KEY_DISABLED,
   * KEY_COMPROMISED, KEY_DESTROYED
   * @example
   * ```ts
   * import { createKeyring, createSealer, generateKey } from "stepseal";
   *
   * const keyring = createKeyring({ key: generateKey() });
   * const sealed = createSealer({ keyring }).seal("paid", { kind: "step.output", run: "01J0RUN" });
   *
   * const runKey = keyring.runKey("01J0RUN");
   * const reader = createSealer({ keyring: createKeyring({ runKeys: [runKey] }) });
   * console.log(reader.open(sealed, { kind: "step.output" })); // paid
   * ```
   */
  runKey(run: string, kid?: string): string {
    checkRun(run);
    const held = usableKey(this.#material, kid, "A run key is asked for under");
    return formatRunKey({ kid: held.kid, run, key: deriveSealingKey(held.prk, run) });
  }

  /** What `JSON.stringify` and `console.log` show: kids and states. */
  toJSON(): { primary: string; keys: KeyInfo[] } {
    return { primary: this.primary, keys: this.keys.map((key) => ({ ...key })) };
  }
}

function infoOf({ kid, state, runs }: HeldKey): KeyInfo[] {
  if (runs === undefined) return [Object.freeze({ kid, state })];
  return [...runs.keys()].map((run) => Object.freeze({ kid, state, run }));
}

/**
 * Makes a ring of keys given in code.
 *
 * @param options `{ key, fallbackKeys? }`: the key that seals, and keys that only open; `{ keys }`: every key with its
 * state, exactly one of them `primary`; or `{ runKeys }`: texts of `Keyring.runKey`, for a ring that opens their runs
 * and seals nothing
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
  const { entries, overrides } = readKeyringOptions(options, "");
  return assembleKeyring(entries, "keys", overrides);
}

/** Makes a ring of entries already read. `where` names their list in messages that concern no single entry. */
export function assembleKeyring(
  entries: readonly RingEntry[],
  where: string,
  overrides: Overrides = [],
): Keyring {
  return makeRing(assemble(entries, where, overrides));
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
 * @throws {StepsealError} CONFIG when `ring` is no ring, or one of run keys
 */
export function sealingKey(ring: Keyring, run: string | undefined): { kid: string; key: Uint8Array } {
  const material = materialIn(ring);
  const { primary } = material;
  if (primary === undefined) throw noPrimary();
  return { kid: primary.kid, key: keyFor(material, primary, run) };
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
  return keyFor(material, held, run);
}

/**
 * Counts a seal or an open that succeeded. Internal.
 *
 * @returns the state of the key
 * @throws {StepsealError} UNKNOWN_KEY; CONFIG when `ring` is no ring
 */
export function countUse(ring: Keyring, kid: string, operation: "seal" | "open"): KeyState {
  const { byKid } = materialIn(ring);
  const held = byKid.get(kid);
  if (held === undefined) throw unknownKey(kid, byKid.values());
  count(held, operation);
  return held.state;
}

/** Lets a ring go on counting where the ring that it replaces is. Internal. */
export function continueCounts(next: Keyring, previous: Keyring): void {
  const before = materialIn(previous).byKid;
  for (const held of materialIn(next).byKid.values()) held.uses = before.get(held.kid)?.uses ?? held.uses;
}

/**
 * The key of blind indexes under a key of the ring, made anew on each call. Internal.
 *
 * @param kid default: the primary
 * @throws {StepsealError} UNKNOWN_KEY, KEY_DISABLED, KEY_COMPROMISED, KEY_DESTROYED; CONFIG when `ring` is no ring, or
 * one of run keys
 */
export function indexKey(ring: Keyring, kid: string | undefined): Uint8Array {
  return deriveIndexKey(usableKey(materialIn(ring), kid, "Blind indexes are made under").prk);
}

function materialIn(ring: Keyring): Material {
  if (isKeyring(ring)) return materialOf(ring)!;
  throw new StepsealError(
    "CONFIG",
    "keyring: found no ring made by this copy of stepseal. Make one with createKeyring or await loadKeyring(), and see that stepseal is installed once.",
  );
}

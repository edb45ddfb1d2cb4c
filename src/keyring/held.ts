import { deriveKid, derivePrk, deriveSealingKey } from "./derive.ts";
import type { KeyState, RingEntry } from "./options.ts";

/** What a ring holds of one key. Keys that open nothing keep no material. */
export interface HeldKey {
  readonly kid: string;
  readonly state: KeyState;
  readonly destroyedAt: string | undefined;
  readonly prk: Uint8Array | undefined;
  /** For values of no run. */
  readonly sealingKey: Uint8Array | undefined;
  /** In a ring of run keys, all that it holds of this key: keys by run. */
  readonly runs: Map<string, Uint8Array> | undefined;
  /** Shared with the ring that this one came in place of, so that a refresh does not count from 0 again. */
  uses: Uses;
}

interface Uses {
  seals: number;
  opens: number;
  /** Milliseconds since the epoch; 0: never. */
  lastSealedAt: number;
  lastOpenedAt: number;
}

/** How often, and when last, a key of a ring was used in this process. Plain JSON. */
export interface KeyReport {
  /** 16 lower-case hex digits. */
  readonly kid: string;
  readonly state: KeyState;
  readonly seals: number;
  readonly opens: number;
  /** ISO 8601 in UTC; left out where there was none. */
  readonly lastSealedAt?: string;
  readonly lastOpenedAt?: string;
}

/** Takes the material of an entry, and wipes the root. `opens`: a compromised key that is overridden. */
export function hold(entry: RingEntry, overrides: ReadonlySet<string>): HeldKey {
  const bare = {
    destroyedAt: undefined,
    prk: undefined,
    sealingKey: undefined,
    runs: undefined,
    uses: { seals: 0, opens: 0, lastSealedAt: 0, lastOpenedAt: 0 },
  };
  const { state } = entry;
  if ("kid" in entry) return { ...bare, kid: entry.kid, state, destroyedAt: entry.destroyedAt };
  if ("runKey" in entry) {
    const { kid, run, key } = entry.runKey;
    return { ...bare, kid, state, runs: new Map([[run, key]]) };
  }
  const prk = derivePrk(entry.root);
  entry.root.fill(0);
  const kid = deriveKid(prk);
  if (isOpen(state) || (state === "compromised" && overrides.has(kid))) {
    return { ...bare, kid, state, prk, sealingKey: deriveSealingKey(prk, undefined) };
  }
  prk.fill(0);
  return { ...bare, kid, state };
}

/** Whether keys of a state open without more ado. */
export function isOpen(state: KeyState): boolean {
  return state === "primary" || state === "standby" || state === "decrypt-only";
}

/** Counts one use. */
export function count({ uses }: HeldKey, operation: "seal" | "open"): void {
  if (operation === "seal") {
    uses.seals++;
    uses.lastSealedAt = Date.now();
  } else {
    uses.opens++;
    uses.lastOpenedAt = Date.now();
  }
}

/** The counts of a key as plain JSON. */
export function reportOf({ kid, state, uses }: HeldKey): KeyReport {
  const { seals, opens, lastSealedAt, lastOpenedAt } = uses;
  return {
    kid,
    state,
    seals,
    opens,
    ...(lastSealedAt > 0 && { lastSealedAt: new Date(lastSealedAt).toISOString() }),
    ...(lastOpenedAt > 0 && { lastOpenedAt: new Date(lastOpenedAt).toISOString() }),
  };
}

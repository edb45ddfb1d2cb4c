import { StepsealError } from "../errors.ts";
import { isKid } from "../internal/kid.ts";
import { describe, members } from "../internal/members.ts";
import { parseKey } from "./key.ts";
import { parseRunKey, type RunKey } from "./run-key.ts";

/**
 * What a ring does with a key.
 *
 * | state | seals | opens | |
 * |---|---|---|---|
 * | `primary` | yes | yes | exactly one |
 * | `standby` | no | yes | the next primary, deployed everywhere first |
 * | `decrypt-only` | no | yes | a former primary |
 * | `disabled` | no | no, `KEY_DISABLED` | a trial of retirement, which can be taken back |
 * | `compromised` | no | no, `KEY_COMPROMISED` | unless `dangerouslyOpenCompromised` names it |
 * | `destroyed` | no | no, `KEY_DESTROYED` | a tombstone: kid and date, no material |
 */
export type KeyState = "primary" | "standby" | "decrypt-only" | "disabled" | "compromised" | "destroyed";

/** One key of a ring: its text and state, or the tombstone of a key that no longer exists. */
export type KeyEntry =
  | {
      /** `ssk1_…`, `hex:…` or `base64:…` */
      key: string;
      state: Exclude<KeyState, "destroyed">;
    }
  | {
      /** 16 lower-case hex digits */
      kid: string;
      state: "destroyed";
      /** When: `2026-01-31`, or with a time in UTC, `2026-01-31T12:00:00Z`. */
      destroyedAt?: string;
    };

/**
 * A primary key and decrypt-only ones; any number of keys with their states (the shape of a ring file); or run keys,
 * which open and do not seal.
 */
export type KeyringOptions =
  | {
      /** The primary key: seals and opens. */
      key: string;
      /** Keys that open only, in any order. */
      fallbackKeys?: readonly string[];
    }
  | {
      keys: readonly KeyEntry[];
      /**
       * Kids of `compromised` keys that open all the same: whoever has such a key can have made what it opens. Each
       * opening is told to `onUse` with that state, and counted by `Keyring.report`.
       */
      dangerouslyOpenCompromised?: readonly string[];
    }
  | {
      /** Texts of `Keyring.runKey` (`ssrk1_…`). */
      runKeys: readonly string[];
    };

/** An entry whose shape, key text and state are good; the ring checks the entries against each other. */
export type RingEntry =
  | { where: string; state: Exclude<KeyState, "destroyed">; root: Uint8Array }
  | { where: string; state: "decrypt-only"; runKey: RunKey }
  | { where: string; state: "destroyed"; kid: string; destroyedAt: string | undefined };

/** Kids of compromised keys that shall open, and where they are written. */
export type Overrides = readonly { where: string; kid: string }[];

const STATES: readonly KeyState[] = [
  "primary",
  "standby",
  "decrypt-only",
  "disabled",
  "compromised",
  "destroyed",
];

/** The option, and member of a ring file, that opens what a compromised key sealed. */
export const OVERRIDE = "dangerouslyOpenCompromised";

/**
 * Reads ring options from a value of any shape. `source` begins every position in a message: empty for options
 * given in code, `"file (ring.json): "` for a file. `known` are the options it may have.
 */
export function readKeyringOptions(
  value: unknown,
  source: string,
  known: readonly string[] = ["key", "fallbackKeys", "keys", OVERRIDE, "runKeys"],
): { entries: RingEntry[]; overrides: Overrides } {
  const options = members(value, `${source}keyring options`, known);
  if ("runKeys" in options) return { entries: readRunKeys(options, source), overrides: [] };
  if ("keys" in options) {
    if ("key" in options || "fallbackKeys" in options) {
      throw config(`${source}keys: given together with key or fallbackKeys. Put every key in keys.`);
    }
    const entries = list(options.keys, `${source}keys`, "an array of { key, state }").map((entry, i) =>
      readEntry(entry, `${source}keys[${i}]`),
    );
    return { entries, overrides: readOverrides(options[OVERRIDE], `${source}${OVERRIDE}`) };
  }
  if (OVERRIDE in options) {
    throw config(`${source}${OVERRIDE}: needs keys, where a key has the state compromised.`);
  }
  if (!("key" in options)) {
    throw config(
      `${source}keyring options: there is no key. Give ${known.includes("key") ? "{ key } or " : ""}{ keys: [{ key, state }] }.`,
    );
  }
  const entries: RingEntry[] = [readKey(options.key, "primary", `${source}key`)];
  if (options.fallbackKeys !== undefined) {
    const texts = list(options.fallbackKeys, `${source}fallbackKeys`, "an array of keys");
    for (const [i, text] of texts.entries()) {
      entries.push(readKey(text, "decrypt-only", `${source}fallbackKeys[${i}]`));
    }
  }
  return { entries, overrides: [] };
}

function readRunKeys(options: Record<string, unknown>, source: string): RingEntry[] {
  const others = Object.keys(options).filter((name) => name !== "runKeys");
  if (others.length > 0) {
    throw config(
      `${source}runKeys: given together with ${others.join(" and ")}. A ring of run keys has nothing else.`,
    );
  }
  const texts = list(options.runKeys, `${source}runKeys`, "an array of run keys");
  if (texts.length === 0) throw config(`${source}runKeys: is empty. Give what ring.runKey(run) returned.`);
  return texts.map((text, i) => {
    const where = `${source}runKeys[${i}]`;
    return { where, state: "decrypt-only", runKey: parseRunKey(text, where) };
  });
}

function readOverrides(value: unknown, where: string): Overrides {
  if (value === undefined) return [];
  return list(value, where, "an array of kids").map((kid, i) => {
    if (typeof kid === "string" && isKid(kid)) return { where: `${where}[${i}]`, kid };
    throw config(`${where}[${i}]: found ${describe(kid)}, expected a kid of 16 lower-case hex digits.`);
  });
}

/** Reads the text of a key that is held with `state`. */
export function readKey(text: unknown, state: Exclude<KeyState, "destroyed">, where: string): RingEntry {
  if (typeof text !== "string")
    throw config(`${where}: found ${describe(text)}, expected a key as a string.`);
  return { where, state, root: parseKey(text, where) };
}

/** Reads the tombstone of a destroyed key. */
export function readTombstone(kid: unknown, destroyedAt: unknown, where: string): RingEntry {
  if (typeof kid !== "string" || !isKid(kid)) {
    throw config(
      `${where}: found ${describe(kid)}, expected a kid of 16 lower-case hex digits: a destroyed key is named and not held. Replace the key by its kid.`,
    );
  }
  if (destroyedAt !== undefined && !isDate(destroyedAt)) {
    throw config(
      `${where}: destroyedAt: found ${describe(destroyedAt)}, expected a date like 2026-01-31 or 2026-01-31T12:00:00Z.`,
    );
  }
  return { where, state: "destroyed", kid, destroyedAt };
}

/** Reads the name of a state. */
export function readState(value: unknown, where: string): KeyState {
  const state = STATES.find((known) => known === value);
  if (state !== undefined) return state;
  throw config(`${where}: found ${describe(value)}, expected one of ${STATES.join(", ")}.`);
}

function readEntry(value: unknown, where: string): RingEntry {
  const entry = members(value, where, ["key", "kid", "state", "destroyedAt"]);
  const state = readState(entry.state, `${where}.state`);
  if (state === "destroyed") {
    if ("key" in entry) {
      throw config(`${where}.key: a destroyed key is named and not held. Replace key by kid.`);
    }
    return readTombstone(entry.kid, entry.destroyedAt, where);
  }
  for (const name of ["kid", "destroyedAt"]) {
    if (name in entry) throw config(`${where}.${name}: belongs to the state destroyed alone. Remove it.`);
  }
  return readKey(entry.key, state, `${where}.key`);
}

function list(value: unknown, where: string, expected: string): unknown[] {
  if (Array.isArray(value)) return Array.from(value);
  throw config(`${where}: found ${describe(value)}, expected ${expected}.`);
}

function isDate(value: unknown): value is string {
  const time = typeof value === "string" ? new Date(value) : undefined;
  if (time === undefined || Number.isNaN(time.getTime())) return false;
  // Comparing with what the date prints as refuses 30 February and local formats, which Date accepts.
  const iso = time.toISOString();
  return value === iso.slice(0, 10) || value === `${iso.slice(0, 19)}Z` || value === iso;
}

function config(message: string): StepsealError {
  return new StepsealError("CONFIG", message);
}

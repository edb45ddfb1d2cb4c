import type { Kind } from "../claims.ts";

// The claims of envelope v1. Tags 32 to 63 are left to the engines' adapters; none is assigned yet.

/** Claims of one envelope together, and so `claimsLen`, are at most this many bytes. */
export const MAX_CLAIMS_BYTES = 4096;

export const KIND_TAG = 1;

/** The claims that are strings, by tag: the first has `FIRST_STRING_TAG`, each other the next. */
export const STRINGS = ["scope", "fn", "run", "step", "event", "field", "name"] as const;
export const FIRST_STRING_TAG = 2;

export const PARENT_TAG = 9;
export const PARENT_BYTES = 32;

export const KIND_CODES: Readonly<Record<Kind, number>> = {
  "event.field": 1,
  "invoke.field": 2,
  "step.input": 3,
  "step.output": 4,
  "step.error": 5,
  "fn.output": 6,
  "fn.error": 7,
  signal: 8,
  realtime: 9,
  "defer.input": 10,
  metadata: 11,
  custom: 64,
};

export const KINDS: ReadonlyMap<number, Kind> = new Map(
  Object.entries(KIND_CODES).map(([kind, code]) => [code, kind as Kind]),
);

/** Every claim's name. */
export const NAMES: ReadonlySet<string> = new Set(["kind", ...STRINGS, "parent"]);

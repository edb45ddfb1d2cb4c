import { MAX_PLAINTEXT_BYTES } from "../codec.ts";
import { StepsealError } from "../errors.ts";
import { isKeyring, type Keyring } from "../keyring/keyring.ts";
import type { SealerOptions, Use } from "../sealer.ts";
import { canDeflate } from "./deflate.ts";
import { describe, members, namesOf } from "./members.ts";
import { isWellFormed } from "./utf8.ts";

/** A scope must leave room for the other claims. */
const MAX_SCOPE_UNITS = 256;

/** Options of a sealer with nothing left out. */
export interface SealerSettings {
  readonly keyring: Keyring;
  readonly scope: string | undefined;
  readonly compress: boolean;
  readonly pad: boolean;
  readonly maxPlaintextBytes: number;
  readonly maxInflatedBytes: number;
  readonly onUse: ((use: Use) => void) | undefined;
}

const NAMES = namesOf<SealerOptions>({
  keyring: true,
  scope: true,
  compress: true,
  pad: true,
  maxPlaintextBytes: true,
  maxInflatedBytes: true,
  onUse: true,
});

/**
 * Checks a sealer's options and fills in what was left out.
 *
 * @throws {StepsealError} CONFIG naming the option, what was found and the fix
 */
export function readSealerOptions(options: SealerOptions): SealerSettings {
  members(options, "createSealer options", NAMES);
  const { keyring, scope, onUse } = options;
  if (!isKeyring(keyring)) {
    throw wrong(
      "keyring",
      `found ${describe(keyring)}`,
      "Give what createKeyring returned, or loadKeyring after await.",
    );
  }
  if (scope !== undefined) checkScopeOption(scope);
  if (onUse !== undefined && typeof onUse !== "function") {
    throw wrong("onUse", `found ${describe(onUse)}`, "Give a function or leave it out.");
  }
  const compress = flag(options, "compress");
  if (compress && !canDeflate()) {
    throw wrong("compress", "this runtime has no node:zlib", "Leave compress out, or seal on Node.");
  }
  return {
    keyring,
    scope,
    compress,
    pad: flag(options, "pad"),
    maxPlaintextBytes: byteCount(options, "maxPlaintextBytes", MAX_PLAINTEXT_BYTES),
    maxInflatedBytes: byteCount(options, "maxInflatedBytes", 16 * 2 ** 20),
    onUse,
  };
}

/**
 * Refuses what is no scope, wherever one is given.
 *
 * @throws {StepsealError} CONFIG
 */
export function checkScopeOption(scope: unknown): void {
  const fix = `Give 1 to ${MAX_SCOPE_UNITS} characters, or leave it out for no scope.`;
  if (typeof scope !== "string") throw wrong("scope", `found ${describe(scope)}`, fix);
  if (scope === "") throw wrong("scope", "is empty", fix);
  if (scope.length > MAX_SCOPE_UNITS) throw wrong("scope", `has ${scope.length} characters`, fix);
  if (!isWellFormed(scope)) throw wrong("scope", "has half of a surrogate pair", fix);
}

function flag(options: SealerOptions, name: "compress" | "pad"): boolean {
  const value: unknown = options[name];
  if (value === undefined) return false;
  if (typeof value !== "boolean") throw wrong(name, `found ${describe(value)}`, "Give true or false.");
  return value;
}

function byteCount(
  options: SealerOptions,
  name: "maxPlaintextBytes" | "maxInflatedBytes",
  fallback: number,
): number {
  const value: unknown = options[name];
  if (value === undefined) return fallback;
  if (typeof value !== "number") throw wrong(name, `found ${describe(value)}`, "Give a number of bytes.");
  if (!Number.isSafeInteger(value) || value < 1) {
    throw wrong(name, `found ${value}`, "Give a whole number of bytes, 1 or more.");
  }
  return value;
}

function wrong(option: string, problem: string, fix: string): StepsealError {
  return new StepsealError("CONFIG", `${option}: ${problem}. ${fix}`);
}

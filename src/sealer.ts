import type { Claims } from "./claims.ts";
import { type CodecOptions, decodeValue, type Encoded, encodeJson, encodeValue } from "./codec.ts";
import {
  closeEnvelope,
  DEFLATED,
  type Envelope,
  openEnvelope,
  readEnvelope,
  sealEnvelope,
} from "./envelope.ts";
import { StepsealError } from "./errors.ts";
import { checkClaims, checkScope, type Expected } from "./expected.ts";
import { type Failure, failureOf, thrownFrom } from "./failure.ts";
import { canDeflate } from "./internal/deflate.ts";
import { isKeyring, type Keyring, openingKey, sealingKey } from "./keyring/keyring.ts";

/** What `onUse` is told: never data. */
export interface Use {
  /** 16 lower-case hex digits. */
  readonly kid: string;
  readonly kind: Claims["kind"];
  readonly operation: "seal" | "open";
  /** Of the plaintext. */
  readonly bytes: number;
}

/** Options of {@link createSealer}. */
export interface SealerOptions {
  readonly keyring: Keyring;
  /** Bound into every envelope; a sealer opens those of its own scope only, and one without scope those without. */
  readonly scope?: string;
  /** Compress before sealing. Default false: lengths leak when an attacker's text stands next to a secret. */
  readonly compress?: boolean;
  /** Pad to coarser lengths, at most 12 % more. Default false. */
  readonly pad?: boolean;
  /** Default 64 MiB. */
  readonly maxPlaintextBytes?: number;
  /** What a compressed value may grow to. Default 16 MiB. */
  readonly maxInflatedBytes?: number;
  /** Called at each seal and open. What it throws is ignored. */
  readonly onUse?: (use: Use) => void;
}

/** Claims of a value; the scope is the sealer's. */
export type SealClaims = Omit<Claims, "scope">;
/** What a reader requires; the scope is the sealer's. */
export type OpenExpected = Omit<Expected, "scope">;

/** Seals values into envelopes and opens them, synchronously. */
export interface Sealer {
  /**
   * Seals a value: anything JSON holds, by the rules of `JSON.stringify`; `undefined`; or bytes (Uint8Array).
   *
   * @throws {StepsealError} `TOO_LARGE`; `FORMAT` for a value without a JSON form, or claims over 4 KiB
   */
  seal(value: unknown, claims: SealClaims): Envelope;
  /** As `seal`, for a text that already is JSON, without parsing it. */
  sealJson(json: string, claims: SealClaims): Envelope;
  /**
   * Opens an envelope that belongs where the reader expects it.
   *
   * @param expected what the claims must be, or a function of the claims, which are not authenticated yet
   * @throws {StepsealError} `FORMAT`, `UNSUPPORTED`, `CONTEXT`, `UNKNOWN_KEY`, `KEY_DISABLED`, `KEY_COMPROMISED`,
   * `KEY_DESTROYED`, `CORRUPT`, `TOO_LARGE`, `INFLATE_LIMIT`, `LEGACY_NO_KEY`, `PLAINTEXT_REJECTED`
   */
  open(envelope: unknown, expected: OpenExpected | ((claims: Claims) => OpenExpected)): unknown;
  /** Seals whatever was thrown: an error with class, cause and own properties, or any other value. */
  sealError(thrown: unknown, claims: SealClaims): Envelope;
  /** Opens what `sealError` made: the value to throw. Throws as `open`. */
  openError(envelope: unknown, expected: OpenExpected | ((claims: Claims) => OpenExpected)): unknown;
}

const MIB = 1024 * 1024;

/**
 * Creates a sealer over a loaded ring.
 *
 * @throws {StepsealError} `CONFIG`, naming the option
 *
 * @example
 * ```ts
 * import { createKeyring, createSealer, generateKey } from "stepseal";
 *
 * const sealer = createSealer({ keyring: createKeyring({ key: generateKey() }) });
 * const envelope = sealer.seal({ card: "4111…" }, { kind: "custom", name: "payment/17" });
 * const opened = sealer.open(envelope, { kind: "custom", name: "payment/17" }); // { card: "4111…" }
 * ```
 */
export function createSealer(options: SealerOptions): Sealer {
  const codec = checkOptions(options);
  const { keyring, scope, onUse } = options;

  const told = (use: Use): void => {
    try {
      onUse?.(use);
    } catch {
      // An observer must not decide whether data is sealed.
    }
  };

  const sealEncoded = ({ content, flags, bytes }: Encoded, claims: SealClaims): Envelope => {
    const { kid, key } = sealingKey(keyring, claims.run);
    const envelope = sealEnvelope({ kid, key, flags, claims, scope, content });
    told({ kid, kind: claims.kind, operation: "seal", bytes });
    return envelope;
  };

  /** The most that a value of the allowed size can take: compressed it is smaller, padded at most 12 % larger. */
  const mostBytes = Math.ceil(codec.maxPlaintextBytes * 1.13) + 64;

  const open: Sealer["open"] = (envelope, expected) => {
    const read = readEnvelope(envelope, (flags) =>
      (flags & DEFLATED) === 0 ? mostBytes : codec.maxPlaintextBytes + 64,
    );
    const { kid, claims, flags } = read;
    try {
      checkScope(claims, scope);
      checkClaims(claims, typeof expected === "function" ? expected(claims) : expected);
      const content = openEnvelope(read, openingKey(keyring, kid, claims.run));
      const { value, bytes } = decodeValue(content, flags, codec);
      told({ kid, kind: claims.kind, operation: "open", bytes });
      return value;
    } catch (error) {
      // Which key it was is part of every answer.
      if (!(error instanceof StepsealError) || error.kid !== undefined) throw error;
      throw new StepsealError(error.code, `${error.message} (key ${kid})`, { kid });
    } finally {
      closeEnvelope(read);
    }
  };

  return {
    seal: (value, claims) => sealEncoded(encodeValue(value, codec), claims),
    sealJson: (json, claims) => sealEncoded(encodeJson(json, codec), claims),
    open,
    sealError: (thrown, claims) => sealEncoded(encodeValue(failureOf(thrown), codec), claims),
    openError: (envelope, expected) => thrownFrom(open(envelope, expected) as Failure),
  };
}

function checkOptions(options: SealerOptions): CodecOptions {
  const known = ["keyring", "scope", "compress", "pad", "maxPlaintextBytes", "maxInflatedBytes", "onUse"];
  for (const key of Object.keys(options ?? {})) {
    if (!known.includes(key)) throw wrong(key, `is unknown; the options are ${known.join(", ")}`);
  }
  const { keyring, scope, compress, pad, maxPlaintextBytes, maxInflatedBytes, onUse } = options ?? {};
  if (!isKeyring(keyring))
    throw wrong("keyring", "must be a ring; make one with createKeyring or loadKeyring");
  if (scope !== undefined && (typeof scope !== "string" || scope === ""))
    throw wrong("scope", "must be a non-empty string");
  for (const [key, value] of Object.entries({ compress, pad })) {
    if (value !== undefined && typeof value !== "boolean") throw wrong(key, "must be true or false");
  }
  for (const [key, value] of Object.entries({ maxPlaintextBytes, maxInflatedBytes })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw wrong(key, "must be a positive whole number of bytes");
    }
  }
  if (onUse !== undefined && typeof onUse !== "function") throw wrong("onUse", "must be a function");
  if (compress === true && !canDeflate())
    throw wrong("compress", "needs node:zlib, which this runtime does not have");
  return {
    compress: compress ?? false,
    pad: pad ?? false,
    maxPlaintextBytes: maxPlaintextBytes ?? 64 * MIB,
    maxInflatedBytes: maxInflatedBytes ?? 16 * MIB,
  };
}

function wrong(option: string, what: string): StepsealError {
  return new StepsealError("CONFIG", `createSealer: option "${option}" ${what}`);
}

import { NONCE_BYTES } from "./cipher.ts";
import { type Claims, checkClaims, differs, type Expected, encodeClaims } from "./claims.ts";
import { type CodecOptions, decodeValue, type Encoded, encodeJson, encodeValue, tooLarge } from "./codec.ts";
import { contentBytes, type Envelope, makeEnvelope, openParsed, parseEnvelope } from "./envelope.ts";
import { StepsealError } from "./errors.ts";
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
    const encoded = encodeClaims(scope === undefined ? claims : { ...claims, scope });
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const envelope = makeEnvelope(kid, key, flags, encoded, nonce, content);
    told({ kid, kind: claims.kind, operation: "seal", bytes });
    return envelope;
  };

  const open: Sealer["open"] = (envelope, expected) => {
    const parsed = parseEnvelope(recognised(envelope));
    const { kid, claims, flags } = parsed;
    try {
      if (claims.scope !== scope) throw differs("scope", scope, claims.scope);
      checkClaims(claims, typeof expected === "function" ? expected(claims) : expected);
    } catch (error) {
      throw error instanceof StepsealError ? new StepsealError(error.code, error.message, { kid }) : error;
    }
    const key = openingKey(keyring, kid, claims.run);
    if (contentBytes(parsed) > codec.maxPlaintextBytes * 1.13 + 64)
      throw tooLarge(contentBytes(parsed), codec);
    const content = openParsed(parsed, key);
    if (content === undefined) {
      throw new StepsealError("CORRUPT", `The envelope under key ${kid} does not open: it was altered.`, {
        kid,
      });
    }
    const { value, bytes } = decodeValue(content, flags, codec);
    told({ kid, kind: claims.kind, operation: "open", bytes });
    return value;
  };

  return {
    seal: (value, claims) => sealEncoded(encodeValue(value, codec), claims),
    sealJson: (json, claims) => sealEncoded(encodeJson(json, codec), claims),
    open,
    sealError: (thrown, claims) => sealEncoded(encodeValue(failureOf(thrown), codec), claims),
    openError: (envelope, expected) => thrownFrom(open(envelope, expected) as Failure),
  };
}

/** Says what a value is that is no envelope of this format. */
function recognised(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "__ENCRYPTED__")) {
    throw new StepsealError("PLAINTEXT_REJECTED", "Plaintext stands where a sealed value is expected.");
  }
  const strategy = (value as { __STRATEGY__?: unknown }).__STRATEGY__;
  if (strategy === undefined || strategy === "inngest/libsodium") {
    throw new StepsealError(
      "LEGACY_NO_KEY",
      "The value was sealed by Inngest's own middleware, whose passphrases this sealer does not have.",
    );
  }
  return value;
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

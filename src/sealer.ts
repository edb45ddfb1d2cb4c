import type { Claims } from "./claims.ts";
import {
  type CodecOptions,
  type Decoded,
  decodeJson,
  decodeValue,
  type Encoded,
  encodeJson,
  encodeValue,
  maxContentBytes,
} from "./codec.ts";
import { closeEnvelope, type Envelope, openEnvelope, readEnvelope, sealEnvelope } from "./envelope.ts";
import { StepsealError } from "./errors.ts";
import { checkClaims, checkScope, type Expected } from "./expected.ts";
import { failureOf, thrownFrom } from "./failure.ts";
import { checkObject } from "./internal/claim-checks.ts";
import { PADDED } from "./internal/flags.ts";
import { readSealerOptions } from "./internal/sealer-options.ts";
import { tell } from "./internal/tell.ts";
import { countUse, type Keyring, type KeyState, openingKey, sealingKey } from "./keyring/keyring.ts";

/** What `onUse` is told: never data. */
export interface Use {
  /** 16 lower-case hex digits. */
  readonly kid: string;
  /** Of a key of a ring: `"compromised"` where `dangerouslyOpenCompromised` let it open. Not of a passphrase. */
  readonly state?: KeyState;
  readonly kind: Claims["kind"];
  readonly operation: "seal" | "open";
  /** Of the plaintext. */
  readonly bytes: number;
  /** Only of values in a format of Inngest's own middleware: `"inngest/aes"` is that of its versions before 1.0. */
  readonly format?: "inngest/libsodium" | "inngest/aes";
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
  /**
   * As `open`, for who wants JSON as the text that was sealed, unparsed. Bytes come as bytes, `undefined` as undefined.
   */
  openJson(
    envelope: unknown,
    expected: OpenExpected | ((claims: Claims) => OpenExpected),
  ): string | Uint8Array | undefined;
  /** Seals whatever was thrown: an error with class, cause and own properties, or any other value. */
  sealError(thrown: unknown, claims: SealClaims): Envelope;
  /** Opens what `sealError` made: the value to throw. Throws as `open`. */
  openError(envelope: unknown, expected: OpenExpected | ((claims: Claims) => OpenExpected)): unknown;
}

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
 * console.log(sealer.open(envelope, { kind: "custom", name: "payment/17" })); // { card: "4111…" }
 * ```
 */
export function createSealer(options: SealerOptions): Sealer {
  const settings = readSealerOptions(options);
  const { keyring, scope, onUse } = settings;
  const [mostPlain, mostPadded] = [maxContentBytes(0, settings), maxContentBytes(PADDED, settings)];
  const maxBytes = (flags: number): number => ((flags & PADDED) === 0 ? mostPlain : mostPadded);

  const used = (kid: string, kind: Claims["kind"], operation: Use["operation"], bytes: number): void => {
    const state = countUse(keyring, kid, operation);
    tell(onUse, { kid, state, kind, operation, bytes });
  };

  const sealEncoded = ({ content, flags, bytes, release }: Encoded, claims: SealClaims): Envelope => {
    let kid: string;
    let envelope: Envelope;
    try {
      refuseScope(claims, "claims");
      const held = sealingKey(keyring, claims.run);
      kid = held.kid;
      envelope = sealEnvelope({ kid, key: held.key, flags, claims, scope, content });
    } finally {
      release();
    }
    used(kid, claims.kind, "seal", bytes);
    return envelope;
  };

  const opened = <Value>(
    envelope: unknown,
    expected: Parameters<Sealer["open"]>[1],
    decode: (content: Uint8Array, flags: number, options: CodecOptions) => Decoded<Value>,
  ): Value => {
    const read = readEnvelope(envelope, maxBytes);
    const { kid, claims, flags } = read;
    try {
      // The key first: a key that is missing is worth a retry, and no other answer is.
      const key = openingKey(keyring, kid, claims.run);
      checkScope(claims, scope);
      const wanted = typeof expected === "function" ? expected(claims) : expected;
      refuseScope(wanted, "expected");
      checkClaims(claims, wanted);
      const content = openEnvelope(read, key);
      const { value, bytes } = decode(content, flags, settings);
      content.fill(0);
      used(kid, claims.kind, "open", bytes);
      return value;
    } catch (error) {
      // Which key it was is part of every answer.
      if (!(error instanceof StepsealError) || error.kid !== undefined) throw error;
      throw new StepsealError(error.code, `${error.message} (key ${kid})`, { kid });
    } finally {
      closeEnvelope(read);
    }
  };

  const open: Sealer["open"] = (envelope, expected) => opened(envelope, expected, decodeValue);

  return {
    seal: (value, claims) => sealEncoded(encodeValue(value, settings), claims),
    sealJson: (json, claims) => sealEncoded(encodeJson(json, settings), claims),
    open,
    openJson: (envelope, expected) => opened(envelope, expected, decodeJson),
    sealError: (thrown, claims) => sealEncoded(encodeValue(failureOf(thrown), settings), claims),
    openError: (envelope, expected) => thrownFrom(open(envelope, expected)),
  };
}

function refuseScope(given: object, where: "claims" | "expected"): void {
  checkObject(given, where);
  if (!("scope" in given)) return;
  throw new StepsealError(
    "CONFIG",
    `${where}.scope: the scope is the sealer's. Leave it out here and give it to createSealer.`,
  );
}

import { NONCE_BYTES, openBytes, sealBytes, TAG_BYTES } from "./cipher.ts";
import { type Claims, decodeClaims, writeClaims } from "./claims.ts";
import type { Engine } from "./engines/engine.ts";
import { StepsealError } from "./errors.ts";
import { decodeBase64url, decodedLength, encodeBase64url } from "./internal/base64url.ts";
import { Scratch } from "./internal/bytes.ts";
import { MAX_CLAIMS_BYTES } from "./internal/claim-table.ts";
import { DEFLATED, KNOWN_FLAGS, PADDED, RAW } from "./internal/flags.ts";
import { BODY_TEXT_AT, KID_TEXT_AT, readData } from "./internal/shape.ts";

export { isSealed } from "./internal/shape.ts";

/**
 * A sealed value as it stands in the platform's JSON. The first two fields are those of the official Inngest
 * format, so that dashboards and readers know it for ciphertext. Format: docs/envelope-v1.md.
 */
export interface Envelope {
  readonly __ENCRYPTED__: true;
  readonly __STRATEGY__: "stepseal/v1";
  /** `ss1.<kid>.<body>`: the kid as 16 lower-case hex digits, the body in unpadded base64url. */
  readonly data: string;
}

/** What can be read of an envelope without a key. Not authenticated: whoever carries an envelope can change it. */
export interface EnvelopeInfo {
  /** The key it was sealed under: 16 lower-case hex digits. */
  readonly kid: string;
  readonly suite: "XChaCha20-Poly1305";
  readonly compressed: boolean;
  readonly padded: boolean;
  /** Whether the value is a Uint8Array rather than JSON. */
  readonly raw: boolean;
  readonly claims: Claims;
  /** Length of the ciphertext in bytes, without its tag: that of the value, compressed and padded. */
  readonly ciphertextBytes: number;
}

const SUITE = 1;

// The memory a message is made in: what is authenticated first, then what only the body has.
//   offset   size  field
//   0        11    "stepseal/v1"     these two in the AAD alone
//   11       8     kid
//   19       1     suite             from here on the body
//   20       1     flags
//   21       2     claimsLen
//   23       n     claims            the AAD ends with them
//   23+n     24    nonce
//   47+n     …     ciphertext, tag
const LABEL = Uint8Array.from("stepseal/v1", (char) => char.charCodeAt(0));
const KID_AT = LABEL.length;
const BODY_AT = KID_AT + 8;
const CLAIMS_AT = BODY_AT + 4;
const FIXED = CLAIMS_AT + NONCE_BYTES + TAG_BYTES;

/** Sealed bytes are no secret, so this memory needs no wiping. Enough for 1 MB. */
const scratch = new Scratch(2 ** 20 + FIXED + MAX_CLAIMS_BYTES);

/** What is sealed: bytes that are encoded already, and what to write beside them. */
export interface Sealable {
  readonly kid: string;
  readonly key: Uint8Array;
  readonly flags: number;
  readonly claims: Claims;
  /** Stands in for `claims.scope`, which is not read. */
  readonly scope: string | undefined;
  readonly content: Uint8Array;
}

/** Puts a fresh random nonce into `nonce`. */
function randomNonce(nonce: Uint8Array): void {
  crypto.getRandomValues(nonce);
}

/**
 * Seals bytes into an envelope. Internal.
 *
 * @param fillNonce writes the 24 bytes of the nonce; only vectors give one that is not random
 * @throws {StepsealError} as `writeClaims`
 */
export function sealEnvelope(
  { kid, key, flags, claims, scope, content }: Sealable,
  fillNonce: (nonce: Uint8Array) => void = randomNonce,
  using?: Engine,
): Envelope {
  const memory = scratch.lend(FIXED + MAX_CLAIMS_BYTES + content.length);
  try {
    writeLabel(memory, kid, 0);
    const claimsEnd = writeClaims(claims, scope, memory, CLAIMS_AT);
    const claimsLength = claimsEnd - CLAIMS_AT;
    memory[BODY_AT] = SUITE;
    memory[BODY_AT + 1] = flags;
    memory[BODY_AT + 2] = claimsLength >> 8;
    memory[BODY_AT + 3] = claimsLength & 255;
    const contentAt = claimsEnd + NONCE_BYTES;
    const nonce = memory.subarray(claimsEnd, contentAt);
    fillNonce(nonce);
    sealBytes(key, nonce, memory.subarray(0, claimsEnd), content, memory, contentAt, using);
    const body = encodeBase64url(memory, BODY_AT, contentAt + content.length + TAG_BYTES);
    return { __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data: `ss1.${kid}.${body}` };
  } finally {
    scratch.takeBack(memory);
  }
}

/** An envelope read and not yet opened; `close` it when done. */
export interface ReadEnvelope {
  readonly kid: string;
  readonly flags: number;
  readonly claims: Claims;
  /** Length of the ciphertext without its tag. */
  readonly ciphertextBytes: number;
  /** Label, kid, body. Lent. */
  readonly memory: Uint8Array;
  readonly claimsEnd: number;
  readonly end: number;
}

/**
 * Reads everything of an envelope that needs no key.
 *
 * @param maxBytes ciphertext longer than this is refused, before it is decoded where that can be told by length
 * @throws {StepsealError} FORMAT, UNSUPPORTED, TOO_LARGE
 */
export function readEnvelope(value: unknown, maxBytes: (flags: number) => number): ReadEnvelope {
  const data = readData(value);
  const bodyLength = decodedLength(data.length - BODY_TEXT_AT);
  const most = maxBytes(KNOWN_FLAGS) + FIXED - BODY_AT + MAX_CLAIMS_BYTES;
  if (bodyLength > most) throw tooLarge(bodyLength, most);
  const memory = scratch.lend(BODY_AT + bodyLength);
  try {
    const kid = data.slice(KID_TEXT_AT, KID_TEXT_AT + 16);
    writeLabel(memory, kid, 0);
    if (bodyLength < 4) throw tooShort(bodyLength);
    const end = decodeBase64url(data.slice(BODY_TEXT_AT), memory, BODY_AT);
    if (end === undefined) throw notCanonical();
    const suite = memory[BODY_AT]!;
    const flags = memory[BODY_AT + 1]!;
    if (suite !== SUITE) throw unsupported(`suite ${suite}`, kid);
    if ((flags & ~KNOWN_FLAGS) !== 0) throw unsupported(`flags ${flags.toString(2).padStart(8, "0")}`, kid);
    const claimsEnd = CLAIMS_AT + ((memory[BODY_AT + 2]! << 8) | memory[BODY_AT + 3]!);
    const ciphertextBytes = end - claimsEnd - NONCE_BYTES - TAG_BYTES;
    if (ciphertextBytes < 0) throw tooShort(bodyLength);
    const claims = decodeClaims(memory, CLAIMS_AT, claimsEnd);
    if (ciphertextBytes > maxBytes(flags)) throw tooLarge(ciphertextBytes, maxBytes(flags));
    return { kid, flags, claims, ciphertextBytes, memory, claimsEnd, end };
  } catch (error) {
    scratch.takeBack(memory);
    throw error;
  }
}

/**
 * Decrypts a read envelope, in memory of its own.
 *
 * @throws {StepsealError} CORRUPT, with no reason, when the tag does not fit
 */
export function openEnvelope(read: ReadEnvelope, key: Uint8Array, using?: Engine): Uint8Array {
  const { kid, memory, claimsEnd, end } = read;
  const contentAt = claimsEnd + NONCE_BYTES;
  const nonce = memory.subarray(claimsEnd, contentAt);
  const aad = memory.subarray(0, claimsEnd);
  const content = openBytes(key, nonce, aad, memory.subarray(contentAt, end), using);
  if (content === undefined) {
    throw new StepsealError("CORRUPT", `The value sealed under key ${kid} is not authentic.`, { kid });
  }
  return content;
}

/** Gives back the memory of a read envelope, which nothing may use from then on. */
export function closeEnvelope(read: ReadEnvelope): void {
  scratch.takeBack(read.memory);
}

/**
 * Reads an envelope without a key: which key sealed it, what it claims to be, how large it is.
 *
 * @throws {StepsealError} FORMAT, PLAINTEXT_REJECTED or LEGACY_NO_KEY for what is not an envelope; UNSUPPORTED for
 * a suite, flag, kind or claim this version does not know
 *
 * @example
 * ```ts
 * import { createKeyring, createSealer, generateKey, inspectEnvelope } from "stepseal";
 *
 * const sealer = createSealer({ keyring: createKeyring({ key: generateKey() }) });
 * const info = inspectEnvelope(sealer.seal("secret", { kind: "custom", name: "note" }));
 * console.log(info.claims.name); // "note"
 * ```
 */
export function inspectEnvelope(value: unknown): EnvelopeInfo {
  const read = readEnvelope(value, () => Number.POSITIVE_INFINITY);
  const { kid, flags, claims, ciphertextBytes } = read;
  closeEnvelope(read);
  return {
    kid,
    suite: "XChaCha20-Poly1305",
    compressed: (flags & DEFLATED) !== 0,
    padded: (flags & PADDED) !== 0,
    raw: (flags & RAW) !== 0,
    claims,
    ciphertextBytes,
  };
}

/** Writes what stands in the AAD before the body: the label, and the kid found in `text` at `at`. */
function writeLabel(memory: Uint8Array, text: string, at: number): void {
  memory.set(LABEL);
  for (let i = 0; i < 8; i++) {
    memory[KID_AT + i] =
      (hexDigit(text.charCodeAt(at + 2 * i)) << 4) | hexDigit(text.charCodeAt(at + 2 * i + 1));
  }
}

/** Of a digit that is known to be one. */
function hexDigit(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}

function notCanonical(): StepsealError {
  return new StepsealError(
    "FORMAT",
    "The body of the envelope is not canonical base64url: only A-Z a-z 0-9 - _, no padding, no white space, no stray bits at the end.",
  );
}

function tooShort(bytes: number): StepsealError {
  return new StepsealError("FORMAT", `The body of the envelope is cut short: ${bytes} bytes.`);
}

function tooLarge(bytes: number, limit: number): StepsealError {
  return new StepsealError(
    "TOO_LARGE",
    `The sealed value has ${bytes} bytes, more than the limit of ${limit}. If values of that size are expected, raise the option maxPlaintextBytes of createSealer.`,
  );
}

function unsupported(what: string, kid: string): StepsealError {
  return new StepsealError(
    "UNSUPPORTED",
    `The envelope has ${what}, which this version of stepseal does not know. Update stepseal where it is opened.`,
    { kid },
  );
}

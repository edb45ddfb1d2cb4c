import { sha256 } from "@noble/hashes/sha2.js";
import { type Claims, decodeClaims, encodeClaims } from "../claims.ts";
import { StepsealError } from "../errors.ts";
import { encodeBase64url, readBase64url } from "../internal/base64url.ts";
import { equalInConstantTime, hmacSha256 } from "../internal/mac.ts";
import type { PassphraseKey } from "./passphrases.ts";

/** Members beside those of the official format, which its readers ignore: where the value belongs, and the proof. */
export interface Binding {
  /** The kid of the passphrase's key. */
  readonly k: string;
  /** The claims, in unpadded base64url. */
  readonly c: string;
  /** `HMAC-SHA256(macKey, "stepseal/v1/compat" || 0x00 || u32be(len c) || c || SHA-256(box))`, in unpadded base64url. */
  readonly t: string;
}

const LABEL = Uint8Array.from("stepseal/v1/compat\0", (char) => char.charCodeAt(0));
const TAG_BYTES = 32;

/** Binds a box to its claims. */
export function bind({ kid, macKey }: PassphraseKey, claims: Claims, box: Uint8Array): Binding {
  const encoded = encodeClaims(claims);
  const tag = tagOf(macKey, encoded, box);
  return {
    k: kid,
    c: encodeBase64url(encoded),
    t: encodeBase64url(tag),
  };
}

/**
 * The claims of a bound box, once they are known to be authentic.
 *
 * @throws {StepsealError} CORRUPT where the tag does not fit; FORMAT, UNSUPPORTED for claims that cannot be read
 */
export function boundClaims({ kid, macKey }: PassphraseKey, { c, t }: Binding, box: Uint8Array): Claims {
  const encoded = decodeText(c);
  const tag = decodeText(t);
  if (tag.length !== TAG_BYTES || !equalInConstantTime(tag, tagOf(macKey, encoded, box))) {
    throw new StepsealError(
      "CORRUPT",
      `The value sealed under key ${kid} is not authentic, or its claims are not its own.`,
      { kid },
    );
  }
  return decodeClaims(encoded);
}

function tagOf(macKey: Uint8Array, claims: Uint8Array, box: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, claims.length);
  return hmacSha256(macKey, LABEL, length, claims, sha256(box));
}

/** The bytes of a member in unpadded base64url. @throws {StepsealError} FORMAT */
export function decodeText(text: string): Uint8Array {
  const bytes = readBase64url(text);
  if (bytes !== undefined) return bytes;
  throw new StepsealError(
    "FORMAT",
    "The members c and t of the sealed value, which say where it belongs, are not canonical base64url.",
  );
}

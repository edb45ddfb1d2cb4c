import { ALPHABET } from "../internal/base64url.ts";
import { isKidDigit } from "../internal/kid.ts";
import { BODY_TEXT_AT, KID_TEXT_AT } from "../internal/shape.ts";

// The text of an envelope, `ss1.<kid>.<body>`, in bytes. No regular expression reads a body: V8's overflow near 4 MiB.

/** How every envelope begins, as bytes to search for. */
export const PREFIX: Buffer = Buffer.from("ss1.");
/** Length of `ss1.<kid>.` */
export const HEADER_BYTES: number = BODY_TEXT_AT;

const DOT = 0x2e;

/** Which bytes are digits of base64url. */
const IS_BODY: Uint8Array = new Uint8Array(256);
for (const char of ALPHABET) {
  IS_BODY[char.charCodeAt(0)] = 1;
}

/** Whether the bytes at `at` are `ss1.<kid>.`, or its beginning where they end before. */
export function isHeader(bytes: Uint8Array, at: number): boolean {
  const length = Math.min(bytes.length - at, HEADER_BYTES);
  for (let i = 0; i < length; i++) {
    const byte = bytes[at + i]!;
    if (i < KID_TEXT_AT ? byte !== PREFIX[i] : i < HEADER_BYTES - 1 ? !isKidDigit(byte) : byte !== DOT) {
      return false;
    }
  }
  return true;
}

/** Where the body that contains `at` ends: the first byte that is no base64url, or the end of the bytes. */
export function endOfBody(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && IS_BODY[bytes[end]!] === 1) end++;
  return end;
}

/** The kid of the envelope that begins at `at`. */
export function kidAt(bytes: Buffer, at: number): string {
  return bytes.toString("latin1", at + KID_TEXT_AT, at + KID_TEXT_AT + 16);
}

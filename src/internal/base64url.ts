import { asBuffer } from "./bytes.ts";
import { nodeBytes } from "./runtime.ts";

/** The digits, by value. */
export const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Characters and bytes compared at a time: small enough for strings that cost next to nothing. */
const CHUNK_CHARS = 8192;
const CHUNK_BYTES = 6144;

let digits: Uint8Array | undefined;

/** Bytes, or those `from` to `to`, as unpadded base64url (RFC 4648, section 5). */
export function encodeBase64url(bytes: Uint8Array, from = 0, to: number = bytes.length): string {
  const node = nodeBytes();
  if (node === undefined) return encodePortable(bytes, from, to);
  return asBuffer(bytes, node.Buffer).toString("base64url", from, to);
}

/** How many bytes `length` characters of base64url hold. */
export function decodedLength(length: number): number {
  return Math.floor((length * 3) / 4);
}

/**
 * Decodes base64url into `out` at `at`, where `decodedLength(text.length)` bytes must be free.
 *
 * Accepts the one canonical text of each byte string and nothing else: no padding, no white space, no other
 * alphabet, no stray bits after the last byte.
 *
 * @returns where the decoded bytes end; undefined for any other text, of which some bytes may have been written
 */
export function decodeBase64url(text: string, out: Uint8Array, at: number): number | undefined {
  const end = at + decodedLength(text.length);
  if (text.length % 4 === 1) return undefined;
  const node = nodeBytes();
  if (node === undefined) return decodePortable(text, out, at);
  const buffer = asBuffer(out, node.Buffer);
  if (buffer.write(text, at, end - at, "base64url") !== end - at) return undefined;
  // Node skips white space, takes both alphabets, ignores stray bits, and reads U+0141 as the "A" it ends in.
  // A text is canonical when it is what its bytes encode to.
  for (let from = at, char = 0; from < end; from += CHUNK_BYTES, char += CHUNK_CHARS) {
    const chunk = buffer.toString("base64url", from, Math.min(from + CHUNK_BYTES, end));
    if (chunk !== text.slice(char, char + CHUNK_CHARS)) return undefined;
  }
  return end;
}

/** Base64url as bytes in new memory, or undefined for any other text, as above. */
export function readBase64url(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(decodedLength(text.length));
  return decodeBase64url(text, bytes, 0) === undefined ? undefined : bytes;
}

/** `encodeBase64url` without Node. */
export function encodePortable(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  let i = from;
  for (; i + 2 < to; i += 3) {
    const triple = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    text +=
      ALPHABET[triple >> 18]! +
      ALPHABET[(triple >> 12) & 63]! +
      ALPHABET[(triple >> 6) & 63]! +
      ALPHABET[triple & 63]!;
  }
  if (to - i === 2) {
    const pair = (bytes[i]! << 8) | bytes[i + 1]!;
    text += ALPHABET[pair >> 10]! + ALPHABET[(pair >> 4) & 63]! + ALPHABET[(pair << 2) & 63]!;
  } else if (to - i === 1) {
    text += ALPHABET[bytes[i]! >> 2]! + ALPHABET[(bytes[i]! << 4) & 63]!;
  }
  return text;
}

/** `decodeBase64url` without Node. */
export function decodePortable(text: string, out: Uint8Array, at: number): number | undefined {
  if (text.length % 4 === 1) return undefined;
  digits ??= digitTable();
  let held = 0;
  let bits = 0;
  let next = at;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = code < 128 ? digits[code]! : 64;
    if (digit === 64) return undefined;
    held = ((held << 6) | digit) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[next++] = held >> bits;
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? next : undefined;
}

function digitTable(): Uint8Array {
  const table = new Uint8Array(128).fill(64);
  for (let i = 0; i < 64; i++) table[ALPHABET.charCodeAt(i)] = i;
  return table;
}

import { StepsealError } from "../errors.ts";
import { asBuffer } from "./bytes.ts";
import { nodeBytes } from "./runtime.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Characters and bytes compared at a time: small enough for strings that cost next to nothing. */
const CHUNK_CHARS = 8192;
const CHUNK_BYTES = 6144;

let digits: Uint8Array | undefined;

/** Bytes `from` to `to` as unpadded base64url (RFC 4648, section 5). */
export function encodeBase64url(bytes: Uint8Array, from: number, to: number): string {
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
 * @returns where the decoded bytes end
 * @throws {StepsealError} FORMAT
 */
export function decodeBase64url(text: string, out: Uint8Array, at: number): number {
  const end = at + decodedLength(text.length);
  if (text.length % 4 === 1) throw notCanonical();
  const node = nodeBytes();
  if (node === undefined) {
    decodePortable(text, out, at);
    return end;
  }
  const buffer = asBuffer(out, node.Buffer);
  if (buffer.write(text, at, end - at, "base64url") !== end - at) throw notCanonical();
  // Node skips white space, takes both alphabets, ignores stray bits, and reads U+0141 as the "A" it ends in.
  // A text is canonical when it is what its bytes encode to.
  for (let from = at, char = 0; from < end; from += CHUNK_BYTES, char += CHUNK_CHARS) {
    const chunk = buffer.toString("base64url", from, Math.min(from + CHUNK_BYTES, end));
    if (chunk !== text.slice(char, char + CHUNK_CHARS)) throw notCanonical();
  }
  return end;
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
export function decodePortable(text: string, out: Uint8Array, at: number): void {
  if (text.length % 4 === 1) throw notCanonical();
  digits ??= digitTable();
  let held = 0;
  let bits = 0;
  let next = at;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = code < 128 ? digits[code]! : 64;
    if (digit === 64) throw notCanonical();
    held = ((held << 6) | digit) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[next++] = held >> bits;
    }
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw notCanonical();
}

function digitTable(): Uint8Array {
  const table = new Uint8Array(128).fill(64);
  for (let i = 0; i < 64; i++) table[ALPHABET.charCodeAt(i)] = i;
  return table;
}

function notCanonical(): StepsealError {
  return new StepsealError(
    "FORMAT",
    "The body of the envelope is not canonical base64url: only A-Z a-z 0-9 - _, no padding, no white space, no stray bits at the end.",
  );
}

import { asBuffer } from "./bytes.ts";
import { nodeBytes } from "./runtime.ts";

let encoder: TextEncoder | undefined;
let decoder: TextDecoder | undefined;

/**
 * Writes text as UTF-8 into `out` from `at`; there must be room for 3 bytes per UTF-16 unit. A lone surrogate
 * becomes U+FFFD: where that matters, ask `isWellFormed` first.
 *
 * @returns where the bytes end
 */
export function writeUtf8(text: string, out: Uint8Array, at: number): number {
  const node = nodeBytes();
  if (node !== undefined) return at + asBuffer(out, node.Buffer).write(text, at, "utf8");
  encoder ??= new TextEncoder();
  return at + encoder.encodeInto(text, at === 0 ? out : out.subarray(at)).written;
}

/** Text as UTF-8 in new memory; lone surrogates as in `writeUtf8`. */
export function encodeUtf8(text: string): Uint8Array {
  const node = nodeBytes();
  if (node !== undefined) return node.Buffer.from(text, "utf8");
  encoder ??= new TextEncoder();
  return encoder.encode(text);
}

/** Text as UTF-8 with its length in bytes before it (u32, big-endian), so that no two lists of parts hash alike. */
export function lengthPrefixed(text: string): Uint8Array {
  const bytes = encodeUtf8(text);
  const part = new Uint8Array(4 + bytes.length);
  new DataView(part.buffer).setUint32(0, bytes.length);
  part.set(bytes, 4);
  return part;
}

/** Up to so many bytes a loop is done before a call into the runtime has begun. */
const SHORT = 64;

/**
 * Bytes, or those `from` to `to`, as text, or undefined where they are not well-formed UTF-8. A byte order mark is a
 * character like others.
 */
export function readUtf8(bytes: Uint8Array, from = 0, to: number = bytes.length): string | undefined {
  const node = nodeBytes();
  if (node?.isAscii === undefined || node.isUtf8 === undefined) return readPortable(bytes.subarray(from, to));
  const buffer = asBuffer(bytes, node.Buffer);
  // The reader of one byte per character is twice as fast as the UTF-8 decoder.
  if (to - from <= SHORT && isAsciiShort(bytes, from, to)) return buffer.toString("latin1", from, to);
  const part = buffer.subarray(from, to);
  if (node.isAscii(part)) return part.toString("latin1");
  return node.isUtf8(part) ? part.toString("utf8") : undefined;
}

function isAsciiShort(bytes: Uint8Array, from: number, to: number): boolean {
  let bits = 0;
  for (let i = from; i < to; i++) bits |= bytes[i]!;
  return bits < 128;
}

/** `readUtf8` without Node. */
export function readPortable(bytes: Uint8Array): string | undefined {
  decoder ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whether a text has no lone surrogate, and so a UTF-8 form that gives it back. */
export function isWellFormed(text: string): boolean {
  const native = (text as { isWellFormed?: () => boolean }).isWellFormed;
  return typeof native === "function" ? native.call(text) : isWellFormedPortable(text);
}

/** `isWellFormed` for engines before ES2024. */
export function isWellFormedPortable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    // A high surrogate must come first, and a low one right after it.
    const next = text.charCodeAt(i + 1);
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
    i++;
  }
  return true;
}

import { StepsealError } from "./errors.ts";
import { isBytes, Scratch } from "./internal/bytes.ts";
import { deflate, inflate } from "./internal/deflate.ts";
import { DEFLATED, PADDED, RAW } from "./internal/flags.ts";
import { pad, padmeLength, unpad } from "./internal/padding.ts";
import { encodeUtf8, isWellFormed, readUtf8, writeUtf8 } from "./internal/utf8.ts";

/** How values become bytes, and how large they may be. All sizes in bytes. */
export interface CodecOptions {
  readonly compress: boolean;
  readonly pad: boolean;
  /** Of a value as JSON or raw bytes, before compression and padding. */
  readonly maxPlaintextBytes: number;
  /** Of a compressed value, after inflation. */
  readonly maxInflatedBytes: number;
}

/** What a value may take where nothing else is said: 64 MiB. */
export const MAX_PLAINTEXT_BYTES: number = 64 * 2 ** 20;

/** A value as the bytes that are encrypted. */
export interface Encoded {
  readonly content: Uint8Array;
  readonly flags: number;
  /** Size of the value in bytes, before compression and padding. */
  readonly bytes: number;
  /** Wipes and gives back the memory that is kept; nothing uses `content` from then on. */
  readonly release: () => void;
}

/** Below this, deflate's own framing eats what it saves. */
const MIN_DEFLATED = 256;

/** Texts up to this length are written into memory that is kept. A UTF-16 unit takes 3 bytes at most. */
const SCRATCH_UNITS = 2 ** 20;
const scratch = new Scratch(3 * SCRATCH_UNITS);

/**
 * Writes a value as bytes: a Uint8Array as it is, everything else by the rules of `JSON.stringify`, and what those
 * have no text for (`undefined`, a function, a symbol) as no bytes at all.
 *
 * @throws {StepsealError} FORMAT for what JSON cannot write, without naming the value; TOO_LARGE
 */
export function encodeValue(value: unknown, options: CodecOptions): Encoded {
  if (isBytes(value)) return finish(value, RAW, options);
  const json = stringify(value);
  return json === undefined ? finish(new Uint8Array(0), 0, options) : encodeText(json, options);
}

/**
 * Writes a text that already is JSON, without reading it.
 *
 * @throws {StepsealError} FORMAT for an empty text, which would open as undefined, and for one that has no UTF-8
 * form; TOO_LARGE
 */
export function encodeJson(json: string, options: CodecOptions): Encoded {
  if (json === "" || !isWellFormed(json)) {
    throw new StepsealError(
      "FORMAT",
      `The text to seal is no JSON: it ${json === "" ? "is empty" : "has half of a surrogate pair"}.`,
    );
  }
  return encodeText(json, options);
}

function encodeText(json: string, options: CodecOptions): Encoded {
  // Before any memory is asked for: no text takes fewer bytes than it has UTF-16 units.
  if (json.length > options.maxPlaintextBytes) throw tooLarge(json.length, options);
  if (json.length > SCRATCH_UNITS) return finish(encodeUtf8(json), 0, options);
  const memory = scratch.lend(json.length * 3);
  let end = 0;
  const release = (): void => {
    memory.fill(0, 0, end);
    scratch.takeBack(memory);
  };
  try {
    end = writeUtf8(json, memory, 0);
    return finish(memory.subarray(0, end), 0, options, release);
  } catch (error) {
    release();
    throw error;
  }
}

function finish(
  plain: Uint8Array,
  kindOfBytes: number,
  options: CodecOptions,
  release: () => void = noRelease,
): Encoded {
  const bytes = plain.length;
  if (bytes > options.maxPlaintextBytes) throw tooLarge(bytes, options);
  let content = plain;
  let flags = kindOfBytes;
  // What would inflate beyond the limit could not be opened again.
  if (options.compress && bytes >= MIN_DEFLATED && bytes <= options.maxInflatedBytes) {
    const deflated = deflate(plain);
    if (deflated.length < bytes) {
      content = deflated;
      flags |= DEFLATED;
    }
  }
  if (options.pad) {
    content = pad(content);
    flags |= PADDED;
  }
  return { content, flags, bytes, release };
}

function noRelease(): void {}

/** The longest content a reader with these limits accepts. */
export function maxContentBytes(flags: number, { maxPlaintextBytes }: CodecOptions): number {
  return (flags & PADDED) === 0 ? maxPlaintextBytes : padmeLength(maxPlaintextBytes + 1);
}

/** What was opened, and the size of the value in bytes before compression and padding. */
export interface Decoded<Value> {
  readonly value: Value;
  readonly bytes: number;
}

/**
 * Reads a value from the bytes that were encrypted.
 *
 * @throws {StepsealError} CORRUPT for wrong padding, deflate, UTF-8 or JSON (authentic, and still not what a sealer
 * writes); TOO_LARGE, INFLATE_LIMIT; UNSUPPORTED without zlib
 */
export function decodeValue(content: Uint8Array, flags: number, options: CodecOptions): Decoded<unknown> {
  const { value, bytes } = decodeJson(content, flags, options);
  if (typeof value !== "string") return { value, bytes };
  try {
    return { value: JSON.parse(value), bytes };
  } catch {
    // The parser's own message shows a piece of the text.
    throw notJson("is not JSON");
  }
}

/**
 * As `decodeValue`, but leaves JSON as the text it is.
 *
 * @returns the text; raw bytes; or undefined where that was sealed
 */
export function decodeJson(
  content: Uint8Array,
  flags: number,
  options: CodecOptions,
): Decoded<string | Uint8Array | undefined> {
  const plain = decodeBytes(content, flags, options);
  const bytes = plain.length;
  if ((flags & RAW) !== 0) return { value: new Uint8Array(plain), bytes };
  if (bytes === 0) return { value: undefined, bytes };
  const json = readUtf8(plain);
  if (json === undefined) throw notJson("is not well-formed UTF-8");
  return { value: json, bytes };
}

/**
 * Takes padding and compression off the bytes that were encrypted: what is left is the value, as JSON or raw.
 *
 * @throws {StepsealError} as `decodeValue`, but for what concerns UTF-8 and JSON
 */
export function decodeBytes(content: Uint8Array, flags: number, options: CodecOptions): Uint8Array {
  let plain = (flags & PADDED) === 0 ? content : unpad(content);
  if ((flags & DEFLATED) !== 0) {
    plain = inflate(plain, Math.min(options.maxInflatedBytes, options.maxPlaintextBytes));
  }
  if (plain.length > options.maxPlaintextBytes) throw tooLarge(plain.length, options);
  return plain;
}

function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // The engine's own message names keys and constructors of the value; it is not passed on.
    throw new StepsealError("FORMAT", `The value cannot be written as JSON: ${reason(error)}.`);
  }
}

function reason(error: unknown): string {
  if (error instanceof RangeError) return "it is too large or too deeply nested";
  const message = error instanceof TypeError ? error.message : "";
  if (message.includes("BigInt")) return "it holds a BigInt. Convert it to a string first";
  if (/circular|cyclic/i.test(message)) return "it refers to itself. Seal a value without cycles";
  return "a getter or a toJSON method of it threw";
}

function notJson(problem: string): StepsealError {
  return new StepsealError(
    "CORRUPT",
    `The opened value is authentic and ${problem}: what sealed it is at fault.`,
  );
}

/** Only a sealer that users make has the option: the Inngest gate and the command line have the default. */
const HOW_TO_RAISE =
  "Make it smaller; where createSealer made the sealer, you can raise its option maxPlaintextBytes.";

function tooLarge(size: number, { maxPlaintextBytes }: CodecOptions): StepsealError {
  return new StepsealError(
    "TOO_LARGE",
    `The value takes at least ${size} bytes, more than maxPlaintextBytes, ${maxPlaintextBytes}. ${HOW_TO_RAISE}`,
  );
}

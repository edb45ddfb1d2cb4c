import { DEFLATED, PADDED, RAW } from "./envelope.ts";
import { StepsealError } from "./errors.ts";
import { allocate, isBytes } from "./internal/bytes.ts";
import { deflate, inflate } from "./internal/deflate.ts";
import { pad, unpad } from "./internal/padding.ts";
import { readUtf8, writeUtf8 } from "./internal/utf8.ts";

/** How values become bytes. */
export interface CodecOptions {
  readonly compress: boolean;
  readonly pad: boolean;
  readonly maxPlaintextBytes: number;
  readonly maxInflatedBytes: number;
}

/** A value as bytes, the flags that say how it became so, and its size before compression and padding. */
export interface Encoded {
  readonly content: Uint8Array;
  readonly flags: number;
  readonly bytes: number;
}

const EMPTY = new Uint8Array(0);

/**
 * A value as JSON text. `undefined`, and what JSON has no text for, becomes undefined.
 *
 * @throws {StepsealError} `FORMAT` for a value that JSON cannot hold (circular, BigInt, a `toJSON` that throws)
 */
function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    const why =
      typeof value === "bigint"
        ? "it is a BigInt"
        : "it is circular, or holds a BigInt or a toJSON that throws";
    throw new StepsealError("FORMAT", `The value has no JSON form: ${why}.`, {
      cause: (error as Error).name,
    });
  }
}

/**
 * A value as bytes: JSON in UTF-8, a Uint8Array as it is, `undefined` as nothing.
 *
 * @throws {StepsealError} `FORMAT`, `TOO_LARGE`
 */
export function encodeValue(value: unknown, options: CodecOptions): Encoded {
  if (isBytes(value)) return finish(value, RAW, options);
  return encodeJson(toJson(value), options);
}

/** As {@link encodeValue}, for a text that already is JSON. */
export function encodeJson(json: string | undefined, options: CodecOptions): Encoded {
  if (json === undefined) return finish(EMPTY, 0, options);
  if (json.length > options.maxPlaintextBytes) throw tooLarge(json.length, options);
  // Three bytes per UTF-16 unit at most; the memory is given back when the content is sealed.
  const room = allocate(json.length * 3);
  return finish(room.subarray(0, writeUtf8(json, room, 0)), 0, options);
}

function finish(bytes: Uint8Array, flags: number, options: CodecOptions): Encoded {
  if (bytes.length > options.maxPlaintextBytes) throw tooLarge(bytes.length, options);
  let content = bytes;
  let made = flags;
  if (options.compress && bytes.length > 0) {
    const deflated = deflate(bytes);
    if (deflated.length < bytes.length) {
      content = deflated;
      made |= DEFLATED;
    }
  }
  if (options.pad) {
    content = pad(content);
    made |= PADDED;
  }
  return { content, flags: made, bytes: bytes.length };
}

/**
 * Undoes {@link encodeValue}.
 *
 * @throws {StepsealError} `CORRUPT`, `TOO_LARGE`, `INFLATE_LIMIT`, `UNSUPPORTED`
 */
export function decodeValue(
  content: Uint8Array,
  flags: number,
  options: CodecOptions,
): { readonly value: unknown; readonly bytes: number } {
  let bytes = (flags & PADDED) === 0 ? content : unpad(content);
  if ((flags & DEFLATED) !== 0)
    bytes = inflate(bytes, Math.min(options.maxInflatedBytes, options.maxPlaintextBytes));
  if ((flags & RAW) !== 0) return { value: Uint8Array.from(bytes), bytes: bytes.length };
  if (bytes.length === 0) return { value: undefined, bytes: 0 };
  const text = readUtf8(bytes);
  try {
    if (text !== undefined) return { value: JSON.parse(text), bytes: bytes.length };
  } catch {
    // The parser's message quotes the text.
  }
  throw new StepsealError("CORRUPT", "The opened value is not JSON.");
}

export function tooLarge(bytes: number, { maxPlaintextBytes }: CodecOptions): StepsealError {
  return new StepsealError(
    "TOO_LARGE",
    `The value has ${bytes} bytes, more than the limit of ${maxPlaintextBytes}. Raise maxPlaintextBytes, or pass a reference instead of the value.`,
  );
}

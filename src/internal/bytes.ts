import { nodeBytes } from "./runtime.ts";

const HEX = "0123456789abcdef";

/** Bytes as lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte >> 4]! + HEX[byte & 15]!;
  return text;
}

/** Whether a text is hex digits and nothing else, in either case. Not by a regular expression, which would keep it. */
export function isHex(text: string): boolean {
  for (const char of text) if (!"0123456789abcdefABCDEF".includes(char)) return false;
  return true;
}

/** Whether two arrays hold the same bytes. Not in constant time: for values that are no secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Says what a typed array is made of, whatever its prototype claims, and in any realm; undefined for all else. */
const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as (this: unknown) => string | undefined;

/** Whether a value is a Uint8Array; a Buffer is one. */
export function isBytes(value: unknown): value is Uint8Array {
  return tagOf.call(value) === "Uint8Array";
}

/** New memory that nothing else shares, not zeroed where Node can skip that. */
export function allocate(size: number): Uint8Array {
  const node = nodeBytes();
  return node === undefined ? new Uint8Array(size) : node.Buffer.allocUnsafeSlow(size);
}

/** The same memory with Node's methods on it. */
export function asBuffer(bytes: Uint8Array, NodeBuffer: typeof Buffer): Buffer {
  if (bytes instanceof NodeBuffer) return bytes;
  return NodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/**
 * Memory lent to one caller at a time, so that sealing many values does not allocate for each. Code of the user's
 * may run while it is lent out and seal something itself: that caller gets memory of its own.
 */
export class Scratch {
  readonly #limit: number;
  #bytes: Uint8Array | undefined;
  #lent = false;

  /** @param limit bytes kept at most; whoever wants more gets new memory each time */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** At least `size` bytes with whatever they hold. */
  lend(size: number): Uint8Array {
    if (this.#lent || size > this.#limit) return allocate(size);
    if (this.#bytes === undefined || this.#bytes.length < size) {
      this.#bytes = allocate(2 ** Math.ceil(Math.log2(Math.max(size, 16_384))));
    }
    this.#lent = true;
    return this.#bytes;
  }

  /** Takes back what `lend` gave; memory it did not keep is left to the collector. */
  takeBack(bytes: Uint8Array): void {
    if (bytes === this.#bytes) this.#lent = false;
  }
}

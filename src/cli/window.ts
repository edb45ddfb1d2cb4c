/** The part of a stream that is held: bytes come in at the end and leave at the beginning. */
export class Window {
  #memory: Buffer = Buffer.allocUnsafe(2 ** 20);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** What is held; valid until the next `append`. */
  get bytes(): Buffer {
    return this.#memory.subarray(this.#start, this.#end);
  }

  append(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#memory.length) this.#makeRoom(chunk.length);
    chunk.copy(this.#memory, this.#end);
    this.#end += chunk.length;
  }

  /** Takes the first bytes out; valid until the next `append`. */
  take(length: number): Buffer {
    const bytes = this.#memory.subarray(this.#start, this.#start + length);
    this.#start += length;
    return bytes;
  }

  #makeRoom(length: number): void {
    const held = this.bytes;
    // Doubling, so that what is held is copied a fixed number of times on average, however long it grows.
    if (held.length + length > this.#memory.length / 2) {
      this.#memory = Buffer.allocUnsafe(2 * (held.length + length));
    }
    held.copy(this.#memory);
    this.#start = 0;
    this.#end = held.length;
  }
}

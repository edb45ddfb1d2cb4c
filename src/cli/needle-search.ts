/**
 * Searches a stream for a needle: each place where it begins is told once, with `reach` bytes from there, whatever
 * the chunks. At the end of the stream there may be fewer.
 */
export class NeedleSearch {
  readonly #needle: Buffer;
  readonly #reach: number;
  readonly #hit: (bytes: Buffer, at: number) => void;
  #rest: Buffer = Buffer.alloc(0);

  /** @param hit is given bytes that hold the needle at `at` */
  constructor(needle: Buffer, reach: number, hit: (bytes: Buffer, at: number) => void) {
    this.#needle = needle;
    this.#reach = reach;
    this.#hit = hit;
  }

  /** Takes the next bytes, and keeps none of them but a copy of the last few. */
  feed(chunk: Buffer): void {
    const reach = this.#reach;
    if (chunk.length < reach) {
      const joined = Buffer.concat([this.#rest, chunk]);
      const last = Math.max(0, joined.length - reach);
      this.#search(joined, last);
      this.#rest = joined.subarray(last);
      return;
    }
    this.#search(Buffer.concat([this.#rest, chunk.subarray(0, reach)]), this.#rest.length);
    const last = chunk.length - reach;
    this.#search(chunk, last);
    this.#rest = Buffer.from(chunk.subarray(last));
  }

  /** Ends the stream; what is fed then begins another. */
  end(): void {
    this.#search(this.#rest, this.#rest.length);
    this.#rest = Buffer.alloc(0);
  }

  #search(bytes: Buffer, before: number): void {
    const needle = this.#needle;
    for (let at = bytes.indexOf(needle); at >= 0 && at < before; at = bytes.indexOf(needle, at + 1)) {
      this.#hit(bytes, at);
    }
  }
}

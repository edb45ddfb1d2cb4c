const NEEDLE = Buffer.from("__STRATEGY__");
/** From the needle on: quotes, a colon, white space, and a name that is not longer than those in use. */
const REACH = 96;

/**
 * Counts envelopes of other formats than stepseal/v1 in a stream of bytes: newer versions of it, and those of
 * Inngest's own middleware. Finds them by their `__STRATEGY__`, in JSON of any nesting.
 */
export class OtherFormats {
  /** How many of each, by the name of the format. */
  readonly counts: Map<string, number> = new Map();
  #rest: Buffer = Buffer.alloc(0);

  /** Takes the next bytes, and keeps none of them but a copy of the last few. */
  feed(chunk: Buffer): void {
    // Of what is searched, only beginnings that have REACH bytes after them count: so each counts once.
    if (chunk.length < REACH) {
      const joined = Buffer.concat([this.#rest, chunk]);
      const last = Math.max(0, joined.length - REACH);
      this.#search(joined, last);
      this.#rest = joined.subarray(last);
      return;
    }
    this.#search(Buffer.concat([this.#rest, chunk.subarray(0, REACH)]), this.#rest.length);
    const last = chunk.length - REACH;
    this.#search(chunk, last);
    this.#rest = Buffer.from(chunk.subarray(last));
  }

  /** Ends the stream. */
  end(): void {
    this.#search(this.#rest, this.#rest.length);
    this.#rest = Buffer.alloc(0);
  }

  #search(bytes: Buffer, before: number): void {
    for (let at = bytes.indexOf(NEEDLE); at >= 0 && at < before; at = bytes.indexOf(NEEDLE, at + 1)) {
      const name = strategyIn(bytes.latin1Slice(at + NEEDLE.length, at + REACH));
      if (name !== undefined) this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    }
  }
}

/** The format named after `__STRATEGY__`, where it is one that is known and not stepseal/v1. */
function strategyIn(text: string): string | undefined {
  const value = /^[\\"]*\s*:\s*[\\"]+(stepseal|inngest)\\*\/([a-z0-9]{1,16})[\\"]/.exec(text);
  const name = value === null ? "" : `${value[1]}/${value[2]}`;
  return name === "" || name === "stepseal/v1" ? undefined : name;
}

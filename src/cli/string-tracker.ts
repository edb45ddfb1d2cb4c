const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;

const BLANK: ReadonlySet<number> = new Set([0x20, 0x09]);
/** The byte order mark that some editors begin a file with, and what ends an empty line on Windows. */
const INVISIBLE: ReadonlySet<number> = new Set([0x0d, 0xef, 0xbb, 0xbf]);
/** How a line of JSON begins: `{` `[` `}` `]`. */
const JSON_START: ReadonlySet<number> = new Set([0x7b, 0x5b, 0x7d, 0x5d]);
/** With white space before it, a line that begins with `"` or `,` is JSON too; without, it is one of a CSV file. */
const INDENTED_START: ReadonlySet<number> = new Set([...JSON_START, QUOTE, 0x2c]);

/**
 * Tells in how many strings a place in a stream of text is, strings in strings counted. No string of JSON goes over the
 * end of a line, so nothing is remembered beyond one.
 */
export class StringTracker {
  #line: "blank" | "indented" | "json" | "text" = "blank";
  /** A bit for each string that is open: how often its quotes are escaped, the outermost's not at all. */
  #open = 0;
  /** How many backslashes what was taken ends with. */
  #backslashes = 0;

  /**
   * How many strings the text is in after these bytes, which are not taken. Undefined for a string on a line that is
   * not JSON, where quotes may be escaped in any way, or be no quotes.
   */
  depthAfter(bytes: Buffer): number | undefined {
    const ahead = new StringTracker();
    ahead.#line = this.#line;
    ahead.#open = this.#open;
    ahead.#backslashes = this.#backslashes;
    ahead.feed(bytes);
    if (ahead.#open === 0) return 0;
    return ahead.#line === "json" ? 32 - Math.clz32(ahead.#open) : undefined;
  }

  /** Takes the next bytes of the text. */
  feed(bytes: Buffer): void {
    const start = bytes.lastIndexOf(NEWLINE) + 1;
    if (start > 0) {
      this.#line = "blank";
      this.#open = 0;
      this.#backslashes = 0;
    }
    this.#begin(bytes, start);
    let backslashes = this.#backslashes;
    // Byte by byte: where quotes are many, a search for each takes longer.
    for (let i = start; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte === BACKSLASH) backslashes++;
      else {
        if (byte === QUOTE) this.#take(backslashes);
        backslashes = 0;
      }
    }
    this.#backslashes = backslashes;
  }

  #begin(bytes: Buffer, start: number): void {
    for (let i = start; i < bytes.length && (this.#line === "blank" || this.#line === "indented"); i++) {
      const byte = bytes[i]!;
      if (BLANK.has(byte)) this.#line = "indented";
      else if (!INVISIBLE.has(byte)) {
        this.#line = (this.#line === "indented" ? INDENTED_START : JSON_START).has(byte) ? "json" : "text";
      }
    }
  }

  /** Takes a quote: it ends the string that its like began, and those in it, or begins one. */
  #take(backslashes: number): void {
    // Escaped once is one backslash, then 3, 7 …; what is left are backslashes of the text itself, two for each.
    let escapes = 0;
    for (let rest = backslashes; rest % 2 === 1; rest = (rest - 1) / 2) escapes++;
    const bit = 1 << Math.min(escapes, 30);
    const outer = this.#open & (bit - 1);
    this.#open = (this.#open & bit) === 0 ? outer | bit : outer;
  }
}

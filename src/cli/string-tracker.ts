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
  /** Of each string that is open, the outermost first, how often its quotes were escaped. */
  #open: number[] = [];
  /** How many backslashes what was taken ends with. */
  #backslashes = 0;

  /**
   * How many strings the text is in after these bytes, which are not taken. Undefined for a string on a line that is
   * not JSON, where quotes may be escaped in any way, or be no quotes.
   */
  depthAfter(bytes: Buffer): number | undefined {
    const ahead = new StringTracker();
    ahead.#line = this.#line;
    ahead.#open = [...this.#open];
    ahead.#backslashes = this.#backslashes;
    ahead.feed(bytes);
    const innermost = ahead.#open.at(-1);
    if (innermost === undefined) return 0;
    return ahead.#line === "json" ? innermost + 1 : undefined;
  }

  /** Takes the next bytes of the text. */
  feed(bytes: Buffer): void {
    const start = bytes.lastIndexOf(NEWLINE) + 1;
    if (start > 0) {
      this.#line = "blank";
      this.#open = [];
      this.#backslashes = 0;
    }
    this.#begin(bytes, start);
    for (let at = bytes.indexOf(QUOTE, start); at >= 0; at = bytes.indexOf(QUOTE, at + 1)) {
      this.#take(this.#backslashesBefore(bytes, start, at));
    }
    this.#backslashes = this.#backslashesBefore(bytes, start, bytes.length);
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
    const began = this.#open.indexOf(escapes);
    this.#open = began >= 0 ? this.#open.slice(0, began) : this.#open.filter((outer) => outer < escapes);
    if (began < 0) this.#open.push(escapes);
  }

  #backslashesBefore(bytes: Buffer, start: number, end: number): number {
    let at = end;
    while (at > start && bytes[at - 1] === BACKSLASH) at--;
    return end - at + (at === 0 ? this.#backslashes : 0);
  }
}

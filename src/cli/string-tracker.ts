const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;

/** White space, and the byte order mark that some editors begin a file with. */
const BLANK: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d, 0xef, 0xbb, 0xbf]);
/** How a line of JSON begins: `{` `[` `"`, and in pretty-printed JSON also `}` `]` `,`. */
const JSON_START: ReadonlySet<number> = new Set([0x7b, 0x5b, QUOTE, 0x7d, 0x5d, 0x2c]);

/**
 * Tells whether a place in a stream of text is inside a JSON string, for lines that begin as JSON does. No string of
 * JSON goes over the end of a line, so nothing is remembered beyond one.
 */
export class StringTracker {
  #line: "begins" | "json" | "text" = "begins";
  #isInString = false;
  #isEscaped = false;

  /** Whether the text is in a string after these bytes, which are not taken. */
  isInStringAfter(bytes: Buffer): boolean {
    const ahead = new StringTracker();
    ahead.#line = this.#line;
    ahead.#isInString = this.#isInString;
    ahead.#isEscaped = this.#isEscaped;
    ahead.feed(bytes);
    return ahead.#isInString;
  }

  /** Takes the next bytes of the text. */
  feed(bytes: Buffer): void {
    const newline = bytes.lastIndexOf(NEWLINE);
    if (newline >= 0) {
      this.#line = "begins";
      this.#isInString = false;
      this.#isEscaped = false;
    }
    for (let i = newline + 1; i < bytes.length && this.#line !== "text"; i++) {
      const byte = bytes[i]!;
      if (this.#line === "begins") {
        if (BLANK.has(byte)) continue;
        this.#line = JSON_START.has(byte) ? "json" : "text";
      }
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === QUOTE) this.#isInString = !this.#isInString;
      else if (byte === BACKSLASH) this.#isEscaped = this.#isInString;
    }
  }
}

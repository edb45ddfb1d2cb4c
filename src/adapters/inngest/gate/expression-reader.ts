/** One step of a chain: a name by dot or by index, a number, or undefined for what is computed. */
export type Selector = string | number | undefined;

/** A field that an expression reads: `event.data.order` is root `"event"`, path `["data", "order"]`. */
export interface FieldRead {
  readonly root: "event" | "async";
  readonly path: readonly Selector[];
}

type Token =
  | { readonly type: "name" | "text" | "sign"; readonly value: string }
  | { readonly type: "number"; readonly value: number };

/**
 * The fields of events that an expression (CEL) reads, but for those it only asks for with `has(…)`. Each character is
 * read once. What it finds is what is spelt: a field that a macro or a function reaches through a variable is not told.
 */
export function fieldReads(expression: string): FieldRead[] {
  const tokens = tokenize(expression);
  const reads: FieldRead[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const root = rootAt(tokens, at);
    if (root === undefined) continue;
    const chain = readChain(tokens, root.end, openParens(tokens, at));
    if (!isAskedFor(tokens, at)) reads.push({ root: root.name, path: chain.path });
    at = chain.end - 1;
  }
  return reads;
}

/** `event`, `async` or `events[0]`, where it is no member of something else. */
function rootAt(tokens: readonly Token[], at: number): { name: FieldRead["root"]; end: number } | undefined {
  const token = tokens[at];
  if (token?.type !== "name" || isSign(tokens[at - 1], ".")) return undefined;
  if (token.value === "event" || token.value === "async") return { name: token.value, end: at + 1 };
  if (token.value !== "events" || !isSign(tokens[at + 1], "[") || !isSign(tokens[at + 3], "]"))
    return undefined;
  return { name: "event", end: at + 4 };
}

/** How many parentheses around a chain are mere grouping, and may close before it goes on. */
function openParens(tokens: readonly Token[], at: number): number {
  let count = 0;
  while (isSign(tokens[at - 1 - count], "(")) count++;
  // The outermost one is a call's where a name stands before it.
  return tokens[at - 1 - count]?.type === "name" ? count - 1 : count;
}

function isAskedFor(tokens: readonly Token[], at: number): boolean {
  const before = tokens[at - 2];
  return isSign(tokens[at - 1], "(") && before?.type === "name" && before.value === "has";
}

function readChain(
  tokens: readonly Token[],
  start: number,
  parens: number,
): { readonly path: Selector[]; readonly end: number } {
  const path: Selector[] = [];
  let at = start;
  let open = parens;
  for (;;) {
    if (open > 0 && isSign(tokens[at], ")")) {
      open--;
      at++;
    } else if (isSign(tokens[at], ".") || (isSign(tokens[at], "?") && isSign(tokens[at + 1], "."))) {
      // `.name`, `.?name` and `?.name`
      at++;
      while (isSign(tokens[at], "?") || isSign(tokens[at], ".")) at++;
      const name = tokens[at];
      // A method ends the chain: what it is called on was read.
      if (name?.type !== "name" || isSign(tokens[at + 1], "(")) return { path, end: at };
      path.push(name.value);
      at++;
    } else if (isSign(tokens[at], "[")) {
      const first = isSign(tokens[at + 1], "?") ? at + 2 : at + 1;
      const key = tokens[first];
      const literal = (key?.type === "text" || key?.type === "number") && isSign(tokens[first + 1], "]");
      path.push(literal ? key.value : undefined);
      // Inside a computed index other fields may be read: it is not skipped.
      if (!literal) return { path, end: at + 1 };
      at = first + 2;
    } else return { path, end: at };
  }
}

function isSign(token: Token | undefined, sign: string): boolean {
  return token?.type === "sign" && token.value === sign;
}

const SPACE = /\s/;
const NAME_START = /[A-Za-z_]/;
const NAME_PART = /[A-Za-z0-9_]/;
const DIGIT = /[0-9]/;

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const char = source[at]!;
    if (SPACE.test(char)) at++;
    else if (source.startsWith("//", at)) at = lineEnd(source, at);
    else if (char === '"' || char === "'") {
      const text = readText(source, at, false);
      tokens.push({ type: "text", value: text.value });
      at = text.end;
    } else if (NAME_START.test(char)) {
      const end = endOf(NAME_PART, source, at);
      const name = source.slice(at, end);
      const quote = source[end];
      // r"raw", b"bytes", rb"both"
      if ((quote === '"' || quote === "'") && /^[rRbB]{1,2}$/.test(name)) {
        const text = readText(source, end, /r/i.test(name));
        tokens.push({ type: "text", value: text.value });
        at = text.end;
      } else {
        tokens.push({ type: "name", value: name });
        at = end;
      }
    } else if (DIGIT.test(char)) {
      const end = endOf(NAME_PART, source, at);
      tokens.push({ type: "number", value: Number.parseInt(source.slice(at, end), 10) });
      at = end;
    } else {
      tokens.push({ type: "sign", value: char });
      at++;
    }
  }
  return tokens;
}

function endOf(part: RegExp, source: string, start: number): number {
  let end = start;
  while (end < source.length && part.test(source[end]!)) end++;
  return end;
}

function lineEnd(source: string, start: number): number {
  const end = source.indexOf("\n", start);
  return end < 0 ? source.length : end;
}

/** A text in one or three quotes. One that does not end goes to the end of the expression. */
function readText(
  source: string,
  start: number,
  raw: boolean,
): { readonly value: string; readonly end: number } {
  const quote = source[start]!;
  const mark = source.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  let value = "";
  let at = start + mark.length;
  while (at < source.length && !source.startsWith(mark, at)) {
    if (source[at] === "\\" && !raw) {
      const escaped = readEscape(source, at);
      value += escaped.value;
      at = escaped.end;
    } else {
      value += source[at];
      at++;
    }
  }
  return { value, end: Math.min(at + mark.length, source.length) };
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  f: "\f",
  v: "\v",
  a: "\x07",
};
/** How many hex digits follow. */
const HEX_ESCAPES: Readonly<Record<string, number>> = { x: 2, X: 2, u: 4, U: 8 };

function readEscape(source: string, start: number): { readonly value: string; readonly end: number } {
  const char = source[start + 1] ?? "";
  const digits = HEX_ESCAPES[char];
  const octal = /^[0-3][0-7]{2}$/.test(source.slice(start + 1, start + 4));
  if (digits === undefined && !octal) return { value: ESCAPES[char] ?? char, end: start + 2 };
  const [from, end, base] =
    digits === undefined ? [start + 1, start + 4, 8] : [start + 2, start + 2 + digits, 16];
  const code = Number.parseInt(source.slice(from, end), base);
  return { value: code <= 0x10ffff ? String.fromCodePoint(code) : "", end };
}

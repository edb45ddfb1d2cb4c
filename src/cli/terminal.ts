import { createColors } from "picocolors";

/** Colours for a stream: on a terminal only, and not when `NO_COLOR` is set (https://no-color.org). */
function colorsFor(stream: NodeJS.WriteStream): ReturnType<typeof createColors> {
  const { NO_COLOR, TERM } = process.env;
  const isWanted = NO_COLOR === undefined || NO_COLOR === "";
  return createColors(stream.isTTY === true && isWanted && TERM !== "dumb");
}

/** Colours of standard output and of standard error. */
export const out: ReturnType<typeof createColors> = colorsFor(process.stdout);
const err: ReturnType<typeof createColors> = colorsFor(process.stderr);

/** Writes a line of explanation to standard error. */
export function note(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

/** Writes a problem to standard error. */
export function problem(line: string): void {
  process.stderr.write(`${err.red("stepseal:")} ${printable(line)}\n`);
}

/** Writes a warning to standard error. */
export function warn(line: string): void {
  process.stderr.write(`${err.yellow("stepseal: warning:")} ${printable(line)}\n`);
}

/**
 * A text with its control characters escaped: file names and claims come from elsewhere, and a terminal obeys what
 * it is sent.
 */
export function printable(text: string): string {
  let safe = "";
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0) || isDirectional(code);
    safe += isControl ? `\\u${code.toString(16).padStart(4, "0")}` : char;
  }
  return safe;
}

/** Marks that reorder what is shown after them. */
function isDirectional(code: number): boolean {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/** `1 envelope`, `2 envelopes`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Bytes in the unit a reader expects: `17 B`, `1.2 MB`. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Writes a line of a result to standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

// Of an envelope in a text: `{"__ENCRYPTED__":true,"__STRATEGY__":"stepseal/v1","data":"ss1.…"}` with its members in
// any order and white space between them. Inside a JSON string its quotes are spelt `\"`, in a string of that string
// `\\\"`, and in a field of a CSV file `""`. Regular expressions read what stands around a body, never the body.

/** Bytes around a body that are looked at: enough for a pretty-printed object, deeply indented. */
export const REACH = 1024;

/** What takes the place of an envelope: how many bytes around its text go with it, and how it is written. */
export interface Place {
  readonly before: number;
  readonly after: number;
  /** Writes a JSON text so that it reads the same there. @throws {Unwritable} */
  readonly write: (json: string) => string;
}

/** That nothing can be written in place of an envelope, and why. */
export class Unwritable extends Error {
  override readonly name = "Unwritable";
}

/** Strings in strings in strings: with each, escaping can double what is written. */
const MAX_DEPTH = 4;

const inString = (json: string): string => JSON.stringify(json).slice(1, -1);
const doubled = (json: string): string => json.replaceAll('"', '""');

/** The white space of JSON, in a string too, where a line break is an escape. */
const SPACE = String.raw`(?:[ \t\r\n]|\\+[nrt])*`;
const BEGINS_AS_QUOTE = /^\\*(?:"|$)/;
/** A closing quote, and then what neither ends an object, nor follows a member or its name. */
const GOES_ON = new RegExp(String.raw`^\\*"${SPACE}[^\s\\,:"]`);

/**
 * Finds what of the text around an envelope belongs to it.
 *
 * @param before up to `REACH` characters before `ss1.`
 * @param after up to `REACH` characters after the body
 * @param depth how many strings it stands in; undefined for an unknown number
 */
export function placeOf(before: string, after: string, depth: number | undefined): Place {
  const quote = quoteAround(before, after);
  if (quote === undefined) return { before: 0, after: 0, write: inStrings(depth) };
  // Quotes of a string in a string in a string: 0, 1, 3, 7 … backslashes.
  const write = quote === '""' ? doubled : inStrings(Math.log2(quote.length));
  const object = objectAround(before, after, quote);
  if (object !== undefined) return { ...object, write };
  // The name of a member stays a string.
  if (memberName(quote).test(after)) {
    return {
      before: 0,
      after: 0,
      write: (json) => write(JSON.stringify(json)).slice(quote.length, -quote.length),
    };
  }
  return { before: quote.length, after: quote.length, write };
}

/**
 * Whether more of a text must be seen to tell what belongs to an envelope.
 *
 * @param after what is there after the body
 */
export function isUndecided(after: string): boolean {
  if (after.length >= REACH || !BEGINS_AS_QUOTE.test(after)) return false;
  return !/[}\]]/.test(after) && !GOES_ON.test(after);
}

/** The quotes around a body, `"` with the backslashes before it, or `""`; undefined for none, or two kinds. */
function quoteAround(before: string, after: string): string | undefined {
  const opening = /\\*"$/.exec(before)?.[0];
  const closing = /^\\*"/.exec(after)?.[0];
  if (opening === undefined || opening !== closing) return undefined;
  return opening === '"' && before.endsWith('""') && after.startsWith('""') ? '""' : opening;
}

/** Writes JSON within strings in strings; what cannot be told to be read back is not written. */
function inStrings(depth: number | undefined): (json: string) => string {
  return (json) => {
    if (depth === undefined || !Number.isInteger(depth)) {
      throw new Unwritable("the envelope stands in a string, and how quotes are spelt there cannot be told.");
    }
    if (depth > MAX_DEPTH) throw new Unwritable(`the envelope stands in ${depth} strings in strings.`);
    let text = json;
    for (let level = 0; level < depth; level++) text = inString(text);
    return text;
  };
}

interface Shape {
  readonly head: RegExp;
  readonly tail: RegExp;
}

const shapes = new Map<string, Shape>();

function shapeFor(quote: string): Shape {
  const known = shapes.get(quote);
  if (known !== undefined) return known;
  const q = quote.replaceAll("\\", "\\\\");
  const encrypted = `${q}__ENCRYPTED__${q}${SPACE}:${SPACE}true`;
  const strategy = String.raw`${q}__STRATEGY__${q}${SPACE}:${SPACE}${q}stepseal\\*/v1${q}`;
  const member = `(?:(${encrypted})|(${strategy}))`;
  const shape = {
    head: new RegExp(
      String.raw`\{${SPACE}(?:${member}${SPACE},${SPACE}){0,2}${q}data${q}${SPACE}:${SPACE}${q}$`,
    ),
    tail: new RegExp(String.raw`^${q}(?:${SPACE},${SPACE}${member}){0,2}${SPACE}\}`),
  };
  shapes.set(quote, shape);
  return shape;
}

function memberName(quote: string): RegExp {
  return new RegExp(`^${quote.replaceAll("\\", "\\\\")}${SPACE}:`);
}

/** How much around a body is the object it stands in; undefined where that has other members. */
function objectAround(
  before: string,
  after: string,
  quote: string,
): { before: number; after: number } | undefined {
  const { head, tail } = shapeFor(quote);
  // From the last brace on: none of the members holds one.
  const brace = before.lastIndexOf("{");
  const opening = brace < 0 ? null : head.exec(before.slice(brace));
  const closing = tail.exec(after);
  if (opening === null || closing === null || opening.index !== 0) return undefined;
  const members = opening[0] + closing[0];
  const once = (name: string): boolean => members.split(name).length === 2;
  if (!once("__ENCRYPTED__") || !once("__STRATEGY__")) return undefined;
  return { before: opening[0].length, after: closing[0].length };
}

// Of an envelope in a text: `{"__ENCRYPTED__":true,"__STRATEGY__":"stepseal/v1","data":"ss1.…"}` with its members in
// any order and white space between them. Inside a JSON string its quotes are spelt `\"`, in a string of that string
// `\\\"`, and in a field of a CSV file `""`. Regular expressions read what stands around a body, never the body.

/** How quotes are spelt where an envelope stands, and so how what takes its place must be written. */
export interface Spelling {
  /** `"` with the backslashes before it, or `""`. */
  readonly quote: string;
  /** Writes a JSON text so that it reads the same there. */
  readonly write: (json: string) => string;
}

/** Bytes around a body that are looked at: enough for a pretty-printed object, deeply indented. */
export const REACH = 1024;

/** What takes the place of an envelope: how many bytes around its text go with it, and how it is written. */
export interface Place {
  readonly before: number;
  readonly after: number;
  readonly write: (json: string) => string;
}

/** Strings in strings in strings: with each, escaping can double what is written. */
const MAX_DEPTH = 4;

const asIs = (json: string): string => json;
const inString = (json: string): string => JSON.stringify(json).slice(1, -1);

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
 * @param isInString whether the envelope stands in a JSON string, as far as the line tells
 */
export function placeOf(before: string, after: string, isInString: boolean): Place {
  const spelling = spellingOf(before, after);
  if (spelling === undefined) return { before: 0, after: 0, write: isInString ? inString : asIs };
  const { quote, write } = spelling;
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

/** How the quotes around a body are spelt; undefined where there are none, or two kinds. */
function spellingOf(before: string, after: string): Spelling | undefined {
  const opening = /\\*"$/.exec(before)?.[0];
  const closing = /^\\*"/.exec(after)?.[0];
  if (opening === undefined || opening !== closing) return undefined;
  if (opening === '"' && before.endsWith('""') && after.startsWith('""')) {
    return { quote: '""', write: (json) => json.replaceAll('"', '""') };
  }
  // A string in a string in a string: 0, 1, 3, 7 … backslashes.
  const depth = Math.log2(opening.length);
  if (!Number.isInteger(depth) || depth > MAX_DEPTH) return undefined;
  return {
    quote: opening,
    write: (json) => {
      let text = json;
      for (let level = 0; level < depth; level++) text = inString(text);
      return text;
    },
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

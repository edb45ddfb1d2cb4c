import canonicalize from "canonicalize";
import { encodeUtf8, readUtf8 } from "../internal/utf8.ts";
import { SignatureError } from "./signature-error.ts";

/**
 * The bytes that the signature of an Inngest request covers: the body's JSON in canonical form (RFC 8785), or
 * nothing for an empty body.
 *
 * The form is the one that `canonicalize` writes, because that is what the SDK signs. Spelling (white space, order of
 * members, `1.0` for `1`, digits past the precision of a double) is thus not covered. So that parsers behind the
 * check see the value that was signed, what they disagree on is refused: a name twice in one object, a number past the
 * range of a double, a byte order mark. So is a text as the whole body: the SDK signs it without its quotes, so it
 * would pass for the JSON it spells.
 *
 * @throws {SignatureError} MALFORMED
 */
export function coveredByRequest(body: Uint8Array): Uint8Array {
  if (body.length === 0) return body;
  const text = readUtf8(body);
  if (text === undefined) throw malformed("is not UTF-8");
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "string") throw malformed("is a JSON text, and not an object");
    if (countMembers(text) !== countOwn(value)) throw malformed("names a member of an object twice");
    // Undefined only for what JSON.parse never gives.
    return encodeUtf8(canonicalize(value)!);
  } catch (error) {
    if (error instanceof SignatureError) throw error;
    // A parser's message quotes the body; a RangeError is a nesting deeper than the stack.
    throw malformed(error instanceof RangeError ? "is nested too deeply" : "is not JSON");
  }
}

/** How many members the objects of a JSON text have together, a name given twice counted twice. */
function countMembers(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === COLON) count++;
    else if (char === QUOTE) at = endOfString(text, at);
  }
  return count;
}

const COLON = 0x3a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where the string that opens at `start` has its closing quote. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
}

/** How many members the objects of a parsed value have. @throws {SignatureError} MALFORMED for an infinite number */
function countOwn(value: unknown): number {
  let count = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === "number" && !Number.isFinite(next)) {
      throw malformed("holds a number past the range of a double");
    }
    if (typeof next !== "object" || next === null) continue;
    const members = Object.values(next);
    if (!Array.isArray(next)) count += members.length;
    for (const member of members) open.push(member);
  }
  return count;
}

function malformed(problem: string): SignatureError {
  return new SignatureError("MALFORMED", `The body ${problem}.`);
}

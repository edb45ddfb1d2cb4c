import canonicalize from "canonicalize";
import { encodeUtf8, readUtf8 } from "../internal/utf8.ts";
import { SignatureError } from "./signature-error.ts";

/** Less than half of what canonicalisation has the stack for, by Node's default. */
const MAX_DEPTH = 1000;

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
  const members = countMembers(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the body.
    throw malformed("is not JSON");
  }
  if (typeof value === "string") throw malformed("is a JSON text, and not an object");
  if (members !== countOwn(value)) throw malformed("names a member of an object twice");
  // Undefined only for what JSON.parse never gives.
  return encodeUtf8(canonicalize(value)!);
}

/**
 * How many members the objects of a JSON text have together, a name given twice counted twice.
 *
 * @throws {SignatureError} MALFORMED for too deep a nesting, before a parser spends time and stack on it
 */
function countMembers(text: string): number {
  let count = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = endOfString(text, at);
    else if (char === ":") count++;
    else if (char === "[" || char === "{") depth++;
    else if (char === "]" || char === "}") depth--;
    if (depth > MAX_DEPTH) throw malformed(`is nested deeper than ${MAX_DEPTH} levels`);
  }
  return count;
}

/** Where the string that opens at `start` has its closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end > 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
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

import canonicalize from "canonicalize";
import { faultOf } from "../internal/json-text.ts";
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
  const found = faultOf(text, MAX_DEPTH);
  if (found?.fault === "depth") throw malformed(`is nested deeper than ${MAX_DEPTH} levels`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the body.
    throw malformed("is not JSON");
  }
  if (typeof value === "string") throw malformed("is a JSON text, and not an object");
  if (found !== undefined) throw malformed("names a member of an object twice");
  if (hasInfinity(value)) throw malformed("holds a number past the range of a double");
  // Undefined only for what JSON.parse never gives.
  return encodeUtf8(canonicalize(value)!);
}

/** Whether a parsed value holds a number that its text has and a double has not. */
function hasInfinity(value: unknown): boolean {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY) return true;
    if (typeof next === "object" && next !== null)
      for (const member of Object.values(next)) open.push(member);
  }
  return false;
}

function malformed(problem: string): SignatureError {
  return new SignatureError("MALFORMED", `The body ${problem}.`);
}

import { StepsealError } from "../errors.ts";
import { faultOf } from "../internal/json-text.ts";

/**
 * Parses the text of a keyring file. A member that its object has already is refused: `JSON.parse` takes the last one
 * and says nothing, and the last may be the state that somebody meant to replace.
 *
 * @param where names the file in errors
 * @throws {StepsealError} CONFIG, with the line and never with the text
 */
export function parseRingJson(text: string, where: string): unknown {
  // Some editors begin a file with a byte order mark, which JSON does not know.
  const json = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const value = parsed(json, where);
  const found = faultOf(json);
  if (found?.fault === "duplicate") {
    throw new StepsealError(
      "CONFIG",
      `${where}: line ${lineAt(found.at, json)} names a member that its object has already. Remove one of the two.`,
    );
  }
  return value;
}

function parsed(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    // The parser's own message quotes the file, so only the position is taken from it, where it has one.
    throw new StepsealError(
      "CONFIG",
      `${where}: is not JSON (found ${json.length} characters${lineOf(error, json)}). Expected { "keys": [{ "key": "…", "state": "primary" }] }: look for a trailing comma, a comment, or a missing quote or bracket.`,
    );
  }
}

/** V8 ends most of its messages with "at position 12", newer versions with a line and column after that. */
function lineOf(error: unknown, text: string): string {
  const mark = " at position ";
  const message = error instanceof Error ? error.message : "";
  const at = message.lastIndexOf(mark);
  const position = at < 0 ? Number.NaN : Number.parseInt(message.slice(at + mark.length), 10);
  if (Number.isNaN(position)) return "";
  return `, wrong from line ${lineAt(position, text)} on`;
}

function lineAt(position: number, text: string): number {
  return text.slice(0, position).split("\n").length;
}

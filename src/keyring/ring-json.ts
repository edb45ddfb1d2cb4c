import { StepsealError } from "../errors.ts";

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
  const line = duplicateLine(json);
  if (line !== undefined) {
    throw new StepsealError(
      "CONFIG",
      `${where}: line ${line} names a member that its object has already. Remove one of the two.`,
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
  return `, wrong from line ${text.slice(0, position).split("\n").length} on`;
}

/** The number of the line on which an object of a JSON text names a member twice, or undefined. */
function duplicateLine(json: string): number | undefined {
  const objects: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    const char = json[at]!;
    // Arrays are pushed too, so that brackets pair; nothing in them is a name.
    if (char === "{" || char === "[") objects.push(new Set());
    else if (char === "}" || char === "]") objects.pop();
    else if (char === '"') {
      const end = endOfString(json, at);
      const names = objects.at(-1);
      if (names !== undefined && isName(json, end)) {
        const name: string = JSON.parse(json.slice(at, end));
        if (names.has(name)) return json.slice(0, at).split("\n").length;
        names.add(name);
      }
      at = end - 1;
    }
  }
  return undefined;
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at + 1;
}

function isName(json: string, end: number): boolean {
  let at = end;
  while (at < json.length && json[at]!.trim() === "") at++;
  return json[at] === ":";
}

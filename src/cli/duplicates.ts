/**
 * The number of the line on which an object of a JSON text names a member twice, or undefined: parsers take the last
 * one, silently. The text must be JSON.
 */
export function duplicateLine(json: string): number | undefined {
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

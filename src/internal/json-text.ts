/** What a parser would accept, and should not get. */
export type JsonFault =
  /** An object names at `at` a member that it has already. */
  | { readonly fault: "duplicate"; readonly at: number }
  /** Arrays and objects stand in each other deeper than is allowed. */
  | { readonly fault: "depth" };

/**
 * Looks in a text, which need not be JSON, for what `JSON.parse` says nothing of: it takes the last member of a name, and
 * another parser the first; and a deep nesting takes it time and stack. The first fault, or undefined.
 */
export function faultOf(json: string, maxDepth: number = Number.POSITIVE_INFINITY): JsonFault | undefined {
  // A level is undefined until a name stands in it: most of them are arrays or small.
  const levels: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === "[" || char === "{") {
      if (levels.push(undefined) > maxDepth) return { fault: "depth" };
    } else if (char === "]" || char === "}") levels.pop();
    else if (char === '"') {
      const end = endOfString(json, at);
      if (levels.length > 0 && isName(json, end)) {
        const names = levels.at(-1) ?? new Set();
        levels[levels.length - 1] = names;
        const name = readName(json.slice(at, end));
        if (names.has(name)) return { fault: "duplicate", at };
        names.add(name);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** Where the string that opens at `start` is over: after its closing quote, or at the end of the text. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end > 0; end = json.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  return json.length;
}

function isName(json: string, end: number): boolean {
  let at = end;
  while (at < json.length && json[at]!.trim() === "") at++;
  return json[at] === ":";
}

/** One name can be spelt in many ways. */
function readName(quoted: string): string {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted);
  } catch {
    return quoted;
  }
}

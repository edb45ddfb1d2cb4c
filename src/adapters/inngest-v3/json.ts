/**
 * A value as the JSON that the SDK would answer: BigInts are left out, and what refers back to something around it is
 * named by its path, `"[Circular ~.a.b]"`. The SDK stringifies past the gate, so the gate has to know its rules: those
 * of its `helpers/strings` over json-stringify-safe, in all of 3.x.
 *
 * @returns undefined for what has no JSON text, a function for one
 */
export function sdkJson(value: unknown): string | undefined {
  /** What is around the member that is being written, and their keys. */
  const around: unknown[] = [];
  const keys: string[] = [];
  return JSON.stringify(value, function (this: object, key: string, member: unknown): unknown {
    const depth = around.indexOf(this);
    // The root's own holder is not part of any path.
    if (depth !== -1) {
      around.length = depth + 1;
      keys.length = depth;
      keys.push(key);
    } else if (around.length > 0) {
      around.push(this);
      keys.push(key);
    }
    if (around.length === 0) {
      around.push(member);
      return typeof member === "bigint" ? undefined : member;
    }
    const back = around.indexOf(member);
    if (back !== -1) return `[Circular ${["~", ...keys.slice(0, back)].join(".")}]`;
    return typeof member === "bigint" ? undefined : member;
  });
}

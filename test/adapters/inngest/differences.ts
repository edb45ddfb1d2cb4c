import { isDeepStrictEqual } from "node:util";

const SHOWN = 160;

/** Where two descriptions differ, a line each: the path, the left side, the right side. */
export function differences(left: unknown, right: unknown, path = ""): string[] {
  if (isDeepStrictEqual(left, right)) return [];
  if (Array.isArray(left) && Array.isArray(right) && left.length === right.length) {
    return left.flatMap((item, i) => differences(item, right[i], `${path}[${label(item, i)}]`));
  }
  if (isRecord(left) && isRecord(right) && isDeepStrictEqual(Object.keys(left), Object.keys(right))) {
    return Object.keys(left).flatMap((key) => differences(left[key], right[key], `${path}.${key}`));
  }
  return [`${path}: ${show(left)} ≠ ${show(right)}`];
}

/** A sight is named by what was seen, the member of an object by its key. */
function label(item: unknown, index: number): string {
  if (isRecord(item) && typeof item.what === "string") return `${index} ${item.what}`;
  if (Array.isArray(item) && item.length === 2 && typeof item[0] === "string") return item[0];
  return String(index);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length})` : text;
}

/** A plain object, as JSON.parse makes them. */
export type JsonObject = Record<string, unknown>;

/** Whether a value is a JSON object: not null, not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * RFC 8785 text of a value that JSON can hold: keys sorted by UTF-16 code units, numbers and strings as
 * JSON.stringify writes them, which is what the RFC asks for. Undefined members are left out.
 *
 * It writes text instead of building a sorted object, because an object puts keys like "10" first.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  if (isObject(value) && typeof value.toJSON !== "function") {
    const members: string[] = [];
    for (const key of Object.keys(value).sort()) {
      if (value[key] !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(value[key])}`);
    }
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/** A copy as it comes back from the platform: through JSON, key order lost. */
export function storedCopy<T>(value: T): T {
  return JSON.parse(canonicalJson(value)) as T;
}

/** A member of a JSON object as a string, or undefined when it is absent or something else. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

import { StepsealError } from "../errors.ts";
import { CLASSES, type ClassName, MAX_DEPTH } from "./error-classes.ts";

/**
 * Makes the value to throw again from its plain form. Errors are instances of their built-in class with the name
 * they had; properties are defined and never assigned, so none can run a setter or change a prototype.
 *
 * @param plain what `failureOf` made, after JSON
 * @throws {StepsealError} CORRUPT for anything else
 */
export function thrownFrom(plain: unknown): unknown {
  return fromPlain(plain, 0);
}

function fromPlain(plain: unknown, depth: number): unknown {
  // Lists count too, and stand between errors.
  if (!isRecord(plain) || depth > 2 * MAX_DEPTH) throw malformed();
  const { value } = plain;
  switch (plain.type) {
    case "undefined":
      return undefined;
    case "json":
      if (!Object.hasOwn(plain, "value")) throw malformed();
      return value;
    case "number":
      if (value !== "NaN" && value !== "Infinity" && value !== "-Infinity" && value !== "-0")
        throw malformed();
      return Number(value);
    case "bigint":
      if (typeof value !== "string" || !/^-?[0-9]+$/.test(value)) throw malformed();
      return BigInt(value);
    case "list":
      return list(plain.items, depth);
    case "error":
      return errorFromPlain(plain, depth);
    default:
      throw malformed();
  }
}

function errorFromPlain(plain: Record<string, unknown>, depth: number): Error {
  const { class: className, name, message, stack, cause, errors } = plain;
  const { visible = [], own = [] } = plain;
  if (typeof className !== "string" || !Object.hasOwn(CLASSES, className)) throw malformed();
  if (typeof name !== "string" || !isTextOrAbsent(message) || !isTextOrAbsent(stack)) throw malformed();
  if (!Array.isArray(visible) || !Array.isArray(own)) throw malformed();
  const Class = CLASSES[className as ClassName];
  const error =
    className === "AggregateError"
      ? new AggregateError([], message)
      : new (Class as ErrorConstructor)(message);
  const set = (key: string, value: unknown, enumerable: boolean): void => {
    Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
  };
  const field = (key: string, value: unknown): void => set(key, value, visible.includes(key));
  if (name !== error.name || visible.includes("name")) field("name", name);
  if (message !== undefined && visible.includes("message")) field("message", message);
  // Without one of its own it would show this line's.
  field("stack", stack ?? `${name}: ${message ?? ""}`);
  if (cause !== undefined) field("cause", fromPlain(cause, depth + 1));
  if (className === "AggregateError") field("errors", errors === undefined ? [] : list(errors, depth));
  for (const entry of own as unknown[]) {
    if (!Array.isArray(entry) || typeof entry[0] !== "string") throw malformed();
    set(entry[0], fromPlain(entry[1], depth + 1), true);
  }
  return error;
}

function list(items: unknown, depth: number): unknown[] {
  if (!Array.isArray(items)) throw malformed();
  return items.map((item) => fromPlain(item, depth + 1));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function malformed(): StepsealError {
  return new StepsealError("CORRUPT", "The opened value is authentic and is not a sealed error.");
}

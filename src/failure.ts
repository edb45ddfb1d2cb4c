import { CLASSES, type ClassName, MAX_DEPTH, MAX_ERRORS } from "./internal/error-classes.ts";

export { thrownFrom } from "./internal/thrown.ts";

/** A JSON value. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * What was thrown, as plain data that JSON can carry: `type` says which of the forms it is. Described in
 * docs/envelope-v1.md.
 */
export type Failure =
  | { readonly type: "json"; readonly value: Json }
  | { readonly type: "undefined" }
  | { readonly type: "number"; readonly value: "NaN" | "Infinity" | "-Infinity" | "-0" }
  | { readonly type: "bigint"; readonly value: string }
  | { readonly type: "list"; readonly items: readonly Failure[] }
  | PlainError;

/** An error. A property that was not there, or whose getter threw, is left out. */
export interface PlainError {
  readonly type: "error";
  /** The built-in class it is an instance of, the nearest one. */
  readonly class: string;
  readonly name: string;
  readonly message?: string;
  readonly stack?: string;
  readonly cause?: Failure;
  /** Of an AggregateError. */
  readonly errors?: readonly Failure[];
  /** Which of the properties above are enumerable, as those of errors usually are not. */
  readonly visible?: readonly string[];
  /** Other own enumerable properties, `code` and the like. */
  readonly own?: readonly (readonly [key: string, value: Failure])[];
}

/** The properties that have a field of their own. */
const FIELDS: readonly string[] = ["name", "message", "stack", "cause", "errors"];

type Walk = { readonly path: Set<object>; errors: number };

/**
 * Writes anything that was thrown as plain data. Never throws, and runs no code of the value but its getters and
 * `toJSON`, whose own exceptions are swallowed.
 *
 * Errors keep their built-in class, name, message, stack, causes and own enumerable properties; cycles are cut, and
 * chains end after 16. Other objects are written as JSON would write them.
 *
 * @param thrown any value
 */
export function failureOf(thrown: unknown): Failure {
  return toPlain(thrown, { path: new Set(), errors: 0 }) ?? { type: "undefined" };
}

/** Undefined for what cannot be written, or is not worth it: functions, symbols, cycles, what is too deep. */
function toPlain(value: unknown, walk: Walk): Failure | undefined {
  if (value === undefined) return { type: "undefined" };
  if (typeof value === "bigint") return { type: "bigint", value: value.toString() };
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) {
    return { type: "number", value: Object.is(value, -0) ? "-0" : (String(value) as "NaN") };
  }
  if (isError(value)) return errorToPlain(value, walk);
  if (holdsErrors(value)) return listToPlain(value, walk);
  const json = toJson(value);
  return json === undefined ? undefined : { type: "json", value: json };
}

function errorToPlain(error: object, walk: Walk): PlainError | undefined {
  if (walk.path.has(error) || walk.path.size >= MAX_DEPTH || walk.errors >= MAX_ERRORS) return undefined;
  walk.errors++;
  walk.path.add(error);
  const name = read(error, "name");
  const message = read(error, "message");
  const stack = read(error, "stack");
  const cause = read(error, "cause");
  const errors = read(error, "errors");
  const plainCause = cause === undefined ? undefined : toPlain(cause, walk);
  const nearest = nearestClass(error);
  const keys = ownKeys(error);
  const visible = keys.filter((key) => FIELDS.includes(key));
  const own: [string, Failure][] = [];
  for (const key of keys) {
    if (FIELDS.includes(key) && !(key === "errors" && nearest !== "AggregateError")) continue;
    const plain = toPlain(read(error, key), walk);
    if (plain !== undefined) own.push([key, plain]);
  }
  const plain: PlainError = {
    type: "error",
    class: nearest,
    name: typeof name === "string" ? name : nearest,
    ...(typeof message === "string" && (message !== "" || owns(error, "message")) ? { message } : {}),
    ...(typeof stack === "string" ? { stack } : {}),
    ...(plainCause === undefined ? {} : { cause: plainCause }),
    ...(nearest === "AggregateError" && Array.isArray(errors)
      ? { errors: listToPlain(errors, walk).items }
      : {}),
    ...(visible.length === 0 ? {} : { visible }),
    ...(own.length === 0 ? {} : { own }),
  };
  walk.path.delete(error);
  return plain;
}

function listToPlain(values: readonly unknown[], walk: Walk): { type: "list"; items: Failure[] } {
  const items: Failure[] = [];
  for (const value of values) items.push(toPlain(value, walk) ?? { type: "undefined" });
  return { type: "list", items };
}

/** A copy that JSON can carry, or undefined where there is none. */
function toJson(value: unknown): Json | undefined {
  try {
    const text = JSON.stringify(value) as string | undefined;
    return text === undefined ? undefined : (JSON.parse(text) as Json);
  } catch {
    return undefined;
  }
}

/** Errors of any realm, and DOMException. */
function isError(value: unknown): value is object {
  try {
    return (
      typeof value === "object" &&
      value !== null &&
      (value instanceof Error || Object.prototype.toString.call(value) === "[object Error]")
    );
  } catch {
    return false;
  }
}

function holdsErrors(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value) && value.some(isError);
  } catch {
    return false;
  }
}

function nearestClass(error: object): ClassName {
  const names = Object.keys(CLASSES) as ClassName[];
  const found = names.find((name) => error instanceof CLASSES[name]);
  if (found !== undefined) return found;
  // An error of another realm: its classes have the same names.
  for (let at = prototypeOf(error); at !== null; at = prototypeOf(at)) {
    const maker = read(at, "constructor");
    const name = typeof maker === "function" ? maker.name : "";
    if (Object.hasOwn(CLASSES, name)) return name as ClassName;
  }
  return "Error";
}

function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null;
}

function read(from: object, key: string): unknown {
  try {
    return (from as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function owns(value: object, key: string): boolean {
  try {
    return Object.hasOwn(value, key);
  } catch {
    return false;
  }
}

function ownKeys(value: object): string[] {
  try {
    return Object.keys(value);
  } catch {
    return [];
  }
}

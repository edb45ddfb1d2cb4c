import { StepsealError } from "./errors.ts";

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

/** Causes and nested errors are followed this deep, and this many in all. */
const MAX_DEPTH = 16;
const MAX_ERRORS = 256;

// Nearest class first: every other one derives from Error.
const CLASSES = {
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  Error,
} as const;
type ClassName = keyof typeof CLASSES;

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

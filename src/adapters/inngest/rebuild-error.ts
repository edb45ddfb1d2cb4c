import { NonRetriableError } from "inngest";
import { isObject, own } from "./event.ts";

/** Classes that the SDK restores by name; any other class comes back as an `Error` with its name. */
const FACTORIES: ReadonlyMap<unknown, () => Error> = new Map<unknown, () => Error>([
  ["EvalError", () => new EvalError()],
  ["RangeError", () => new RangeError()],
  ["ReferenceError", () => new ReferenceError()],
  ["SyntaxError", () => new SyntaxError()],
  ["TypeError", () => new TypeError()],
  ["URIError", () => new URIError()],
  ["NonRetriableError", () => new NonRetriableError("")],
]);

/** What the SDK keeps of an error, and whether it is enumerable there. */
const PROPERTIES: readonly (readonly [key: string, enumerable: boolean])[] = [
  ["name", false],
  ["message", false],
  ["stack", false],
  ["code", true],
  ["cause", false],
];

/**
 * The error that the SDK would have made of a serialised one for `onFailure`, had it not been sealed: the SDK
 * makes it before any hook runs, so it has to be made again.
 */
export function rebuildError(serialised: unknown): unknown {
  return restore(readError(serialised));
}

/** Causes that are not errors stay as they are. */
function restore(read: unknown): unknown {
  if (!isObject(read) || !Object.hasOwn(read, "name") || !Object.hasOwn(read, "message")) return read;
  const error = (FACTORIES.get(read.name) ?? (() => new Error()))();
  for (const [key, enumerable] of PROPERTIES) {
    // Without a stack of its own it must not show the one of this place.
    if (key !== "stack" && !Object.hasOwn(read, key)) continue;
    const value = key === "cause" ? restore(read.cause) : read[key];
    Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
  }
  return error;
}

/** A serialised error as the SDK reads it: trimmed, with defaults, and unknown as a whole where one text is none. */
function readError(serialised: unknown): Record<string, unknown> {
  const texts = ["name", "error", "message", "stack"].map((key) => own(serialised, key));
  if (!isObject(serialised) || !texts.every((text) => text === undefined || typeof text === "string")) {
    return { name: "Error", message: "Unknown error" };
  }
  const [name, error, message, stack] = texts.map(trimmed);
  return {
    ...serialised,
    name: name || "Error",
    message: message || error || "Unknown error",
    stack,
    ...(Object.hasOwn(serialised, "cause") && { cause: readCause(serialised.cause) }),
  };
}

/** Of a cause that is an error the SDK reads these members only. */
function readCause(cause: unknown): unknown {
  const [name, message, stack] = ["name", "message", "stack"].map((key) => own(cause, key));
  if (typeof name !== "string" || typeof message !== "string") return cause;
  if (stack !== undefined && typeof stack !== "string") return cause;
  return {
    name: name.trim(),
    message: message.trim(),
    ...(stack !== undefined && { stack: stack.trim() }),
    ...(isObject(cause) && Object.hasOwn(cause, "cause") && { cause: readCause(cause.cause) }),
  };
}

function trimmed(text: unknown): unknown {
  return typeof text === "string" ? text.trim() : text;
}

import { NonRetriableError } from "inngest";
import { isObject } from "./event.ts";

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
 * makes it before any hook runs, so it has to be made again. Causes that are not errors stay as they are.
 */
export function rebuildError(serialised: unknown): unknown {
  if (!isObject(serialised) || !Object.hasOwn(serialised, "name") || !Object.hasOwn(serialised, "message")) {
    return serialised;
  }
  const error = (FACTORIES.get(serialised.name) ?? (() => new Error()))();
  for (const [key, enumerable] of PROPERTIES) {
    if (!Object.hasOwn(serialised, key)) continue;
    const value = key === "cause" ? rebuildError(serialised.cause) : serialised[key];
    Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
  }
  return error;
}

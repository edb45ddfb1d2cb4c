/** Causes and collected errors deeper than this are cut. */
const MAX_DEPTH = 16;

type ClassName =
  | "Error"
  | "EvalError"
  | "RangeError"
  | "ReferenceError"
  | "SyntaxError"
  | "TypeError"
  | "URIError";

const CLASSES: Readonly<Record<ClassName, new () => Error>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** A thrown value as plain data: an error with its class, or any other value as it is. */
export type Failure =
  | { readonly type: "value"; readonly value: unknown }
  | { readonly type: "undefined" }
  | {
      readonly type: "error";
      /** The built-in class it is an instance of. */
      readonly class: ClassName | "AggregateError";
      readonly name?: unknown;
      readonly message?: unknown;
      readonly stack?: unknown;
      readonly cause?: Failure;
      readonly errors?: readonly Failure[];
      /** Own enumerable properties. */
      readonly own?: readonly (readonly [key: string, value: unknown])[];
    };

/** Members that have a place of their own. */
const OWN_PLACE: ReadonlySet<string> = new Set(["name", "message", "stack", "cause", "errors"]);

/**
 * A thrown value as plain data that JSON can hold. Never throws: a getter that does, or a property that JSON
 * cannot hold, is left out.
 */
export function failureOf(thrown: unknown): Failure {
  return describe(thrown, 0, new Set());
}

function describe(thrown: unknown, depth: number, above: Set<unknown>): Failure {
  if (thrown === undefined) return { type: "undefined" };
  if (!(thrown instanceof Error)) return { type: "value", value: plain(thrown) ?? null };
  const inner = new Set(above).add(thrown);
  const nested = (value: unknown): Failure | undefined =>
    depth >= MAX_DEPTH || inner.has(value) ? undefined : describe(value, depth + 1, inner);

  const cause = Object.hasOwn(thrown, "cause") ? nested(read(thrown, "cause")) : undefined;
  const collected = thrown instanceof AggregateError ? read(thrown, "errors") : undefined;
  const own = Object.keys(thrown)
    .filter((key) => !OWN_PLACE.has(key))
    .map((key) => [key, plain(read(thrown, key))] as const)
    .filter(([, value]) => value !== undefined);
  return {
    type: "error",
    class: classOf(thrown),
    name: plain(read(thrown, "name")),
    message: plain(read(thrown, "message")),
    stack: plain(read(thrown, "stack")),
    ...(cause !== undefined && { cause }),
    ...(Array.isArray(collected) && {
      errors: collected.map(nested).filter((failure) => failure !== undefined),
    }),
    ...(own.length > 0 && { own }),
  };
}

/** What {@link failureOf} described, as a value to throw. */
export function thrownFrom(failure: Failure): unknown {
  if (failure.type === "undefined") return undefined;
  if (failure.type === "value") return failure.value;
  const error: Error =
    failure.class === "AggregateError"
      ? new AggregateError((failure.errors ?? []).map(thrownFrom))
      : new (CLASSES[failure.class] ?? Error)();
  for (const key of ["name", "message", "stack"] as const) define(error, key, failure[key], false);
  if (failure.cause !== undefined) define(error, "cause", thrownFrom(failure.cause), false);
  for (const [key, value] of failure.own ?? []) define(error, key, value, true);
  return error;
}

function classOf(error: Error): ClassName | "AggregateError" {
  if (error instanceof AggregateError) return "AggregateError";
  for (const name of Object.keys(CLASSES) as ClassName[]) {
    if (name !== "Error" && error instanceof CLASSES[name]) return name;
  }
  return "Error";
}

/** Defines and never sets: `__proto__` among the properties of a thrown value stays a property. */
function define(target: object, key: string, value: unknown, enumerable: boolean): void {
  if (value === undefined) return;
  Object.defineProperty(target, key, { value, enumerable, configurable: true, writable: true });
}

function read(object: object, key: string): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return undefined;
  }
}

/** The value as JSON gives it back; undefined where JSON cannot hold it. */
function plain(value: unknown): unknown {
  try {
    const text = JSON.stringify(value);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

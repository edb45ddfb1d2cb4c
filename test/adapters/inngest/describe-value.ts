import { createHash } from "node:crypto";
import { NonRetriableError, RetryAfterError, StepError } from "inngest";

const CLASSES = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  AggregateError,
  StepError,
  NonRetriableError,
  RetryAfterError,
};

/**
 * A value as JSON that keeps what `===` on two plays' values could not compare and JSON would lose: undefined,
 * absent, -0, NaN, holes, prototypes, own `__proto__` members, and of errors their classes and properties.
 *
 * RULE "key order": members are sorted, since the platform's maps lose their order without stepseal.
 */
export function describeValue(value: unknown, parents: readonly unknown[] = []): unknown {
  switch (typeof value) {
    case "undefined":
      return { undefined: true };
    case "number":
      return { number: Object.is(value, -0) ? "-0" : String(value) };
    case "bigint":
    case "symbol":
    case "function":
      return { [typeof value]: String(value) };
    case "string":
      return value.length > 10_000
        ? { text: value.length, sha256: createHash("sha256").update(value).digest("hex") }
        : value;
    case "boolean":
      return value;
  }
  if (value === null) return null;
  const object: object = value as object;
  if (parents.includes(value)) return { circular: parents.length - parents.indexOf(value) };
  const inside = [...parents, value];
  const members = Reflect.ownKeys(object)
    .filter((key) => key !== "length" || !Array.isArray(value))
    .map((key): [string, unknown] => {
      const { enumerable, get, value: member } = Object.getOwnPropertyDescriptor(object, key)!;
      const shown = describeValue(key === "stack" ? withoutOthersFrames(member) : member, inside);
      return [`${String(key)}${enumerable ? "" : " (hidden)"}${get ? " (getter)" : ""}`, shown];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const prototype: { readonly constructor?: unknown } | null = Object.getPrototypeOf(object);
  return {
    class: typeof prototype?.constructor === "function" ? prototype.constructor.name : null,
    ...(Array.isArray(value) && { length: value.length }),
    ...(value instanceof Error && {
      instanceOf: Object.entries(CLASSES).flatMap(([name, type]) => (value instanceof type ? [name] : [])),
      // Also where they are inherited.
      name: describeValue(value.name),
      message: describeValue(value.message),
    }),
    members,
  };
}

/**
 * RULE "frames": of a stack, the message and the frames of user code are compared. Between them and the SDK stand
 * stepseal's hooks, as those of any middleware.
 */
function withoutOthersFrames(stack: unknown): unknown {
  if (typeof stack !== "string") return stack;
  const lines = stack.split("\n");
  return lines.filter((line) => !/^\s+at /.test(line) || line.includes("/scenarios/")).join("\n");
}

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
  if (parents.includes(value)) return { circular: parents.length - parents.indexOf(value) };
  const inside = [...parents, value];
  const members = Reflect.ownKeys(value)
    .filter((key) => key !== "length" || !Array.isArray(value))
    .map((key): [string, unknown] => {
      const { enumerable, get, value: member } = Object.getOwnPropertyDescriptor(value, key)!;
      const shown =
        key === "stack" && value instanceof Error ? ownFrames(member) : describeValue(member, inside);
      return [`${String(key)}${enumerable ? "" : " (hidden)"}${get ? " (getter)" : ""}`, shown];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const prototype = Object.getPrototypeOf(value) as object | null;
  return {
    class: (prototype?.constructor as { name?: string } | undefined)?.name ?? null,
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

/** An error's stack. */
function ownFrames(stack: unknown): unknown {
  return describeValue(stack);
}

import { StepsealError } from "../../errors.ts";
import { DEFERRED_EVENT, own } from "./event.ts";
import type { ResolvedOptions } from "./options.ts";

/**
 * What of an expression (CEL) matters here, in order: `has(…)` of a field, which asks whether it is there and works
 * on a sealed one; a field of event data, by dot or by index; a text, in which nothing is a field.
 */
const TOKENS =
  /\bhas\(\s*(?:event|async|events\[\d+\])\.data\.\w+\s*\)|\b(?:event|async|events\[\d+\])\s*\.\s*data\s*(?:\.\s*(?<member>\w+)|\[\s*(?:"(?<double>[^"]*)"|'(?<single>[^']*)')\s*\])|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g;

/** Whether a top-level field of event data is sealed. */
export type IsSealedField = (field: string) => boolean;

/**
 * Refuses an expression that reads a sealed field: the platform evaluates it, over ciphertext that is new each time.
 *
 * @param at where it stands, for the message
 * @throws {StepsealError} `CONFIG`, naming place and field, and what to do instead
 */
export function checkExpression(expression: string, isSealed: IsSealedField, at: string): void {
  for (const { groups } of expression.matchAll(TOKENS)) {
    const field = groups?.member ?? groups?.double ?? groups?.single;
    if (field === undefined || !isSealed(field)) continue;
    throw new StepsealError(
      "CONFIG",
      `${at} reads data.${field}, which is sealed: the platform sees ciphertext there, different each time, so it can never match. Use a field that leaves readable; where its value is secret, put a blind index of it there (createBlindIndex)`,
    );
  }
}

/**
 * Checks the expressions of a `step.waitForEvent`.
 *
 * @throws {StepsealError} `CONFIG`
 */
export function checkWait(
  wait: unknown,
  at: string,
  { eventFields }: Pick<ResolvedOptions, "eventFields">,
): void {
  const isSealed = (field: string) => eventFields.has(field);
  const [match, condition] = [own(wait, "match"), own(wait, "if")];
  if (typeof match === "string") checkExpression(`event.${match}`, isSealed, `${at} match`);
  if (typeof condition === "string") checkExpression(condition, isSealed, `${at} if`);
}

/** What the SDK registers of a function, as its `getConfig` gives it. */
export interface FunctionConfig {
  readonly id: string;
  readonly triggers?: readonly { readonly event?: string }[];
}

/**
 * Checks every expression and key of a function's configuration: triggers, concurrency, idempotency, throttle, rate
 * limit, debounce, priority, batch, cancellation, singleton, and what later SDKs add.
 *
 * @throws {StepsealError} `CONFIG`
 */
export function checkFunctionConfig(config: FunctionConfig, eventFields: ReadonlySet<string>): void {
  // The input of a deferred function is sealed as a whole; only the platform's own member stands beside it.
  const deferred = config.triggers?.some(({ event }) => event === DEFERRED_EVENT) ?? false;
  const isSealed: IsSealedField = deferred
    ? (field) => field !== "_inngest"
    : (field) => eventFields.has(field);
  for (const [key, value] of Object.entries(config)) {
    if (key === "id" || key === "name" || key === "steps") continue;
    checkStrings(value, isSealed, `function "${config.id}": ${key}`);
  }
}

function checkStrings(value: unknown, isSealed: IsSealedField, at: string): void {
  if (typeof value === "string") checkExpression(value, isSealed, at);
  else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) checkStrings(item, isSealed, `${at}[${i}]`);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) checkStrings(item, isSealed, `${at}.${key}`);
  }
}

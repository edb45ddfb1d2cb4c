import { StepsealError } from "../../../errors.ts";
import { DEFERRED_EVENT, isLifecycleEvent } from "./event.ts";
import { type FieldRead, fieldReads, type Selector } from "./expression-reader.ts";

/** Names of top-level fields of event data that are sealed. */
type Fields = ReadonlySet<string>;

/** Whether a path into an event's data, without `data` itself, leads to what is sealed. */
type IsSealed = (path: readonly Selector[]) => boolean;

/** Of an error, what leaves sealed; the names of built-in classes stay readable. */
const SEALED_OF_ERROR: ReadonlySet<unknown> = new Set(["message", "stack", "cause", "code"]);

/** What of an event of a certain name is sealed. */
function sealedOf(eventName: string | undefined, fields: Fields): IsSealed {
  const isField = (selector: Selector): boolean => typeof selector === "string" && fields.has(selector);
  // The input of a deferred function is sealed as a whole; only the platform's own member stands beside it.
  if (eventName === DEFERRED_EVENT) return ([field]) => field !== undefined && field !== "_inngest";
  if (!isLifecycleEvent({ name: eventName })) return ([field]) => isField(field);
  return ([member, second, third, fourth]) => {
    if (member === "event") return second === "data" && isField(third);
    if (member === "events") return third === "data" && isField(fourth);
    if (member === "error") return SEALED_OF_ERROR.has(second);
    return member === "result";
  };
}

/** An expression, and what its two roots stand for. */
interface Reader {
  readonly event: IsSealed;
  readonly async: IsSealed;
}

/**
 * Refuses an expression that reads a sealed field: the platform evaluates it, over ciphertext that is new each time.
 *
 * @param at where it stands, for the message
 * @throws {StepsealError} `CONFIG`, naming place and field, and what to do instead
 */
function checkExpression(expression: string, reader: Reader, at: string): void {
  const read = fieldReads(expression).find(
    ({ root, path: [data, ...path] }: FieldRead) => data === "data" && reader[root](path),
  );
  if (read === undefined) return;
  throw new StepsealError(
    "CONFIG",
    `${at} reads ${read.path.join(".")}, which is sealed: the platform sees ciphertext there, different each time, so it can never match. Use a field that leaves readable; where its value is secret, put a blind index of it there (createBlindIndex)`,
  );
}

/**
 * Checks the expressions of a `step.waitForEvent`.
 *
 * @param wait what the step was given
 * @param startedBy name of the event that started the run
 * @throws {StepsealError} `CONFIG`
 */
export function checkWait(
  wait: Readonly<Record<string, unknown>>,
  startedBy: string,
  fields: Fields,
  at: string,
): void {
  const { event, match, if: condition } = wait;
  const awaited = typeof event === "object" ? (event as { readonly name?: unknown } | null)?.name : event;
  const reader = {
    event: sealedOf(startedBy, fields),
    async: sealedOf(typeof awaited === "string" ? awaited : undefined, fields),
  };
  if (typeof match === "string") checkExpression(`event.${match} == async.${match}`, reader, `${at} match`);
  if (typeof condition === "string") checkExpression(condition, reader, `${at} if`);
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
export function checkFunctionConfig(config: FunctionConfig, fields: Fields): void {
  const { id, triggers = [] } = config;
  const at = `function "${id}"`;
  const ordinary = sealedOf(undefined, fields);
  for (const [i, trigger] of triggers.entries()) {
    const reader = { event: sealedOf(trigger.event, fields), async: ordinary };
    checkStrings(trigger, reader, `${at}: triggers[${i}]`);
  }
  // A key is read of whatever event started the run: it never matches where it reads what is sealed in all of them.
  const all = triggers.map(({ event }) => sealedOf(event, fields));
  const event: IsSealed = (path) =>
    all.length === 0 ? ordinary(path) : all.every((isSealed) => isSealed(path));
  for (const [key, value] of Object.entries(config)) {
    if (key === "id" || key === "name" || key === "steps" || key === "triggers") continue;
    checkStrings(value, { event, async: ordinary }, `${at}: ${key}`);
  }
}

function checkStrings(value: unknown, reader: Reader, at: string): void {
  if (typeof value === "string") checkExpression(value, reader, at);
  else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) checkStrings(item, reader, `${at}[${i}]`);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) checkStrings(item, reader, `${at}.${key}`);
  }
}

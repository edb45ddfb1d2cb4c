/** An event as it stands on the wire: parsed JSON, nothing about it trusted. */
export type WireEvent = Record<string, unknown>;

/** What `onFailure` is started by. */
export const FAILED_EVENT = "inngest/function.failed";
/** What a cron trigger turns into. */
export const SCHEDULED_EVENT = "inngest/scheduled.timer";
/** What `step.invoke` turns into for the function that is invoked. */
export const INVOKED_EVENT = "inngest/function.invoked";
/** What `defer()` turns into for the deferred function. */
export const DEFERRED_EVENT = "inngest/deferred.schedule";
/** What a request to a durable endpoint turns into. */
export const HTTP_EVENT = "inngest/http.request";

/** The member beside a deferred call's sealed input in which the SDK refers to an experiment. */
export const EXPERIMENT_MEMBER = "_inngestExperiment";

/** Events that carry other events, an error and a result inside them. */
export const LIFECYCLE_EVENTS: ReadonlySet<unknown> = new Set([
  FAILED_EVENT,
  "inngest/function.finished",
  "inngest/function.cancelled",
]);

export function isLifecycleEvent(event: WireEvent): boolean {
  return LIFECYCLE_EVENTS.has(event.name);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The own property of an object, or undefined: `__proto__` and what an object inherits are not data. */
export function own(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Whether a value has the outer shape of an envelope of any strategy, without asking whether it opens. */
export function isEnvelopeShaped(value: unknown): value is { __STRATEGY__?: unknown; data: string } {
  return own(value, "__ENCRYPTED__") === true && typeof own(value, "data") === "string";
}

/** Whether a step's data could be an event, which is what `step.waitForEvent` returns. */
export function isEventShaped(value: unknown): value is WireEvent {
  return (
    isObject(value) && !isEnvelopeShaped(value) && typeof value.name === "string" && isObject(value.data)
  );
}

/** `{...object, [key]: value}`, which defines properties rather than setting them: `__proto__` stays a key. */
export function withEntries(
  object: Record<string, unknown>,
  entries: ReadonlyMap<string, unknown>,
): Record<string, unknown> {
  const copy = { ...object };
  for (const [key, value] of entries) {
    Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

/**
 * The sealed strings of an event, in the order of their field paths: of its data itself (`defer`), of each field
 * of its data, and, in a lifecycle event, of the events, the error and the result inside it.
 *
 * Independent of which fields this app names in `eventFields`: renaming one must not lose the runs in flight.
 */
export function sealedStrings(event: WireEvent): string[] {
  const found: [path: string, text: string][] = [];
  const add = (path: string, value: unknown): void => {
    if (isEnvelopeShaped(value)) found.push([path, value.data]);
  };
  const addFields = (path: string, data: unknown): void => {
    add(path, data);
    if (!isObject(data)) return;
    for (const key of Object.keys(data)) add(`${path}.${key}`, data[key]);
  };

  addFields("data", event.data);
  if (isLifecycleEvent(event)) {
    addFields("data.event.data", own(own(event.data, "event"), "data"));
    const events = own(event.data, "events");
    if (Array.isArray(events))
      for (const [i, e] of events.entries()) addFields(`data.events.${i}.data`, own(e, "data"));
    add("data.error.cause", own(own(event.data, "error"), "cause"));
  }
  // A name with a dot in it may give a path that another member has: those stay in the order above, in every engine.
  found.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return found.map(([, text]) => text);
}

import { matches } from "./expression.ts";
import { namedUuid, seededUlid, ulid } from "./ids.ts";
import { isObject, type JsonObject, storedCopy, text } from "./json.ts";
import { dropJobs, type Platform, publish, where } from "./platform.ts";
import { resumeInvoke } from "./resume.ts";
import type { RunRecord } from "./state.ts";
import type { StoredEvent } from "./stored.ts";
import { eventMap, storedEvent } from "./stored-event.ts";

/** How a run ends. `result` is there when the app answered something, JSON null included. */
export type Outcome =
  | { readonly status: "completed"; readonly result?: unknown }
  | { readonly status: "failed"; readonly error: JsonObject; readonly result?: unknown }
  | { readonly status: "cancelled" };

const STATUS = { completed: "Completed", failed: "Failed", cancelled: "Cancelled" } as const;

function correlationOf(event: StoredEvent): string | undefined {
  return isObject(event.data._inngest) ? text(event.data._inngest.correlation_id) : undefined;
}

/**
 * Ends a run: stores its result, drops what it still waited for, answers whoever invoked it, and sends the
 * platform's events about it and those of its deferred runs.
 */
export function finishRun(platform: Platform, run: RunRecord, outcome: Outcome): void {
  if (run.status !== "running") return;
  run.status = outcome.status;
  if (outcome.status === "completed") run.output = storedCopy(outcome.result ?? null);
  if (outcome.status === "failed") run.error = storedCopy(outcome.error);
  dropJobs(platform, run);

  const about = (event: StoredEvent, correlation: string | undefined): JsonObject => ({
    function_id: run.functionId,
    run_id: run.id,
    event: eventMap(event),
    events: run.events,
    ...(outcome.status === "failed" ? { error: outcome.error } : {}),
    ...("result" in outcome ? { result: outcome.result } : {}),
    ...(correlation === undefined ? {} : { correlation_id: correlation }),
    _inngest: { status: STATUS[outcome.status] },
  });
  const fresh: StoredEvent[] = [];
  run.events.forEach((event, index) => {
    if (event.name === "inngest/function.failed" || event.name === "inngest/function.finished") return;
    const correlation = correlationOf(event);
    if (correlation === undefined && index > 0) return;
    const data = about(event, correlation);
    const add = (name: string, id: string): void => {
      fresh.push(storedEvent(platform, { name, data, meta: event.meta }, id));
    };
    add("inngest/function.finished", ulid(platform.now));
    if (outcome.status === "cancelled") add("inngest/function.cancelled", run.id);
    if (outcome.status === "failed") add("inngest/function.failed", run.id);
  });
  for (const event of fresh) if (event.name === "inngest/function.finished") resumeInvoke(platform, event);
  for (const event of [...fresh, ...deferredEvents(platform, run)]) publish(platform, event);
}

/** The events that start the deferred functions of a run. */
function deferredEvents(platform: Platform, run: RunRecord): StoredEvent[] {
  const due = [...run.defers].filter(([, defer]) => defer.status === "after-run");
  return due.map(([hashedId, defer]) =>
    storedEvent(
      platform,
      {
        name: "inngest/deferred.schedule",
        data: {
          ...(isObject(defer.input) ? defer.input : {}),
          _inngest: {
            fn_slug: defer.functionId,
            parent_app_id: namedUuid(run.appId),
            parent_fn_id: namedUuid(run.functionId),
            parent_fn_slug: run.functionId,
            parent_run_id: run.id,
          },
        },
        meta: defer.meta,
      },
      seededUlid(platform.now, `defer:${run.id}:${hashedId}`),
    ),
  );
}

/** Cancels the runs an event cancels; never by the event that started them. */
export function cancelOnEvent(platform: Platform, event: StoredEvent): void {
  for (const wait of [...platform.waits]) {
    if (wait.kind !== "cancel" || wait.name !== event.name || wait.expires < platform.now) continue;
    if (wait.run.event.id === event.id) continue;
    const scope = { event: eventMap(wait.run.event), async: eventMap(event) };
    if (wait.expression !== undefined && !matches(wait.expression, scope, where(wait.run))) continue;
    finishRun(platform, wait.run, { status: "cancelled" });
  }
}

/** A durable endpoint ends with the HTTP response it gave; one of 500 or above is a failure. */
export function finishEndpoint(platform: Platform, run: RunRecord, result: unknown): void {
  const response = isObject(result) ? result : {};
  const status = response.status ?? response.statusCode ?? response.status_code;
  if (typeof status === "number" && status >= 500) {
    const message = `invalid status code: ${status}`;
    finishRun(platform, run, { status: "failed", error: { error: message, name: "Error", message }, result });
  } else finishRun(platform, run, { status: "completed", result });
}

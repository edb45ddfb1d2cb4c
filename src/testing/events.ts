import { StepsealError } from "../errors.ts";
import { type FunctionRecord, findFunction } from "./apps.ts";
import { parseDuration } from "./clock.ts";
import { keyOf, matches } from "./expression.ts";
import { cancelOnEvent } from "./finish.ts";
import { ulid } from "./ids.ts";
import { isObject, type JsonObject, text } from "./json.ts";
import { type Batch, enqueue, type Platform, publish } from "./platform.ts";
import { resumeInvoke, resumeOnEvent } from "./resume.ts";
import { scheduleRun } from "./runs.ts";
import type { EventInput, StoredEvent } from "./stored.ts";
import { eventMap, storedEvent } from "./stored-event.ts";

/** Stores events given by a test. @throws StepsealError `CONFIG` when one has no name */
export function sendFromOutside(platform: Platform, events: EventInput | readonly EventInput[]): string[] {
  const list = Array.isArray(events) ? (events as readonly EventInput[]) : [events as EventInput];
  return list.map((event) => {
    if (typeof event?.name !== "string" || event.name === "") {
      throw new StepsealError("CONFIG", "engine.send: an event needs a name");
    }
    const stored = storedEvent(platform, event as unknown as JsonObject, ulid(platform.now));
    publish(platform, stored);
    return stored.id;
  });
}

/** The trigger patterns an event name meets: itself, and `/*` or `.*` after each of its parts. */
function patternsOf(name: string): Set<string> {
  const patterns = new Set([name]);
  for (const separator of ["/", "."]) {
    const parts = name.split(separator);
    for (let n = 1; n < parts.length; n++) patterns.add(`${parts.slice(0, n).join(separator)}${separator}*`);
  }
  return patterns;
}

function start(platform: Platform, fn: FunctionRecord, event: StoredEvent): void {
  const place = `function ${fn.id}`;
  const scope = { event: eventMap(event) };
  if (fn.batch && (fn.batch.if === undefined || matches(fn.batch.if, scope, place))) {
    const key = `${fn.id}\n${fn.batch.key === undefined ? "" : keyOf(fn.batch.key, scope, place)}`;
    let batch = platform.batches.get(key);
    if (!batch) {
      batch = { functionId: fn.id, key, events: [] };
      platform.batches.set(key, batch);
      const wait = batchTimeout(fn);
      enqueue(platform, `batch:${key}`, platform.now + wait, { kind: "batch", batch });
    }
    batch.events.push(event);
    if (batch.events.length >= fn.batch.maxSize) runBatch(platform, batch);
    return;
  }
  scheduleRun(platform, fn, [event]);
}

function batchTimeout(fn: FunctionRecord): number {
  const wait = parseDuration(fn.batch?.timeout ?? "");
  if (wait !== undefined) return wait;
  throw new StepsealError("CONFIG", `function ${fn.id}: batchEvents.timeout must be like "5s" or "1m"`);
}

/** Starts a run with the events of a batch, unless it ran already. */
export function runBatch(platform: Platform, batch: Batch): void {
  if (platform.batches.get(batch.key) !== batch) return;
  platform.batches.delete(batch.key);
  const fn = findFunction(platform, batch.functionId);
  if (fn) scheduleRun(platform, fn, batch.events);
}

/** An invoked function that does not exist answers its caller with an error. */
function failInvoke(platform: Platform, event: StoredEvent, functionId: string): void {
  const meta = isObject(event.data._inngest) ? event.data._inngest : {};
  publish(
    platform,
    storedEvent(
      platform,
      {
        name: "inngest/function.finished",
        data: {
          function_id: "",
          run_id: "",
          ...(text(meta.correlation_id) ? { correlation_id: meta.correlation_id } : {}),
          error: { name: "Error", message: `could not find function with ID: ${functionId}` },
        },
      },
      ulid(platform.now),
    ),
  );
}

/** Matches an event with waits, cancellations, invocations and triggers. */
export function deliver(platform: Platform, event: StoredEvent): void {
  resumeOnEvent(platform, event);
  cancelOnEvent(platform, event);
  if (event.name === "inngest/function.finished") resumeInvoke(platform, event);
  if (event.name === "inngest/function.invoked") {
    const id = isObject(event.data._inngest) ? (text(event.data._inngest.fn_id) ?? "") : "";
    const fn = findFunction(platform, id);
    if (fn) start(platform, fn, event);
    else failInvoke(platform, event, id);
  }
  const patterns = patternsOf(event.name);
  for (const app of platform.apps.values()) {
    for (const fn of app.functions.values()) {
      const hit = fn.triggers.some(
        (trigger) =>
          patterns.has(trigger.event) &&
          (trigger.expression === undefined ||
            matches(trigger.expression, { event: eventMap(event) }, `function ${fn.id}`)),
      );
      if (hit) start(platform, fn, event);
    }
  }
}

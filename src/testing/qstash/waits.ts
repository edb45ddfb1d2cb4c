import { parseDuration } from "../clock.ts";
import { isObject, text } from "../json.ts";
import { parseObject } from "./accept.ts";
import { type Fields, fieldsOf, goHeaders } from "./fields.ts";
import { base64Of, postEntry } from "./messages.ts";
import { enqueue } from "./queue.ts";
import { openRun } from "./runs.ts";
import { ApiError, type Platform, runOf, type Wait } from "./state.ts";
import type { QstashNotification } from "./stored.ts";

/** The fields of a waiter's JSON, whose headers are spelt as Go spells them. */
function headerLists(value: unknown): Record<string, string[]> {
  const lists: Record<string, string[]> = {};
  for (const [name, list] of Object.entries(isObject(value) ? value : {})) {
    if (Array.isArray(list)) lists[name] = list.map(String);
  }
  return lists;
}

/** `POST /v2/wait/<event>`: a run waits. @throws ApiError 400 */
export function wait(platform: Platform, eventId: string, fields: Fields, body: string): Wait {
  const request = parseObject(body, "a wait request");
  const run = openRun(platform, fields["upstash-workflow-runid"] ?? "");
  const timeout = text(request.timeout) ?? "";
  const milliseconds = parseDuration(timeout);
  if (milliseconds === undefined) throw new ApiError(400, `invalid timeout: ${JSON.stringify(timeout)}`);
  const until = platform.now + milliseconds;
  const timeoutUrl = text(request.timeoutUrl);
  return addWait(platform, {
    eventId,
    run,
    until,
    step: isObject(request.step) ? request.step : {},
    timeout,
    fields,
    waiter: {
      url: text(request.url) ?? run.url,
      deadline: Math.ceil(until / 1000),
      headers: goHeaders(fields),
      ...(timeoutUrl === undefined ? {} : { timeoutUrl }),
      timeoutHeaders: headerLists(request.timeoutHeaders),
    },
  });
}

/** Lets a run wait, or go on at once when what it waits for was kept for it. */
export function addWait(platform: Platform, one: Wait): Wait {
  platform.waits.add(one);
  // One at a time, the oldest first: a webhook that is called twice ends two waits.
  const kept = platform.notices.get(noticeKey(one.run.id, one.eventId))?.shift();
  if (kept === undefined) enqueue(platform, one.until, { wait: one });
  else wake(platform, one, { out: base64Of(kept) });
  return one;
}

const noticeKey = (runId: string, eventId: string): string => JSON.stringify([runId, eventId]);

/** Stores the step of a wait that is over, and delivers it. */
function wake(
  platform: Platform,
  one: Wait,
  outcome: { readonly out: string } | { readonly waitTimeout: true },
): string {
  platform.waits.delete(one);
  for (const job of platform.jobs) {
    if ("wait" in job.task && job.task.wait === one) platform.jobs.delete(job);
  }
  const step = { ...one.step, waitEventId: one.eventId, timeout: one.timeout, ...outcome };
  const { url, timeoutUrl, timeoutHeaders } = one.waiter;
  const timedOut = "waitTimeout" in outcome;
  const draft = {
    kind: "step" as const,
    url: timedOut ? (timeoutUrl ?? url) : url,
    fields: timedOut ? fieldsOf(timeoutHeaders ?? {}) : one.fields,
    body: JSON.stringify(step),
  };
  return postEntry(platform, one.run, "step", draft).id;
}

/** The end of a wait for which no event came. */
export function timeOut(platform: Platform, one: Wait): void {
  if (platform.waits.has(one)) wake(platform, one, { waitTimeout: true });
}

/**
 * `POST /v2/notify/[<run>/]<event>`: wakes who waits for an event, with a run id in that run alone. A run that does not
 * wait yet finds the event when it does.
 *
 * Not established: what the server answers when it keeps an event for a run. Here, as when nobody waits, no waiters.
 */
export function notify(
  platform: Platform,
  eventId: string,
  body: string,
  runId?: string,
): QstashNotification[] {
  const waits = [...platform.waits].filter(
    (one) => one.eventId === eventId && (runId === undefined || one.run.id === runId),
  );
  if (waits.length === 0 && runId !== undefined) {
    if (runOf(platform, runId)?.state !== "RUN_STARTED")
      throw new ApiError(400, `workflow run ${runId} not found`);
    const key = noticeKey(runId, eventId);
    platform.notices.set(key, [...(platform.notices.get(key) ?? []), body]);
  }
  return waits.map((one) => ({
    waiter: one.waiter,
    messageId: wake(platform, one, { out: base64Of(body) }),
    error: "",
    workflowRunId: one.run.id,
    workflowCreatedAt: one.run.createdAt,
  }));
}

/** A call of a webhook, as the step that waits for it reads it: JSON of a request, its body in base64. */
export function webhookEvent(request: {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}): string {
  const { method, url, headers, body } = request;
  return JSON.stringify({
    method,
    proto: url.protocol.slice(0, -1),
    host: url.host,
    url: url.pathname + url.search,
    header: goHeaders(headers),
    body: base64Of(body),
  });
}

import { matches } from "./expression.ts";
import { storedCopy, text } from "./json.ts";
import { type Platform, where } from "./platform.ts";
import { queueDiscovery } from "./runs.ts";
import { saveStep } from "./state.ts";
import type { StoredEvent, StoredStep } from "./stored.ts";
import { eventMap } from "./stored-event.ts";
import type { Wait } from "./waits.ts";

/** Stores what a wait was for and lets the run go on. */
function resume(platform: Platform, wait: Wait, state: StoredStep): void {
  platform.waits.delete(wait);
  for (const job of platform.jobs) {
    if (job.task.kind !== "timeout" || job.task.wait !== wait) continue;
    platform.jobs.delete(job);
    wait.run.jobIds.delete(job.id);
  }
  if (wait.run.status !== "running") return;
  const { pending, saved } = saveStep(wait.run, wait.stepId, state);
  if (!saved) return;
  queueDiscovery(platform, wait.run, wait.stepId, {
    pending,
    group: wait.group,
    race: wait.race,
    id: `resumed:${wait.stepId}`,
  });
}

/** Ends a wait that was not met in time: null, or for an invocation an error. */
export function timeOut(platform: Platform, wait: Wait): void {
  if (!platform.waits.has(wait)) return;
  const name = "InngestInvokeTimeoutError";
  const message = "Timed out waiting for invoked function to complete";
  const error = { error: `${name}: ${message}`, name, message };
  resume(platform, wait, wait.kind === "invoke" ? { error } : null);
}

/** Resumes the runs that wait for an event. The run's step gets the event itself. */
export function resumeOnEvent(platform: Platform, event: StoredEvent): void {
  for (const wait of [...platform.waits]) {
    if (wait.kind !== "event" || wait.name !== event.name || wait.expires < platform.now) continue;
    const scope = { event: eventMap(wait.run.event), async: eventMap(event) };
    const place = where(wait.run, wait.stepId);
    if (wait.expression !== undefined && !matches(wait.expression, scope, place)) continue;
    resume(platform, wait, storedCopy(eventMap(event)));
  }
}

/** Resumes the run that invoked a function which has finished. */
export function resumeInvoke(platform: Platform, event: StoredEvent): void {
  const correlation = text(event.data.correlation_id);
  if (correlation === undefined) return;
  for (const wait of [...platform.waits]) {
    if (wait.kind !== "invoke" || wait.name !== correlation) continue;
    const { data } = storedCopy(event);
    if ("error" in data) resume(platform, wait, { error: data.error } as StoredStep);
    else if ("result" in data) resume(platform, wait, { data: data.result });
    else resume(platform, wait, storedCopy(eventMap(event)));
  }
}

/** The run id that waited for a signal and got it, or undefined. */
export function resumeSignal(platform: Platform, signal: string, data: unknown): string | undefined {
  for (const wait of [...platform.waits].reverse()) {
    if (wait.kind !== "signal" || wait.name !== signal || wait.expires < platform.now) continue;
    resume(platform, wait, storedCopy({ data: { signal, data } }));
    return wait.run.id;
  }
  return undefined;
}

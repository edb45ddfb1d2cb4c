import { type Fields, forwardedHeaders } from "./fields.ts";
import { base64Of, post, postEntry } from "./messages.ts";
import { dropJobs } from "./queue.ts";
import {
  ApiError,
  type Invoker,
  type Message,
  nextId,
  type Platform,
  RunRecord,
  runOf,
  type Wait,
} from "./state.ts";

/** How to start a run. */
export interface RunDraft {
  readonly id: string;
  readonly url: string;
  readonly fields: Fields;
  readonly payload: string;
  readonly invoker?: Invoker | undefined;
  readonly rerunOf?: string | undefined;
}

/** Starts a run. The first entry of its journal has an id of its own: the SDK's `getSteps` reckons with that. */
export function startRun(
  platform: Platform,
  draft: RunDraft,
): { readonly run: RunRecord; readonly message: Message } {
  const { payload, ...about } = draft;
  const run = new RunRecord({ ...about, createdAt: platform.now });
  platform.runs.push(run);
  run.journal.push({ messageId: nextId(platform, "msg"), body: base64Of(payload), callType: "step" });
  const message = post(platform, { kind: "step", url: run.url, fields: run.fields, body: payload, run });
  return { run, message };
}

/** The run that takes steps under an id. @throws ApiError 400 */
export function openRun(platform: Platform, id: string): RunRecord {
  const run = runOf(platform, id);
  // What the server says of a canceled run (upstash/workflow-js issue 198). The SDK takes any 400 to mean that the run
  // is over, so ended and unknown runs are answered the same.
  if (run?.state !== "RUN_STARTED") throw new ApiError(400, "can not append to a a cancelled workflow");
  return run;
}

/** Ends a run: nothing of it is delivered any more. Tells the run that invoked it. */
export function endRun(
  platform: Platform,
  run: RunRecord,
  state: "RUN_SUCCESS" | "RUN_FAILED" | "RUN_CANCELED",
  result?: string,
): { readonly unfinished: readonly Message[]; readonly waits: readonly Wait[] } {
  run.state = state;
  run.completedAt = platform.now;
  run.result = result;
  dropJobs(platform, run);
  // Those under way count too: what they come to is not stored any more.
  const unfinished = run.messages.filter((one) => one.state === "waiting" && one.kind !== "failure");
  if (state === "RUN_CANCELED") for (const message of unfinished) message.state = "canceled";
  const waits = [...platform.waits].filter((wait) => wait.run === run);
  for (const wait of waits) platform.waits.delete(wait);
  if (run.invoker) answerInvoker(platform, run.invoker, state, result);
  return { unfinished, waits };
}

/**
 * Stores what an invoked run ended with as a step of the run that invoked it. A run that failed since still gets the
 * step, so that it can be resumed (the SDK's own live test invoke-parent-failure shows it in the logs).
 */
function answerInvoker(
  platform: Platform,
  invoker: Invoker,
  state: RunRecord["state"],
  result: string | undefined,
): void {
  const out = {
    // Not established: whether a run that returned nothing has no body here, or an empty one.
    ...(result === undefined ? {} : { body: result }),
    isCanceled: state === "RUN_CANCELED",
    isFailed: state === "RUN_FAILED",
  };
  const body = JSON.stringify({ ...invoker.step, out: JSON.stringify(out) });
  let { run } = invoker;
  while (run.resumedBy) run = run.resumedBy;
  const draft = { kind: "step" as const, url: invoker.url, fields: invoker.fields, body };
  if (run.state === "RUN_STARTED") postEntry(platform, run, "step", draft);
  else if (run.state === "RUN_FAILED") {
    run.journal.push({ messageId: nextId(platform, "msg"), body: base64Of(body), callType: "step" });
  }
}

/** Cancels a run. @throws ApiError 404 when there is none under way */
export function cancelRun(platform: Platform, id: string): void {
  const run = runOf(platform, id);
  if (run?.state !== "RUN_STARTED") throw new ApiError(404, `workflow run ${id} not found`);
  endRun(platform, run, "RUN_CANCELED");
}

/** The headers a run's steps are delivered with that are the protocol's. */
export function runHeaders(message: Message): Record<string, string> {
  const headers = forwardedHeaders(message.fields);
  const { run } = message;
  if (!run) return headers;
  // Which headers of the protocol the server sends was not established beyond those the SDK reads: RunId, CreatedAt and
  // what is forwarded. Init and Url are what the message came with.
  return {
    ...headers,
    "upstash-workflow-runid": run.id,
    "upstash-workflow-init": message.fields["upstash-workflow-init"] ?? "false",
    "upstash-workflow-url": run.url,
    "upstash-workflow-createdat": String(run.createdAt),
  };
}

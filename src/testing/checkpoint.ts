import type { Op } from "./answer.ts";
import { defer } from "./defer.ts";
import { finishEndpoint } from "./finish.ts";
import { namedUuid, ulid } from "./ids.ts";
import { isObject, type JsonObject, storedCopy, text } from "./json.ts";
import { noteStep } from "./op-context.ts";
import { handleOp } from "./ops.ts";
import { type ExecuteJob, type Platform, publish } from "./platform.ts";
import { queueExecution } from "./runs.ts";
import { RunRecord, saveStep } from "./state.ts";
import type { StoredStep } from "./stored.ts";
import { storedEvent } from "./stored-event.ts";
import { jsonResponse } from "./wire.ts";

/** Ops a checkpoint may hold; the others end an execution and belong in its answer. */
const IN_PROGRESS = new Set(["Step", "StepRun", "StepPlanned", "DeferAdd", "DeferAbort"]);

function saveResult(run: RunRecord, op: Op): void {
  noteStep(run, op);
  saveStep(run, op.id, storedCopy(op.op === "StepRun" ? { data: op.data } : op.data) as StoredStep);
}

/** Stores what an execution under way reports, so that it can go on without ending its request. */
export function checkpointAsync(platform: Platform, runId: string, steps: readonly Op[]): Response {
  const run = platform.runs.get(runId);
  const refuse = (error: string): Response =>
    jsonResponse(400, { error, status: 400, data: { run_id: runId } });
  if (run?.status !== "running") return refuse("run not found");
  const other = steps.find((op) => !IN_PROGRESS.has(op.op));
  if (other) return refuse(`cannot checkpoint opcode: ${other.op}`);
  for (const op of steps) {
    if (op.op === "StepPlanned") noteStep(run, op);
    else if (op.op === "DeferAdd" || op.op === "DeferAbort") defer(run, op);
    else saveResult(run, op);
  }
  return jsonResponse(200, {});
}

/** Starts the run of a durable endpoint, which the app is executing already. */
export async function checkpointNewRun(
  platform: Platform,
  body: JsonObject,
  steps: readonly Op[],
): Promise<Response> {
  const runId = text(body.run_id) ?? ulid(platform.now);
  if (platform.runs.has(runId)) return jsonResponse(409, { error: "Run already exists", status: 409 });
  const event = storedEvent(platform, isObject(body.event) ? body.event : {}, ulid(platform.now));
  const { data } = event;
  const path = text(data.path) ?? "/";
  const name = text(data.fn) || `${text(data.method) ?? "POST"} ${path}`;
  const origin = text(data.domain) ?? "http://app.test";
  const query = text(data.query_params) ? `?${text(data.query_params)}` : "";
  const run = new RunRecord(runId, name, origin, [storedCopy(event)]);
  run.endpoint = { url: `${origin}${path}${query}`, method: text(data.method) ?? "POST" };
  run.maxAttempts = (typeof body.retries === "number" ? body.retries : 3) + 1;
  if (typeof body.request_version === "number") run.requestVersion = body.request_version;
  platform.runs.set(runId, run);
  publish(platform, event);
  await applySteps(platform, run, steps);
  return jsonResponse(200, {
    data: {
      run_id: runId,
      fn_id: namedUuid(name),
      app_id: namedUuid(origin),
      token: "test.run.token",
      realtime_token: "test.realtime.token",
    },
  });
}

/** Stores what a durable endpoint reports after its first checkpoint. */
export async function checkpointSteps(
  platform: Platform,
  runId: string,
  steps: readonly Op[],
): Promise<Response> {
  const run = platform.runs.get(runId);
  if (run?.status === "running") await applySteps(platform, run, steps);
  return jsonResponse(200, {});
}

async function applySteps(platform: Platform, run: RunRecord, steps: readonly Op[]): Promise<void> {
  const lazy = (op: Op): boolean => op.op === "DeferAdd" || op.op === "DeferAbort";
  if (steps.filter((op) => !lazy(op)).length > 1) run.forceStepPlan = true;
  const job: ExecuteJob = {
    kind: "execute",
    run,
    stepId: undefined,
    after: undefined,
    group: undefined,
    race: false,
    attempt: 0,
    dispatches: 0,
  };
  const context = {
    platform,
    job,
    run,
    maxAttempts: run.maxAttempts ?? 4,
    noRetry: false,
    group: undefined,
    onlyLazy: false,
  };
  for (const op of [...steps.filter(lazy), ...steps.filter((one) => !lazy(one))]) {
    if (op.op === "Step" || op.op === "StepRun") saveResult(run, op);
    else if (op.op === "RunComplete") finishEndpoint(platform, run, op.data);
    else if ((await handleOp(context, op)) === "retry") {
      run.attempts += 1;
      queueExecution(platform, run, `retry:${op.id}`, { attempt: 1, delay: 5000 });
    }
  }
}

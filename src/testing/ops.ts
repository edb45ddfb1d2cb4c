import { type Answer, type Op, standardError } from "./answer.ts";
import { defer } from "./defer.ts";
import { finishEndpoint, finishRun } from "./finish.ts";
import { isObject } from "./json.ts";
import { isRace, noteStep, type OpContext, RunFailure } from "./op-context.ts";
import { type ExecuteJob, type Platform, unsupported, where } from "./platform.ts";
import { queueDiscovery, queueExecution } from "./runs.ts";
import { gateway, stepError, stepFailed, stepRan } from "./step-ops.ts";
import { invoke, sleep, waitForEvent, waitForSignal } from "./wait-ops.ts";

const STEP_LIMIT = 1000;
const LAZY = new Set(["DeferAdd", "DeferAbort"]);
const FIRST = new Set(["DeferAdd", "DeferAbort", "WaitForEvent"]);
const PLANNED = new Set([
  "AIGateway",
  "Gateway",
  "InvokeFunction",
  "Sleep",
  "StepPlanned",
  "WaitForEvent",
  "WaitForSignal",
]);

/**
 * Acts on the ops of an answer, in the platform's order.
 *
 * @returns whether the job must be tried again
 * @throws StepsealError `UNSUPPORTED` for an op the engine does not know
 */
export async function handleOps(
  platform: Platform,
  job: ExecuteJob,
  answer: Answer,
  maxAttempts: number,
): Promise<"retry" | "done"> {
  const { run } = job;
  const ops = [...answer.ops];
  const own = ops.filter((op) => !LAZY.has(op.op));
  if (run.requestVersion === -1) run.requestVersion = answer.requestVersion;
  if (own.length > 1) run.forceStepPlan = true;
  let group: string | undefined;
  if (own.length > 1 && ops.some((op) => PLANNED.has(op.op)) && run.requestVersion >= 2) {
    const ids = own.map((op) => op.id);
    group = [...ids].sort().join(" ");
    run.pending.clear();
    for (const id of ids) run.pending.add(id);
  }
  const context: OpContext = {
    platform,
    job,
    run,
    maxAttempts,
    noRetry: answer.noRetry,
    group,
    onlyLazy: own.length === 0,
  };
  let result: "retry" | "done" = "done";
  try {
    if (ops.length > STEP_LIMIT) {
      throw new RunFailure(
        "InngestErrFunctionOverflowed",
        `The function run exceeded the step limit of ${STEP_LIMIT} steps.`,
      );
    }
    for (const op of [
      ...ops.filter((one) => FIRST.has(one.op)),
      ...ops.filter((one) => !FIRST.has(one.op)),
    ]) {
      if (run.status !== "running") break;
      if ((await handleOp(context, op)) === "retry") result = "retry";
    }
  } catch (failure) {
    if (!(failure instanceof RunFailure)) throw failure;
    const { title, message } = failure;
    const output = JSON.stringify({ error: { error: `${title}: ${message}`, name: title, message } });
    finishRun(platform, run, {
      status: "failed",
      error: standardError({ output, err: title }),
      result: output,
    });
    return "done";
  }
  return result;
}

/** Acts on one op. */
export async function handleOp(context: OpContext, op: Op): Promise<"retry" | undefined> {
  const { platform, run, job } = context;
  switch (op.op) {
    case "None":
      return;
    case "Step":
    case "StepRun":
      return stepRan(context, op);
    case "StepError":
      return stepError(context, op);
    case "StepFailed":
      return stepFailed(context, op);
    case "StepPlanned":
      noteStep(run, op);
      queueExecution(platform, run, `plan:${op.id}`, {
        stepId: op.id,
        after: job.after,
        group: context.group,
        race: isRace(op),
      });
      return;
    case "Sleep":
      return sleep(context, op);
    case "WaitForEvent":
      return waitForEvent(context, op);
    case "WaitForSignal":
      return waitForSignal(context, op);
    case "InvokeFunction":
      return invoke(context, op);
    case "Gateway":
    case "AIGateway":
      return gateway(context, op);
    case "RunComplete":
      if (run.endpoint) finishEndpoint(platform, run, op.data);
      else finishRun(platform, run, { status: "completed", result: op.data });
      return;
    case "SyncRunComplete":
      finishRun(platform, run, { status: "completed", result: isObject(op.data) ? op.data.data : op.data });
      return;
    case "DiscoveryRequest":
      queueDiscovery(platform, run, op.id, { pending: false, group: job.group, race: isRace(op) });
      return;
    case "DeferAdd":
    case "DeferAbort":
      defer(run, op);
      if (context.onlyLazy) queueDiscovery(platform, run, op.id, { pending: false, race: false });
      return;
    default:
      throw unsupported(where(run, op.id), `the app sent the op ${JSON.stringify(op.op)}, which is unknown`);
  }
}

import { type Answer, standardError } from "./answer.ts";
import { findFunction } from "./apps.ts";
import { backoff, durationOf } from "./clock.ts";
import { dispatch } from "./dispatch.ts";
import { finishRun } from "./finish.ts";
import { handleOps } from "./ops.ts";
import { type ExecuteJob, type Job, type Platform, unsupported, where } from "./platform.ts";
import { queueDiscovery } from "./runs.ts";

/** A run that asks for more is in a loop: the platform allows 1,000 steps. */
const MAX_REQUESTS = 3000;

/** Puts a job that was taken out of the queue into it again, for a later time. */
function requeue(platform: Platform, job: Job, at: number): void {
  platform.order += 1;
  platform.jobs.add({ ...job, at, order: platform.order });
}

function retry(platform: Platform, job: Job, task: ExecuteJob, answer: Answer): void {
  requeue(platform, job, answer.retryAt ?? platform.now + backoff(task.attempt));
  task.attempt += 1;
  task.run.attempts += 1;
}

/**
 * Sends one execution of a run to the app and acts on the answer: ops, a retry, or the end of the run.
 *
 * @returns whether the job is in the queue again
 * @throws StepsealError `UNSUPPORTED` `CORRUPT` `CONFIG`
 */
export async function execute(platform: Platform, job: Job, task: ExecuteJob): Promise<"retry" | "done"> {
  const { run } = task;
  if (run.requests >= MAX_REQUESTS) {
    throw unsupported(where(run, task.stepId), `it made ${MAX_REQUESTS} requests without ending`);
  }
  const { stepId, attempt } = task;
  const fault = platform.options.fault?.({ run, stepId, attempt });
  if (typeof fault === "object") {
    requeue(platform, job, platform.now + durationOf(fault.delay));
    return "retry";
  }
  const [answer, second] = await dispatch(platform, task, fault);
  let outcome = await act(platform, task, answer);
  // Delivered twice, a job is tried again only when neither delivery has done it.
  if (second !== undefined && (await act(platform, task, second)) === "done") outcome = "done";
  if (outcome === "retry") retry(platform, job, task, answer);
  return outcome;
}

/** Acts on an answer. Returns whether the execution failed and may be tried again. */
async function act(platform: Platform, task: ExecuteJob, answer: Answer): Promise<"retry" | "done"> {
  const { run } = task;
  if (run.status !== "running") return "done";
  const maxAttempts = run.maxAttempts ?? findFunction(platform, run.functionId)?.maxAttempts ?? 1;

  if (answer.err !== undefined) {
    if (!answer.noRetry && task.attempt + 1 < maxAttempts) {
      return "retry";
    }
    finishRun(platform, run, {
      status: "failed",
      error: standardError(answer),
      ...("output" in answer ? { result: answer.output } : {}),
    });
    return "done";
  }
  if (answer.ops.length === 0) {
    finishRun(platform, run, {
      status: "completed",
      ...("output" in answer ? { result: answer.output } : {}),
    });
    return "done";
  }
  if (answer.ops.every((op) => op.op === "None" && op.id === "")) {
    const last = run.stack.at(-1) ?? "";
    const id = `redrive:${run.requests}`;
    queueDiscovery(platform, run, last, { pending: false, group: undefined, race: task.race, id });
    return "done";
  }
  return handleOps(platform, task, answer, maxAttempts);
}

import { type Answer, standardError } from "./answer.ts";
import { findFunction } from "./apps.ts";
import { backoff } from "./clock.ts";
import { dispatch } from "./dispatch.ts";
import { finishRun } from "./finish.ts";
import { handleOps } from "./ops.ts";
import { type ExecuteJob, type Job, type Platform, unsupported, where } from "./platform.ts";
import { queueDiscovery } from "./runs.ts";

/** A run that asks for more is in a loop: the platform allows 1,000 steps. */
const MAX_REQUESTS = 3000;

function retry(platform: Platform, job: Job, task: ExecuteJob, answer: Answer): "retry" {
  const at = answer.retryAt ?? platform.now + backoff(task.attempt);
  task.attempt += 1;
  task.run.attempts += 1;
  platform.order += 1;
  platform.jobs.add({ ...job, at, order: platform.order });
  return "retry";
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
  const answer = await dispatch(platform, task);
  if (run.status !== "running") return "done";
  const maxAttempts = run.maxAttempts ?? findFunction(platform, run.functionId)?.maxAttempts ?? 1;

  if (answer.err !== undefined) {
    if (!answer.noRetry && task.attempt + 1 < maxAttempts) {
      return retry(platform, job, task, answer);
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
  const result = await handleOps(platform, task, answer, maxAttempts);
  return result === "retry" ? retry(platform, job, task, answer) : "done";
}

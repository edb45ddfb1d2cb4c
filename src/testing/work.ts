import { deliver, runBatch } from "./events.ts";
import { execute } from "./execute.ts";
import { dropJobs, type Job, type Platform } from "./platform.ts";
import { timeOut } from "./resume.ts";
import { queueDiscovery } from "./runs.ts";
import { drain } from "./schedule.ts";
import { saveStep } from "./state.ts";

/** Performs one job. */
async function perform(platform: Platform, job: Job): Promise<void> {
  const { task } = job;
  switch (task.kind) {
    case "execute":
      try {
        if ((await execute(platform, job, task)) === "done") task.run.jobIds.delete(job.id);
      } catch (error) {
        // The run cannot go on; without this every later idle() would fail again.
        task.run.status = "failed";
        task.run.error = { name: "StepsealError", message: error instanceof Error ? error.message : "" };
        dropJobs(platform, task.run);
        throw error;
      }
      return;
    case "event":
      return deliver(platform, task.event);
    case "wake": {
      const { run, stepId, group, race } = task;
      run.jobIds.delete(job.id);
      const { pending } = saveStep(run, stepId, null);
      queueDiscovery(platform, run, stepId, { pending, group, race, id: `woke:${stepId}` });
      return;
    }
    case "timeout":
      task.run.jobIds.delete(job.id);
      return timeOut(platform, task.wait);
    case "batch":
      return runBatch(platform, task.batch);
  }
}

/** Performs what is due. */
export function performDue(platform: Platform): Promise<void> {
  return drain(platform, (job) => perform(platform, job), { concurrency: platform.options.concurrency });
}

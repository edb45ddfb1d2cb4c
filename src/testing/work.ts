import { deliver, runBatch } from "./events.ts";
import { execute } from "./execute.ts";
import { dropJobs, type Job, nextJob, type Platform } from "./platform.ts";
import { timeOut } from "./resume.ts";
import { queueDiscovery } from "./runs.ts";
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

/** Performs what is due, up to `concurrency` jobs at once. A failure is thrown when those under way are done. */
export async function drain(platform: Platform): Promise<void> {
  const limit = platform.options.concurrency ?? 1;
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for (;;) {
    while (failures.length === 0 && underWay.size < limit) {
      const job = nextJob(platform, platform.now);
      if (!job) break;
      platform.jobs.delete(job);
      const work: Promise<void> = perform(platform, job)
        .catch((error: unknown) => {
          failures.push(error);
        })
        .finally(() => underWay.delete(work));
      underWay.add(work);
    }
    if (underWay.size === 0) break;
    await Promise.race(underWay);
  }
  if (failures.length > 0) throw failures[0];
}

import { deliver } from "./deliver.ts";
import { nextJob } from "./queue.ts";
import type { Job, Platform } from "./state.ts";
import { timeOut } from "./waits.ts";

async function perform(platform: Platform, job: Job): Promise<void> {
  if ("wait" in job.task) timeOut(platform, job.task.wait);
  else await deliver(platform, job.task.message);
}

/** Performs what is due, up to `concurrency` jobs at once. A failure is thrown when those under way are done. */
export async function drain(platform: Platform): Promise<void> {
  const limit = platform.options.concurrency ?? 1;
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for (;;) {
    failures.push(...platform.faults.splice(0));
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

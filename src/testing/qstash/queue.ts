import type { Job, Platform, RunRecord } from "./state.ts";

/** Puts something in the queue. */
export function enqueue(platform: Platform, at: number, task: Job["task"]): void {
  platform.order += 1;
  platform.jobs.add({ at, order: platform.order, task });
}

/** The first job that is due at a time, or undefined. */
export function nextJob(platform: Platform, until: number): Job | undefined {
  let first: Job | undefined;
  for (const job of platform.jobs) {
    if (job.at > until) continue;
    if (first === undefined || job.at < first.at || (job.at === first.at && job.order < first.order)) {
      first = job;
    }
  }
  return first;
}

/** Takes out of the queue what a run had to do, but for its failure callback, which is done after its end. */
export function dropJobs(platform: Platform, run: RunRecord): void {
  for (const job of platform.jobs) {
    const { task } = job;
    const owner = "message" in task ? task.message.run : task.wait.run;
    if (owner === run && !("message" in task && task.message.kind === "failure")) platform.jobs.delete(job);
  }
}

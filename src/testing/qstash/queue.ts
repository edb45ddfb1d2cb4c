import type { Job, Platform, RunRecord } from "./state.ts";

/** Puts something in the queue. */
export function enqueue(platform: Platform, at: number, task: Job["task"]): void {
  platform.order += 1;
  platform.jobs.add({ at, order: platform.order, task });
}

/** Takes out of the queue what a run had to do, but for its failure callback, which is done after its end. */
export function dropJobs(platform: Platform, run: RunRecord): void {
  for (const job of platform.jobs) {
    const { task } = job;
    const owner = "message" in task ? task.message.run : task.wait.run;
    if (owner === run && !("message" in task && task.message.kind === "failure")) platform.jobs.delete(job);
  }
}

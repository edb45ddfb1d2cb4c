import type { Job, Message, Platform, RunRecord } from "./state.ts";

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

/** Takes out of the queue what a run had to do. Returns its messages, in the order they were due. */
export function dropJobs(platform: Platform, run: RunRecord): Message[] {
  const dropped: Job[] = [];
  for (const job of platform.jobs) {
    const owner = "message" in job.task ? job.task.message.run : job.task.wait.run;
    // A failure callback is what is done for a run after its end.
    if (owner !== run || ("message" in job.task && job.task.message.kind === "failure")) continue;
    platform.jobs.delete(job);
    dropped.push(job);
  }
  return dropped
    .sort((one, other) => one.at - other.at || one.order - other.order)
    .flatMap(({ task }) => ("message" in task ? [task.message] : []));
}

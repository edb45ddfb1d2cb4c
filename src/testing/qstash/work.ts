import { drain } from "../schedule.ts";
import { deliver } from "./deliver.ts";
import type { Job, Platform } from "./state.ts";
import { timeOut } from "./waits.ts";

async function perform(platform: Platform, job: Job): Promise<void> {
  if ("wait" in job.task) timeOut(platform, job.task.wait);
  else await deliver(platform, job.task.message);
}

/** Performs what is due. */
export function performDue(platform: Platform): Promise<void> {
  const { options, faults } = platform;
  return drain(platform, (job) => perform(platform, job), { concurrency: options.concurrency, faults });
}

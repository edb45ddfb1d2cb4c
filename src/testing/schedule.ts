import { durationOf } from "./clock.ts";

/** Something that is due at a time of the virtual clock, in milliseconds. Of two at one time, the lower order is first. */
export interface Due {
  readonly at: number;
  readonly order: number;
}

/** What a platform has to do, and the time it has. */
export interface Schedule<Job extends Due> {
  now: number;
  readonly jobs: Set<Job>;
}

/** The first job that is due by a time, or undefined. */
function nextJob<Job extends Due>({ jobs }: Schedule<Job>, until: number): Job | undefined {
  let first: Job | undefined;
  for (const job of jobs) {
    if (job.at > until) continue;
    if (first === undefined || job.at < first.at || (job.at === first.at && job.order < first.order))
      first = job;
  }
  return first;
}

/**
 * Performs what is due, up to `concurrency` jobs at once. A failure is thrown when those under way are done.
 *
 * @param faults what went wrong elsewhere, beside any job; taken out
 */
export async function drain<Job extends Due>(
  schedule: Schedule<Job>,
  perform: (job: Job) => Promise<void>,
  { concurrency = 1, faults = [] }: { concurrency?: number | undefined; faults?: unknown[] },
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for (;;) {
    failures.push(...faults.splice(0));
    while (failures.length === 0 && underWay.size < concurrency) {
      const job = nextJob(schedule, schedule.now);
      if (!job) break;
      schedule.jobs.delete(job);
      const work: Promise<void> = perform(job)
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

/** What a test moves the clock with. */
export interface ClockHands {
  /** Performs all that is due. */
  idle(): Promise<void>;
  /** Moves the clock, performing what falls due on the way in order. `"1h30m"`, or milliseconds. */
  advance(duration: string | number): Promise<void>;
}

/** The hands of a clock. They wait for each other, so that the clock moves for one at a time. */
export function handsOf<Job extends Due>(
  schedule: Schedule<Job>,
  performDue: () => Promise<void>,
): ClockHands {
  let last: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
  return {
    idle: () => inTurn(performDue),
    advance: async (duration) => {
      const milliseconds = durationOf(duration);
      return inTurn(async () => {
        const end = schedule.now + milliseconds;
        for (;;) {
          await performDue();
          const next = nextJob(schedule, end);
          if (!next) break;
          schedule.now = next.at;
        }
        schedule.now = end;
      });
    },
  };
}

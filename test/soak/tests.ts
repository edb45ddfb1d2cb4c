import { expect, test } from "vitest";
import type { Sdk } from "./platform.ts";
import type { SoakReport } from "./report.ts";
import { soak } from "./soak.ts";

const slow = process.env.SLOW === "1";
const seed = Number(process.env.SOAK_SEED ?? (slow ? Date.now() % 1_000_000 : 1));

/**
 * How much the heap may grow from a fifth of the runs to the last: code that is compiled late, and the signatures of some
 * minutes. In 8,000 runs, a leak of half a kilobyte a run is more.
 */
const HEAP_TOLERANCE = 4_000_000;
const HOURS = 3_600_000;

/** One rotation, in which nothing is apart. */
const control = { runs: 1, batch: 6, apartEvery: 9 };

/** How many runs a soak has, and how many are started during one rotation. */
export interface Size {
  readonly runs: number;
  readonly batch: number;
}

/** The tests of one SDK: the soak itself, and what shows that it would see a fault. */
export function soakTests(
  sdk: () => Sdk | Promise<Sdk>,
  { small, big }: { readonly small: Size; readonly big: Size },
): void {
  const size = slow ? big : small;
  const runs = Number(process.env.SOAK_RUNS ?? size.runs);

  test(
    `${runs} runs through faults and rotations end once, as they should, in flat memory; SOAK_SEED=${seed}`,
    async () => {
      const report = await soak(await sdk(), { ...size, runs, seed, apartEvery: slow ? 25 : 2 });
      if (slow) console.log(told(report));
      expect(report.problems).toEqual([]);
      expect(report.runs).toBeGreaterThanOrEqual(runs);
      expect(report.leaks).toBe(0);
      expect(report.searched).toBeGreaterThan(report.runs);
      for (const fault of ["lost", "unanswered", "repeated", "delayed", "old copy", "restarted"]) {
        expect(report.faults, fault).toHaveProperty([fault]);
      }
      const [early = 0, , late = 0] = report.heap;
      expect(late - early).toBeLessThan(HEAP_TOLERANCE);
    },
    10 * HOURS,
  );

  test("control: where a new ring has lost the old key, runs fail", async () => {
    const { problems, refusals } = await soak(await sdk(), {
      ...small,
      runs: 1,
      seed,
      apartEvery: 9,
      forgets: true,
    });
    expect(refusals.UNKNOWN_KEY).toBeGreaterThan(0);
    expect(problems).toContainEqual("a request was refused with UNKNOWN_KEY");
    expect(problems).toContainEqual(
      expect.stringMatching(/^(?:soak-order of run \d+ is failed|wfr_soak-\d+-order is RUN_FAILED)$/),
    );
    expect(problems).toContainEqual(expect.stringMatching(/^run \d+ did not finish: order/));
  });

  test("control: an app without stepseal leaks", async () => {
    const { problems, leaks } = await soak(await sdk(), { ...control, seed, seal: false });
    expect(leaks).toBeGreaterThan(0);
    expect(problems).toContainEqual(expect.stringMatching(/^plaintext left in the body/));
  });
}

/** Figures to print. */
function told(report: SoakReport): string {
  const { runs, requests, retries, searched, faults, refusals, heap, seconds } = report;
  const megabytes = heap.map((bytes) => (bytes / 1e6).toFixed(1)).join(", ");
  return [
    `${runs} runs and ${requests} requests in ${seconds.toFixed(0)} s, ${(runs / seconds).toFixed(1)} runs a second`,
    `${retries} retries, ${searched} messages searched; refusals ${JSON.stringify(refusals)}`,
    `faults ${JSON.stringify(faults)}`,
    `heap at a fifth, at three fifths and at the end: ${megabytes} MB`,
  ].join("\n");
}

import { heapUsed } from "../heap.ts";
import { Fleet, SLOTS } from "./fleet.ts";
import { Ledger } from "./ledger.ts";
import type { Sdk } from "./platform.ts";
import type { SoakOptions, SoakReport } from "./report.ts";
import { rotationOf } from "./rotation.ts";

const MARKS = [0.2, 0.6, 1];
/** Hours after which a run that is still open is taken for one that never ends. */
const PATIENCE = 72;

/** Sends runs through one rotation after the other, with faults everywhere. All of it depends on the seed. */
export async function soak(sdk: Sdk, options: SoakOptions): Promise<SoakReport> {
  const { seed, runs, batch } = options;
  const ledger = new Ledger();
  const report: SoakReport = {
    runs: 0,
    requests: 0,
    retries: 0,
    searched: 0,
    leaks: 0,
    faults: {},
    refusals: {},
    problems: ledger.problems,
    heap: [],
    seconds: 0,
  };
  const began = performance.now();
  const fleet = new Fleet(sdk, options, ledger, report);
  for (let generation = 0; report.runs < runs && ledger.problems.length === 0; generation++) {
    await rotate(fleet, generation, batch);
    while (MARKS[report.heap.length]! * runs <= report.runs) report.heap.push(await heapUsed());
  }
  fleet.stop();
  report.seconds = (performance.now() - began) / 1000;
  if (ledger.problems.length > 0) ledger.problem(`SOAK_SEED=${seed}`);
  return report;
}

/** One batch of runs, during one rotation. */
async function rotate(fleet: Fleet, generation: number, batch: number): Promise<void> {
  const { seed, forgets = false } = fleet.options;
  const rush = generation % 4 === 1;
  const { deploys, retirement } = rotationOf(seed, generation, { rush, forgets });
  await fleet.open(generation, deploys[0]!, rush);
  const slices = (deploys.length + retirement.length) * (SLOTS + 1);
  const first = generation * batch + 1;
  let started = 0;
  let slice = 0;
  // An hour: some runs start, orders that wait are paid, and all go on.
  const hour = async (): Promise<void> => {
    slice += 1;
    for (; started < (batch * slice) / slices; started++) await fleet.start(first + started);
    await fleet.pay();
    await fleet.advance();
  };
  const settle = async (): Promise<void> => {
    for (let hours = 0; hours < PATIENCE && fleet.isBusy(); hours++) {
      await fleet.pay();
      await fleet.advance();
    }
  };
  for (const ring of deploys) {
    fleet.rolling = ring !== deploys[0];
    for (let slot = 0; slot < SLOTS; slot++) {
      await fleet.deploy(slot, ring);
      await hour();
    }
    fleet.rolling = false;
    await hour();
  }
  await settle();
  for (const ring of retirement) {
    for (let slot = 0; slot < SLOTS; slot++) {
      await fleet.deploy(slot, ring);
      await hour();
    }
    await hour();
  }
  await settle();
  await fleet.close();
}

import type { FunctionRecord } from "./apps.ts";
import { timeFrom } from "./clock.ts";
import { enqueue, type Platform, unsupported, where } from "./platform.ts";
import type { RunRecord } from "./state.ts";

const YEAR = 365 * 86_400_000;

/** A run that waits for something from outside, or that something can cancel. */
export interface Wait {
  readonly kind: "event" | "signal" | "invoke" | "cancel";
  readonly run: RunRecord;
  readonly stepId: string;
  /** Event name, signal, or correlation id. */
  readonly name: string;
  readonly expression: string | undefined;
  readonly expires: number;
  readonly group: string | undefined;
  readonly race: boolean;
}

/** Whether a step waits already: an app reports a step again until it has state. */
export function isWaiting(platform: Platform, run: RunRecord, stepId: string): boolean {
  return [...platform.waits].some((wait) => wait.run === run && wait.stepId === stepId);
}

/** Adds a wait of a step and its time-out. */
export function addWait(platform: Platform, wait: Wait): void {
  platform.waits.add(wait);
  enqueue(platform, `timeout:${wait.stepId}`, wait.expires, { kind: "timeout", run: wait.run, wait });
}

/** Notes which events cancel a run. */
export function addCancelWaits(platform: Platform, run: RunRecord, fn: FunctionRecord): void {
  for (const cancel of fn.cancel) {
    const expires =
      cancel.timeout === undefined ? platform.now + YEAR : timeFrom(platform.now, cancel.timeout);
    if (expires === undefined) {
      throw unsupported(where(run), `the cancelOn timeout ${JSON.stringify(cancel.timeout)} is no duration`);
    }
    platform.waits.add({
      kind: "cancel",
      run,
      stepId: "",
      name: cancel.event,
      expression: cancel.if,
      expires,
      group: undefined,
      race: false,
    });
  }
}

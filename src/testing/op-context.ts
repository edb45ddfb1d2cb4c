import type { Op } from "./answer.ts";
import type { ExecuteJob, Platform } from "./platform.ts";
import type { RunRecord } from "./state.ts";

/** What the handler of an op needs to know about the execution that reported it. */
export interface OpContext {
  readonly platform: Platform;
  readonly job: ExecuteJob;
  readonly run: RunRecord;
  readonly maxAttempts: number;
  readonly noRetry: boolean;
  /** The parallel group this answer starts. */
  readonly group: string | undefined;
  readonly onlyLazy: boolean;
}

/** Something a run does that makes the platform end it at once. */
export class RunFailure extends Error {
  readonly title: string;
  constructor(title: string, message: string) {
    super(message);
    this.title = title;
  }
}

/** What a step is called. */
export const nameOf = (op: Op): string => op.displayName ?? (op.name || op.id);
/** Whether a step is a branch of a race. */
export const isRace = (op: Op): boolean => op.opts.parallelMode === "race";

/** Remembers what a step is called, once, in the order steps appear. */
export function noteStep(run: RunRecord, op: Op): void {
  const known = run.stepNames.get(op.id);
  run.stepNames.set(op.id, { name: op.userlandId ?? nameOf(op), op: op.op });
  if (known && op.op === "StepPlanned") run.stepNames.set(op.id, known);
}

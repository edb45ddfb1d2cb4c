import { StepsealError } from "../errors.ts";
import { type FunctionRecord, findFunction } from "./apps.ts";
import { hashStepId, ulid } from "./ids.ts";
import { isObject, storedCopy } from "./json.ts";
import { enqueue, type Platform } from "./platform.ts";
import { isInputOnly, RunRecord } from "./state.ts";
import type { StoredEvent, StoredStep } from "./stored.ts";
import { addCancelWaits } from "./waits.ts";

/** Queues an execution of a run. Without `stepId` it is a discovery. */
export function queueExecution(
  platform: Platform,
  run: RunRecord,
  id: string,
  step: {
    stepId?: string;
    after?: string | undefined;
    group?: string | undefined;
    race?: boolean;
    attempt?: number;
    /** Milliseconds to wait. */
    delay?: number;
  } = {},
): void {
  enqueue(platform, id, platform.now + (step.delay ?? 0), {
    kind: "execute",
    run,
    stepId: step.stepId,
    after: step.after,
    group: step.group,
    race: step.race ?? false,
    attempt: step.attempt ?? 0,
    dispatches: 0,
  });
}

/** Creates a run and queues its first execution, unless the same event started the function before. */
export function scheduleRun(platform: Platform, fn: FunctionRecord, events: readonly StoredEvent[]): void {
  if (events.length === 1) {
    const key = `${fn.id} ${events[0]?.id}`;
    if (platform.started.has(key)) return;
    platform.started.add(key);
  }
  const run = new RunRecord(ulid(platform.now), fn.id, fn.appId, storedCopy([...events]));
  platform.runs.set(run.id, run);
  addCancelWaits(platform, run, fn);
  queueExecution(platform, run, "start");
}

/**
 * Queues the next discovery after a step finished, unless steps of its parallel group are still running.
 * The last one of a group ends the planning of every step.
 */
export function queueDiscovery(
  platform: Platform,
  run: RunRecord,
  stepId: string,
  options: { pending: boolean; group?: string | undefined; race: boolean; id?: string },
): void {
  if (options.pending && !options.race) return;
  if (run.requestVersion >= 2) run.forceStepPlan = false;
  const shared = options.group !== undefined && !options.race ? `discover:${options.group}` : undefined;
  queueExecution(platform, run, shared ?? options.id ?? `after:${stepId}`, {
    after: stepId,
    race: options.race,
  });
}

/** The hashed id of the step a test names by id, name or hashed id. */
function findStep(run: RunRecord, named: string): string {
  const hashed = [named, hashStepId(named)].find((id) => run.stepNames.has(id) || run.steps.has(id));
  if (hashed !== undefined) return hashed;
  const hits = [...run.stepNames].filter(([, step]) => step.name === named);
  if (hits.length === 1) return hits[0]![0];
  throw new StepsealError(
    "CONFIG",
    hits.length === 0
      ? `engine.rerun: run ${run.id} has no step ${JSON.stringify(named)}`
      : `engine.rerun: run ${run.id} has several steps named ${JSON.stringify(named)}: give a hashed id`,
  );
}

/** A step's state as a rerun gets it: results that are not wrapped, such as a received event, are wrapped. */
function copied(step: StoredStep): StoredStep {
  if (step === null) return null;
  const wrapped = isObject(step) && ("data" in step || "error" in step) && !("name" in step && "ts" in step);
  return storedCopy(wrapped ? step : { data: step });
}

/**
 * Creates a run from another one: the first event, and the finished steps that began before `fromStep`.
 * A step that ran in the app is requested at once; for any other kind the function is entered again.
 */
export function rerun(
  platform: Platform,
  original: RunRecord,
  fromStep: string | undefined,
  input: unknown[] | undefined,
): RunRecord {
  if (!findFunction(platform, original.functionId)) {
    throw new StepsealError("CONFIG", `engine.rerun: no app serves ${original.functionId}`);
  }
  if (input !== undefined && fromStep === undefined) {
    throw new StepsealError("CONFIG", "engine.rerun: input needs fromStep, the step it is for");
  }
  const run = new RunRecord(
    ulid(platform.now),
    original.functionId,
    original.appId,
    storedCopy(original.events.slice(0, 1)),
    original.id,
  );
  let target: { stepId?: string; after?: string } = {};
  if (fromStep !== undefined) {
    const stepId = findStep(original, fromStep);
    for (const [id, step] of original.stepNames) {
      if (id === stepId) break;
      const state = original.steps.get(id);
      if (state === undefined || isInputOnly(state)) continue;
      run.steps.set(id, copied(state));
      run.stepNames.set(id, step);
    }
    const after = [...run.steps.keys()].at(-1);
    if (after !== undefined) target = { after };
    const op = original.stepNames.get(stepId)?.op;
    if (op === undefined || op === "Step" || op === "StepRun") target = { ...target, stepId };
    if (input !== undefined) run.steps.set(stepId, storedCopy({ input }));
  }
  platform.runs.set(run.id, run);
  queueExecution(platform, run, "start", target);
  return run;
}

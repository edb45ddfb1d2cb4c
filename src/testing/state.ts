import type { Run, RunStatus, StoredEvent, StoredStep } from "./stored.ts";

/** A deferred run as it waits for its parent to end. */
export interface Defer {
  readonly functionId: string;
  readonly input: unknown;
  readonly meta: unknown;
  status: "after-run" | "aborted" | "rejected";
}

/** What a step of a run is called, for messages and for reruns by name. */
export interface StepName {
  readonly name: string;
  readonly op: string;
}

/** A run with what the engine keeps beside its public part. */
export class RunRecord implements Run {
  readonly id: string;
  readonly functionId: string;
  readonly appId: string;
  readonly rerunOf: string | undefined;
  readonly events: StoredEvent[];
  readonly steps: Map<string, StoredStep> = new Map();
  status: RunStatus = "running";
  output: unknown;
  error: unknown;
  attempts = 1;
  requests = 0;

  /** Steps of a parallel group that have not finished: the next discovery waits for them. */
  readonly pending: Set<string> = new Set();
  /** Ids of jobs that are queued or under way: the queue takes each once. */
  readonly jobIds: Set<string> = new Set();
  readonly defers: Map<string, Defer> = new Map();
  readonly stepNames: Map<string, StepName> = new Map();
  /** -1 until the app said which version of the execution protocol it speaks. */
  requestVersion = -1;
  /** Whether the app must plan steps instead of running them at once. */
  forceStepPlan = false;
  /** A durable endpoint: the URL to call again, and how. */
  endpoint: { readonly url: string; readonly method: string } | undefined;
  /** Of a durable endpoint, which is in no registration. */
  maxAttempts: number | undefined;

  constructor(
    id: string,
    functionId: string,
    appId: string,
    events: StoredEvent[],
    rerunOf: string | undefined = undefined,
  ) {
    this.id = id;
    this.functionId = functionId;
    this.appId = appId;
    this.events = events;
    this.rerunOf = rerunOf;
  }

  get event(): StoredEvent {
    return this.events[0]!;
  }

  /** The ids of finished steps in the order they finished. */
  get stack(): string[] {
    return [...this.steps].filter(([, step]) => !isInputOnly(step)).map(([id]) => id);
  }
}

/** Whether a step's state is an edited input that waits for its step to run. */
export function isInputOnly(step: StoredStep): boolean {
  return typeof step === "object" && step !== null && "input" in step && !("data" in step || "error" in step);
}

/**
 * Stores a finished step. A step that has state already keeps it.
 *
 * @returns whether steps of its parallel group are still running, and whether the state was new
 */
export function saveStep(
  run: RunRecord,
  stepId: string,
  state: StoredStep,
): { readonly pending: boolean; readonly saved: boolean } {
  const known = run.steps.get(stepId);
  if (known !== undefined && !isInputOnly(known)) return { pending: run.pending.size > 0, saved: false };
  run.steps.delete(stepId);
  run.steps.set(stepId, state);
  run.pending.delete(stepId);
  return { pending: run.pending.size > 0, saved: true };
}

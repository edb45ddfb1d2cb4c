import { StepsealError } from "../errors.ts";
import type { AppRecord } from "./apps.ts";
import type { RunRecord } from "./state.ts";
import type { StoredEvent } from "./stored.ts";
import type { TestEngineOptions, WireEntry } from "./types.ts";
import type { Wait } from "./waits.ts";

/** An execution of a run: a discovery, or one planned step. */
export interface ExecuteJob {
  readonly kind: "execute";
  readonly run: RunRecord;
  /** Hashed id of the planned step to run. */
  readonly stepId: string | undefined;
  /** Hashed id of the step that led here. */
  readonly after: string | undefined;
  /** Set on the steps of one parallel group: their completions share one discovery. */
  readonly group: string | undefined;
  readonly race: boolean;
  attempt: number;
  /** Times it was sent. */
  dispatches: number;
}

/** Something to do at a time of the virtual clock. */
export type Task =
  | ExecuteJob
  | { readonly kind: "event"; readonly event: StoredEvent }
  | {
      readonly kind: "wake";
      readonly run: RunRecord;
      readonly stepId: string;
      readonly group: string | undefined;
      readonly race: boolean;
    }
  | { readonly kind: "timeout"; readonly run: RunRecord; readonly wait: Wait }
  | { readonly kind: "batch"; readonly batch: Batch };

/** Events collected for a function that takes them in batches. */
export interface Batch {
  readonly functionId: string;
  readonly key: string;
  readonly events: StoredEvent[];
}

/** A task in the queue. `id` is its job id within its run. */
export interface Job {
  readonly id: string;
  at: number;
  readonly order: number;
  readonly task: Task;
}

/** The state all parts of the engine share. */
export interface Platform {
  readonly options: TestEngineOptions;
  readonly signingKey: string | undefined;
  readonly signingKeyFallback: string | undefined;
  readonly eventKey: string;
  readonly baseUrl: string;
  now: number;
  order: number;
  readonly jobs: Set<Job>;
  readonly apps: Map<string, AppRecord>;
  /** Answers for durable endpoints. */
  endpoint: AppRecord["send"] | undefined;
  /** Syncs under way, by deploy id. */
  readonly syncs: Map<string, (registration: unknown) => void>;
  readonly runs: Map<string, RunRecord>;
  readonly events: StoredEvent[];
  readonly waits: Set<Wait>;
  readonly batches: Map<string, Batch>;
  /** Runs by function and event id: an event starts a function once. */
  readonly started: Set<string>;
  readonly wire: WireEntry[];
}

/** Puts a task in the queue, unless a job of the same id and run is in it or under way. */
export function enqueue(platform: Platform, id: string, at: number, task: Task): void {
  if ("run" in task) {
    if (task.run.jobIds.has(id)) return;
    task.run.jobIds.add(id);
  }
  platform.order += 1;
  platform.jobs.add({ id, at, order: platform.order, task });
}

/** Hands an event to the queue as the platform's own or as received; it is matched when its turn comes. */
export function publish(platform: Platform, event: StoredEvent): void {
  platform.events.push(event);
  enqueue(platform, event.id, platform.now, { kind: "event", event });
}

/** Drops everything that waits to be done for a run. */
export function dropJobs(platform: Platform, run: RunRecord): void {
  for (const job of platform.jobs) if ("run" in job.task && job.task.run === run) platform.jobs.delete(job);
  for (const wait of platform.waits) if (wait.run === run) platform.waits.delete(wait);
}

/** Where a run stands, for messages. */
export function where(run: RunRecord, stepId?: string): string {
  const name = stepId === undefined ? undefined : run.stepNames.get(stepId)?.name;
  const step =
    stepId === undefined
      ? ""
      : `, step ${name === undefined ? stepId : `${JSON.stringify(name)} (${stepId})`}`;
  return `run ${run.id} of ${run.functionId}${step}`;
}

/** An error for something a run does that the engine does not know. */
export function unsupported(place: string, what: string): StepsealError {
  return new StepsealError("UNSUPPORTED", `test engine: ${place}: ${what}`);
}

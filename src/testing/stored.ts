/** An event as it is sent to the engine; `data`, `id` and `ts` are filled in when absent. */
export interface EventInput {
  readonly name: string;
  readonly data?: Record<string, unknown>;
  readonly id?: string;
  /** Milliseconds since the epoch. Default: the engine's clock. */
  readonly ts?: number;
  readonly user?: Record<string, unknown>;
  readonly v?: string;
  readonly meta?: Record<string, unknown>;
}

/** An event as the engine stores it and sends it to the app: plain JSON, yours to edit. */
export interface StoredEvent {
  name: string;
  id: string;
  ts: number;
  data: Record<string, unknown>;
  [field: string]: unknown;
}

/** An error as the platform stores it for a step. `code` and other own properties do not survive. */
export interface StoredError {
  name: string;
  message: string;
  stack?: string;
  data?: unknown;
  noRetry?: boolean;
  cause?: unknown;
}

/**
 * The state of one step in exactly the shape the platform sends it: `{ data }` for a result, `{ error }` for
 * a failed step, `{ input }` for a step whose input was edited and that has not run yet, `null` for a sleep
 * that is over or a wait that timed out, and the event itself for a `waitForEvent` that was met. The platform
 * sends no `type`; a test may add one.
 */
export type StoredStep = {
  data?: unknown;
  error?: StoredError;
  input?: unknown;
  type?: string;
  [field: string]: unknown;
} | null;

/** Where a run stands. */
export type RunStatus = "running" | "completed" | "failed" | "cancelled";

/**
 * One run of one function, as the platform holds it. `events` and `steps` are the live state: what a test
 * changes there is what the app is sent next, which is how a test plays a platform that tampers with data.
 */
export interface Run {
  /** ULID of the run. */
  readonly id: string;
  /** The function's full id, `<app id>-<function id>`. */
  readonly functionId: string;
  readonly appId: string;
  readonly status: RunStatus;
  /** The triggering event; the first one of a batch. */
  readonly event: StoredEvent;
  readonly events: StoredEvent[];
  /** Finished steps by hashed id, in the order they finished. */
  readonly steps: Map<string, StoredStep>;
  /** The function's result as stored; undefined while the run goes on, or when it failed. */
  readonly output: unknown;
  /** The error the run ended with, as stored; undefined unless it failed. */
  readonly error: unknown;
  /** 1 plus the number of retries so far, over all steps. */
  readonly attempts: number;
  /** Execution requests made to the app for this run. */
  readonly requests: number;
  /** The run this one was rerun from. */
  readonly rerunOf: string | undefined;
}

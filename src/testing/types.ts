import type { Fault } from "./fault.ts";
import type { EventInput, Run, StoredEvent } from "./stored.ts";

/**
 * One message that left the app.
 *
 * `response`: the answer of the serve handler to a request of the platform; `method` and `url` are the
 * request's, the rest is the answer's. `event`: a call of the event API. `api`: any other call through the
 * client's `fetch`; `status` is what the platform answered.
 */
export interface WireEntry {
  readonly channel: "response" | "event" | "api";
  readonly method: string;
  readonly url: string;
  /** Of the response, or of the platform's answer. */
  readonly status?: number;
  /** Lower-case names. Of the response, or of the call. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly runId?: string;
  /** The function's full id. */
  readonly functionId?: string;
}

/** A call of the platform's API by the app, as an intercept hook sees it. */
export interface ApiRequest {
  readonly url: string;
  readonly method: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The JSON body of an execution request, before it is signed and sent. */
export interface ExecutionRequest {
  event: Record<string, unknown>;
  events: Record<string, unknown>[];
  steps: Record<string, unknown>;
  defers: Record<string, { abortable: boolean }>;
  ctx: {
    fn_id?: string;
    run_id: string;
    env: string;
    step_id: string;
    attempt: number;
    max_attempts: number;
    stack: { stack: string[]; current: number };
    qi_id?: string;
    request_id: string;
    generation_id: number;
    job_id: string;
    disable_immediate_execution: boolean;
    use_api: boolean;
  };
  version: number;
  use_api: boolean;
}

/** A request the platform is asked to make for a `step.fetch` or `step.ai.infer`. */
export interface GatewayRequest {
  readonly kind: "fetch" | "ai";
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As the app gave it: text for `step.fetch`, JSON for `step.ai.infer`. */
  readonly body: unknown;
  /** The op's options, whole. */
  readonly opts: Readonly<Record<string, unknown>>;
  readonly run: Run;
}

/** The answer to a {@link GatewayRequest}. */
export interface GatewayResponse {
  /** Default 200; above 299 an AI request fails, as on the platform. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text, or a value that is sent as JSON. */
  readonly body: unknown;
}

/** A serve handler: what `serve()` of `inngest/edge`, `inngest/next`, `inngest/hono` and others return. */
export type ServeHandler = (request: Request) => Response | Promise<Response>;

/** Options of {@link createTestEngine}; all optional. */
export interface TestEngineOptions {
  /**
   * Whether the platform offers checkpointing to the app. Default true, as the real one does: the SDK and
   * its `checkpointing` option then decide.
   */
  readonly checkpointing?: boolean;
  /** Default: a fixed key for tests. `null`: dev mode, nothing is signed. */
  readonly signingKey?: string | null;
  /** A second signing key the app accepts; the engine signs with `signingKey`. */
  readonly signingKeyFallback?: string;
  /** Which of the two the engine signs execution requests with. Default `"primary"`. */
  readonly signWith?: "primary" | "fallback";
  /** Start of the virtual clock, in milliseconds since the epoch. Default: `Date.now()`. */
  readonly now?: number;
  /** Execution requests in flight at once. Default 1: one after the other, in a fixed order. */
  readonly concurrency?: number;
  /** Real milliseconds an execution request may take before `idle()` throws. Default 20,000. */
  readonly requestTimeout?: number;
  /** Above this size of a request body, in bytes, the app is told to fetch state from the API. Default 4 MiB. */
  readonly stateLimitBytes?: number;
  /** How an app is registered: by a call of its own (default), or in the answer to the sync request. */
  readonly sync?: "out_of_band" | "in_band";
  /** Answers `step.fetch` and `step.ai.infer`, which the platform runs itself. Without it they are an error. */
  readonly gateway?: (request: GatewayRequest) => GatewayResponse | Promise<GatewayResponse>;
  /**
   * Sees every call of the platform's API first. A returned response is what the app gets, and the platform
   * never sees the call; undefined lets it pass.
   */
  readonly intercept?: (request: ApiRequest) => Response | undefined | Promise<Response | undefined>;
  /**
   * Sees the body of every execution request just before it is signed. It may change it in place, or return
   * another one.
   */
  readonly onExecute?: (
    body: ExecutionRequest,
    target: { readonly run: Run; readonly url: string },
    // biome-ignore lint/suspicious/noConfusingVoidType: a hook that only edits in place returns nothing
  ) => ExecutionRequest | undefined | void;
  /** Asked before each execution request what goes wrong with it. Undefined: nothing. */
  readonly fault?: (request: {
    readonly run: Run;
    /** Hashed id of the step it is for; undefined when the function is entered to find its next steps. */
    readonly stepId: string | undefined;
    /** Times this execution failed before. */
    readonly attempt: number;
  }) => Fault | undefined;
}

/** What an Inngest client needs to talk to the engine, to be spread into its options. */
export interface TestClientOptions {
  /** Answers what the client sends, and records it. Nothing goes out. */
  readonly fetch: typeof fetch;
  readonly baseUrl: string;
  readonly eventKey: string;
  readonly isDev: boolean;
  readonly signingKey?: string;
  readonly signingKeyFallback?: string;
}

/** An app the engine has registered. */
export interface TestApp {
  readonly id: string;
  /** The full ids of its functions, those of failure handlers included. */
  readonly functionIds: readonly string[];
}

/** An in-process Inngest executor. See {@link createTestEngine}. */
export interface TestEngine {
  /** Spread into `new Inngest({ id, ...engine.clientOptions })`. */
  readonly clientOptions: TestClientOptions;
  /** The platform's API as a fetch function. No call leaves the process. */
  readonly fetch: typeof fetch;
  /**
   * Registers an app, or a new deploy of one, as the platform does: by a sync request to its handler.
   *
   * @param handler a serve handler, or the URL of a running one
   * @throws StepsealError `CONFIG` when the app does not answer the sync as an Inngest app
   */
  serve(handler: ServeHandler | string | URL): Promise<TestApp>;
  /**
   * Says how durable endpoints are reached: the handler of `inngest.endpoint()`, or a function that picks the
   * right one by the request's URL. It is called again for runs that could not end in their first request.
   */
  endpoint(handler: ServeHandler | string | URL): void;
  /** Stores events as if another app had sent them; nothing runs until {@link TestEngine.idle}. Returns their ids. */
  send(events: EventInput | readonly EventInput[]): Promise<string[]>;
  /**
   * Runs everything that is due until nothing is.
   *
   * @throws StepsealError `UNSUPPORTED` when a run does something the engine does not know, `CORRUPT` when
   *   a response is not signed as it must be; the message names run, function and step
   */
  idle(): Promise<void>;
  /** Moves the virtual clock, running what falls due on the way in order. `"1h30m"`, or milliseconds. */
  advance(duration: string | number): Promise<void>;
  /** The virtual clock: milliseconds since the epoch. */
  readonly now: number;
  /** All runs, oldest first. */
  readonly runs: readonly Run[];
  /** @throws StepsealError `CONFIG` when there is no such run */
  run(id: string): Run;
  /** The runs of one function, oldest first. Takes the full id, or the function's own id when only one app has it. */
  runsOf(functionId: string): Run[];
  /** All stored events, oldest first, those of the platform included. */
  readonly events: readonly StoredEvent[];
  /**
   * Runs a finished or running run again from one of its steps: a run with a new id, the same first event,
   * and the state of the steps that finished before that one. Returns the new run; call `idle()` to run it.
   *
   * @param from.fromStep the step's id or hashed id; without it everything runs again
   * @param from.input new input arguments for that step, as a dashboard can set them
   */
  rerun(runId: string, from?: { readonly fromStep?: string; readonly input?: unknown[] }): Run;
  /** Cancels a run, as the platform's API does. */
  cancel(runId: string): void;
  /** Everything that left the app so far, in order. */
  readonly wire: readonly WireEntry[];
}

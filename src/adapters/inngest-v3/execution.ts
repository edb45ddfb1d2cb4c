import { StepsealError } from "../../errors.ts";
import type { RunContext } from "../inngest/gate/context.ts";
import { INVOKED_EVENT } from "../inngest/gate/event.ts";
import {
  type FailureScope,
  gateFailure,
  loggable,
  Refusals,
  UNANSWERED_ERROR,
} from "../inngest/gate/failure.ts";
import { runsOf } from "../inngest/gate/fetch-gate.ts";
import type { Served } from "../inngest/gate/function-class.ts";
import type { ResolvedOptions } from "../inngest/gate/options.ts";
import { markPlatformError } from "../inngest/gate/platform-errors.ts";
import { createPolicy } from "../inngest/gate/policy.ts";
import { refusedPath } from "../inngest/gate/refusals.ts";
import {
  isEndpoint,
  type OpenedRun,
  openRun,
  openWithKeys,
  type RunInput,
} from "../inngest/gate/run-input.ts";
import { checkUser } from "../inngest/gate/sent-events.ts";
import { namesOf } from "../inngest/gate/starts.ts";
import { guardTools, member } from "../inngest/gate/step-tools.ts";
import type { MemoizedStep } from "../inngest/gate/steps.ts";
import type { SdkClient } from "./client.ts";
import { type Result, sealResult } from "./result.ts";
import type { Execution, Given, SdkExecution, SdkFunction, StepState } from "./sdk.ts";
import { watchSteps } from "./step-watch.ts";

/** Execution of functions as SDK v2 began them. It has a wire format of its own. */
const LEGACY_VERSION = 0;

const ids = new WeakMap<object, string>();

/** Remembers the id that a function was served under: `serve` takes one for the app that the client does not know. */
export function noteId(fn: object, id: string): void {
  ids.set(fn, id);
}

/** What executions that are watched over are given. */
const openedData = new WeakSet<object>();

/**
 * Refuses an execution that began past the gate, before any code of the user's: a client of a copy of the SDK that
 * stepseal does not import is gated by the `init` of its middleware, and `serve` may be asked to run a function before.
 *
 * @param given what the SDK tells a middleware of a run
 * @throws {StepsealError} `CONFIG`; the platform tries again, and the client is gated by then
 */
export function checkWatched({ ctx, fn }: { readonly ctx: object; readonly fn: object }): void {
  // The SDK opens what a durable endpoint's run ended with in the name of a function that is none.
  if (!("createExecution" in fn) || openedData.has(ctx)) return;
  const refusal = new StepsealError(
    "CONFIG",
    "this request came before encryptionMiddleware was ready, or to another copy of the SDK than its client's; await `inngest.ready` before you serve, and list encryptionMiddleware first",
  );
  // The SDK answers it as it is.
  throw Object.assign(refusal, { stack: "" });
}

/** In place of the SDK's execution of a function: opens its input, runs it, and seals what it ends with. */
export function execute(
  fn: SdkFunction,
  given: Given,
  create: (given: Given) => Execution,
  { client, options }: Served,
): Execution {
  let result: Promise<Result> | undefined;
  const run = new SealedExecution(fn, given, client as SdkClient, options);
  return {
    start: () => {
      result ??= run.start((opened) => create(opened) as SdkExecution);
      return result;
    },
  };
}

/** What is known of one request while it is executed. */
class SealedExecution {
  readonly #refusals = new Refusals();
  #context: RunContext | undefined;
  readonly #fn: SdkFunction;
  readonly #given: Given;
  readonly #client: SdkClient;
  readonly #options: ResolvedOptions;
  readonly #endpoint: boolean;

  constructor(fn: SdkFunction, given: Given, client: SdkClient, options: ResolvedOptions) {
    this.#fn = fn;
    this.#given = given;
    this.#client = client;
    this.#options = options;
    const { event, events = [] } = given.partialOptions.data;
    this.#endpoint = isEndpoint([event, ...events], fn.opts.triggers);
  }

  async start(create: (given: Given) => SdkExecution): Promise<Result> {
    try {
      await this.#options.sealer();
      const result = await this.#run(create);
      // What a durable endpoint answers goes to whoever called it, past the platform.
      if (!this.#options.seals || this.#given.partialOptions.stepMode === "sync") return result;
      return await this.#sealed(result);
    } catch (error) {
      this.#log("a request failed before it was answered", error);
      return { type: "function-rejected", retriable: true, error: UNANSWERED_ERROR };
    } finally {
      if (this.#context !== undefined) runsOf(this.#client).leave(this.#context);
    }
  }

  /** Opens the input and runs the function; what does not open fails the run before any code of the user's. */
  async #run(create: (given: Given) => SdkExecution): Promise<Result> {
    let execution: SdkExecution;
    try {
      const opened = await this.#open();
      execution = create(this.#withOpened(opened));
      this.#guard(execution, opened);
    } catch (error) {
      if (!(error instanceof StepsealError)) throw error;
      this.#log("a run could not be opened", error);
      const retriable = error.code === "UNKNOWN_KEY";
      return { type: "function-rejected", retriable, error: this.#refusals.wireForm(error) };
    }
    return execution.start();
  }

  #open(): Promise<OpenedRun> {
    const { version, partialOptions } = this.#given;
    const { data, stepState, isFailureHandler = false } = partialOptions;
    const { event, events = [], runId } = data;
    if (version === LEGACY_VERSION) {
      throw new StepsealError("UNSUPPORTED", "a run in the wire format of SDK v2 cannot be opened or sealed");
    }
    if (this.#endpoint && !this.#options.allows("durable-endpoint")) {
      throw refusedPath("durable-endpoint", "this request");
    }
    const input: RunInput = {
      event,
      events,
      runId,
      steps: Object.fromEntries(Object.values(stepState).map((step) => [step.id, memoized(step)])),
      ownId: ids.get(this.#fn) ?? this.#fn.id(this.#client.id),
      startNames: namesOf(this.#fn.opts.triggers ?? []),
      isFailureHandler,
      endpoint: this.#endpoint,
    };
    const reader = {
      options: this.#options,
      policy: createPolicy(this.#options.plaintext, (message) => this.#client.logger.warn(message)),
      clientId: this.#client.id,
      onContext: (context: RunContext) => this.#enter(context),
    };
    return openWithKeys(this.#options, [event, events, stepState], (sealer) =>
      openRun(input, { ...reader, sealer }),
    );
  }

  #withOpened({ event, events, steps }: OpenedRun): Given {
    const { partialOptions } = this.#given;
    const states = Object.entries(steps).map(([id, { type: _, ...state }]) => [id, { id, ...state }]);
    const data = { ...partialOptions.data, event, events };
    openedData.add(data);
    return {
      ...this.#given,
      partialOptions: {
        ...partialOptions,
        data,
        stepState: Object.fromEntries(states),
      },
    };
  }

  /** Gives the function tools that let nothing out, nor in, that the gate would have to refuse too late. */
  #guard(execution: SdkExecution, { event, failure, shapes }: OpenedRun): void {
    const { fnArg, state } = execution;
    if (!(state?.steps instanceof Map) || typeof fnArg?.step !== "object") {
      throw new StepsealError(
        "CONFIG",
        "encryptionMiddleware cannot watch over this execution: its form is unknown; stepseal/inngest-v3 supports inngest 3 from 3.35.1 on",
      );
    }
    if (failure?.isPlatforms === true) markPlatformError(fnArg.error);
    const options = this.#options;
    if (!options.seals) return;
    const policy = createPolicy(options.plaintext, (message) => this.#client.logger.warn(message));
    const fail = watchSteps(state, {
      shapes,
      options,
      policy,
      recorded: (error) => this.#refusals.record(error),
    });
    fnArg.step = guardTools(fnArg.step, {
      options,
      startedBy: String(event.name),
      recorded: (error) => this.#refusals.record(error),
      fail,
      onInvoke: (_id, called) => checkUser({ name: INVOKED_EVENT, user: member(called, "user") }, options),
    });
  }

  async #sealed(result: Result): Promise<Result> {
    try {
      const sealer = await this.#options.sealer();
      const scope: FailureScope = {
        sealer,
        options: this.#options,
        context: this.#context,
        refusals: this.#refusals,
      };
      return sealResult(result, scope);
    } catch (error) {
      this.#log("a result could not be sealed", error);
      return { type: "function-rejected", retriable: false, error: gateFailure(error, "the result") };
    }
  }

  #enter(context: RunContext): void {
    const runs = runsOf(this.#client);
    if (this.#context !== undefined) runs.leave(this.#context);
    this.#context = undefined;
    runs.enter(context);
    this.#context = context;
  }

  #log(what: string, error: unknown): void {
    this.#client.logger.error(`stepseal: ${what}: ${loggable(error)}`);
  }
}

/** A memoized step in the form that tells what it holds. */
function memoized(step: StepState): MemoizedStep {
  if ("error" in step) return { type: "error", error: step.error };
  if ("input" in step) return { type: "input", input: step.input };
  return { type: "data", data: step.data };
}

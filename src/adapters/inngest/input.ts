import type { Middleware } from "inngest";
import { StepsealError } from "../../errors.ts";
import { equalBytes } from "../../internal/bytes.ts";
import type { ValueSealer } from "../../value-sealer.ts";
import { endpointContext, type RunContext } from "./gate/context.ts";
import { FAILED_EVENT, HTTP_EVENT, isObject, own, type WireEvent } from "./gate/event.ts";
import { isUntied, openEvent } from "./gate/events.ts";
import type { ResolvedOptions } from "./gate/options.ts";
import { isPlatformError, markPlatformError } from "./gate/platform-errors.ts";
import type { PlaintextPolicy } from "./gate/policy.ts";
import { refusedPath } from "./gate/refusals.ts";
import { type StartNames, startNames, starts } from "./gate/starts.ts";
import { type MemoizedStep, openSteps, type StepShape } from "./gate/steps.ts";
import { triggerDigest } from "./gate/trigger.ts";
import { rebuildError } from "./rebuild-error.ts";

/** What the SDK is about to run a function with. */
export type FunctionInput = Middleware.TransformFunctionInputArgs;

/** What opening a function's input needs to know. */
export interface InputReader {
  readonly sealer: ValueSealer;
  readonly options: ResolvedOptions;
  readonly policy: PlaintextPolicy;
  readonly clientId: string;
  /** Whether the answer to this request passes the response door. */
  readonly inRequest: boolean;
  /** Told where the run belongs, before anything of it is opened: a failure to open it has a place, too. */
  readonly onContext: (context: RunContext) => void;
}

export interface OpenedInput {
  readonly input: FunctionInput;
  readonly shapes: ReadonlyMap<string, StepShape>;
}

/**
 * Opens the input of a function: its events, its memoized steps, and the error that `onFailure` is given.
 *
 * @throws {StepsealError} as {@link ValueSealer.open}, `PLAINTEXT_REJECTED` or `REFUSED`, naming event, field or step
 */
export function openInput(arg: FunctionInput, reader: InputReader): OpenedInput {
  const { ctx, fn, steps } = arg;
  const { sealer, options, policy, clientId } = reader;
  const first = ctx.event as unknown as WireEvent;
  const all = ctx.events as unknown as readonly WireEvent[];
  const endpoint = isEndpoint(arg);
  if (endpoint && options.seals) checkEndpoint(first, reader);

  // Only the handler of `onFailure` is given an error; it is a function of its own to the platform.
  const isFailureHandler = "error" in ctx;
  const ownId = fn.id(clientId);
  const fnId = isFailureHandler ? `${ownId}-failure` : ownId;
  if (!endpoint) checkNames([first, ...all], isFailureHandler ? ON_FAILURE : startNames(fn, clientId), fnId);
  if (isFailureHandler && own(first.data, "function_id") !== ownId) {
    throw new StepsealError(
      "CONTEXT",
      `the failure handler of "${ownId}" was given the failure of another function`,
    );
  }

  const trigger = triggerDigest(first);
  // The platform sends the first event twice, and nothing ties the one to the other but this. A durable endpoint's is
  // the request, without a sealed part; on re-entry the SDK has it in the list only.
  const [listed] = all;
  if (!endpoint && (listed === undefined || !equalBytes(trigger, triggerDigest(listed)))) {
    throw new StepsealError("CONTEXT", "`event` and `events[0]` of this request are different events");
  }

  const eventReader = {
    sealer,
    options,
    policy,
    fn: fnId,
    ...(isFailureHandler && { nestedStarts: startNames(fn, clientId) }),
  };
  const place = endpoint
    ? endpointContext(clientId, ctx.runId)
    : { fn: fnId, run: ctx.runId, trigger, caller: undefined };
  // Known from here on; the caller, if any, is known once the event is open.
  reader.onContext(place);
  const opened = openEvent(first, eventReader);
  const { caller } = opened;
  const context: RunContext = {
    ...place,
    caller,
    ...(isUntied(first, caller, options) && { untied: true }),
  };
  reader.onContext(context);

  const events = all.map((event) => openEvent(event, eventReader).event);
  const wireError = isFailureHandler ? own(opened.event.data, "error") : undefined;
  const error = isFailureHandler ? rebuildError(wireError) : undefined;
  if (isFailureHandler && (isPlatformError(wireError) || !isObject(wireError))) {
    if (!options.platformErrors) policy.plaintext(`the failure handler of "${ownId}", its error`);
    markPlatformError(error);
  }
  const { steps: openedSteps, shapes } = openSteps(steps as Record<string, MemoizedStep>, {
    ...eventReader,
    context,
  });
  return {
    input: {
      ...arg,
      ctx: {
        ...ctx,
        event: opened.event,
        events,
        ...(isFailureHandler && { error }),
      } as unknown as FunctionInput["ctx"],
      steps: openedSteps as FunctionInput["steps"],
    },
    shapes,
  };
}

const ON_FAILURE: StartNames = new Set([FAILED_EVENT]);

function checkNames(events: readonly WireEvent[], names: StartNames, fnId: string): void {
  for (const { name } of events) {
    if (starts(names, name)) continue;
    throw new StepsealError(
      "CONTEXT",
      `an event ${JSON.stringify(name)} does not start the function "${fnId}"`,
    );
  }
}

/** Whether what runs is a durable endpoint: a function made for one request, which has no triggers to ask for. */
function isEndpoint({ ctx, fn }: FunctionInput): boolean {
  const named = [ctx.event, ...ctx.events].find((event) => event.name !== undefined);
  return String(named?.name) === HTTP_EVENT && fn.opts.triggers === undefined;
}

/**
 * Refuses a durable endpoint, unless it is allowed and its answers pass the gate. It is called again with the method of
 * its first request, and the SDK shows middleware the answers to POST alone (`handleAsyncRequest`): of a GET the
 * results of steps would leave as they are.
 */
function checkEndpoint(first: WireEvent, { options, inRequest }: InputReader): void {
  if (!options.allows("durable-endpoint")) throw refusedPath("durable-endpoint", "this request");
  if (inRequest || own(first.data, "method") === "POST") return;
  throw new StepsealError(
    "REFUSED",
    "this request: only a durable endpoint that is called with POST can be sealed, since the SDK shows no middleware its answers to other methods; make it POST",
  );
}

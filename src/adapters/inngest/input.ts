import type { Middleware } from "inngest";
import { StepsealError } from "../../errors.ts";
import type { WireEvent } from "./gate/event.ts";
import { own } from "./gate/event.ts";
import type { ResolvedOptions } from "./gate/options.ts";
import { markPlatformError } from "./gate/platform-errors.ts";
import { refusedPath } from "./gate/refusals.ts";
import { isEndpoint, openRun, type RunReader } from "./gate/run-input.ts";
import type { MemoizedStep, StepShape } from "./gate/steps.ts";
import { rebuildError } from "./rebuild-error.ts";
import { startNames } from "./start-names.ts";

/** What the SDK is about to run a function with. */
export type FunctionInput = Middleware.TransformFunctionInputArgs;

/** What opening a function's input needs to know. */
export interface InputReader extends RunReader {
  /** Whether the answer to this request passes the response door. */
  readonly inRequest: boolean;
}

export interface OpenedInput {
  readonly input: FunctionInput;
  readonly shapes: ReadonlyMap<string, StepShape>;
}

/**
 * Opens the input of a function: its events, its memoized steps, and the error that `onFailure` is given.
 *
 * @throws {StepsealError} as {@link openRun}, or `REFUSED`
 */
export function openInput(arg: FunctionInput, reader: InputReader): OpenedInput {
  const { ctx, fn, steps } = arg;
  const { options, clientId } = reader;
  const event = ctx.event as unknown as WireEvent;
  const events = ctx.events as unknown as readonly WireEvent[];
  const endpoint = isEndpoint([event, ...events], fn.opts.triggers);
  if (endpoint && options.seals) checkEndpoint(event, reader);

  const { shapes, failure, ...opened } = openRun(
    {
      event,
      events,
      runId: ctx.runId,
      steps: steps as Record<string, MemoizedStep>,
      ownId: fn.id(clientId),
      startNames: endpoint ? new Set() : startNames(fn, clientId),
      // Only the handler of `onFailure` is given an error.
      isFailureHandler: "error" in ctx,
      endpoint,
    },
    reader,
  );
  const error = failure === undefined ? undefined : rebuildError(failure.error);
  if (failure?.isPlatforms === true) markPlatformError(error);
  return {
    input: {
      ...arg,
      ctx: {
        ...ctx,
        event: opened.event,
        events: opened.events,
        ...(failure !== undefined && { error }),
      } as unknown as FunctionInput["ctx"],
      steps: opened.steps as FunctionInput["steps"],
    },
    shapes,
  };
}

/**
 * Refuses a durable endpoint, unless it is allowed and its answers pass the gate. It is called again with the method of
 * its first request, and the SDK shows middleware the answers to POST alone (`handleAsyncRequest`): of a GET the
 * results of steps would leave as they are.
 */
function checkEndpoint(
  first: WireEvent,
  { options, inRequest }: { readonly options: ResolvedOptions; readonly inRequest: boolean },
): void {
  if (!options.allows("durable-endpoint")) throw refusedPath("durable-endpoint", "this request");
  if (inRequest || own(first.data, "method") === "POST") return;
  throw new StepsealError(
    "REFUSED",
    "this request: only a durable endpoint that is called with POST can be sealed, since the SDK shows no middleware its answers to other methods; make it POST",
  );
}

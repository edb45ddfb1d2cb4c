import { type WorkflowContext, WorkflowNonRetryableError } from "@upstash/workflow";
import { StepsealError } from "../../errors.ts";
import type { UpstashSettings } from "./options.ts";
import { noted, type RunState, type WireStep } from "./place.ts";
import { contentOf } from "./steps.ts";

/** What is used of a step before it runs (@upstash/workflow 1, context/steps.ts). */
interface LazyStep {
  readonly stepType: unknown;
  readonly stepName: unknown;
  /** Of a wait. */
  readonly eventId?: unknown;
  /** Reads the result of the step that the platform gave for this one. */
  parseOut(found: WireStep): unknown;
}

/** What is used of a context, none of it public: how a step gets its number, and where it meets its result. */
interface Steps {
  readonly qstashClient: unknown;
  /** True for the SDK's dry run up to the first step, which sends nothing. */
  readonly disabled?: unknown;
  readonly executor: { readonly stepCount: number };
  addStep(step: LazyStep): Promise<unknown>;
}

/** A route function, which in some frameworks gets more than the context. */
export type Route<Payload, Result, More extends unknown[]> = (
  context: WorkflowContext<Payload>,
  ...more: More
) => Promise<Result>;

/**
 * A route function whose steps are refused, or checked against what the platform gave for them, where the code asks.
 *
 * Only the code knows that it asks for step 3, and which event it waits for. Everything here is synchronous, as it is in
 * the SDK: a wait in between that is longer for one step than for another would change which of them run in parallel.
 *
 * @param client the one that seals
 */
export function watch<Payload, Result, More extends unknown[]>(
  route: Route<Payload, Result, More>,
  state: RunState,
  settings: UpstashSettings,
  client: unknown,
): Route<Payload, Result, More> {
  return (context, ...more) => {
    refusing(state, () => checkClient(context as unknown as Steps, client));
    watchSteps(context as unknown as Steps, state, settings);
    state.watched = true;
    // The SDK runs the function up to its first step with the third party's answer as payload, and takes this for a
    // first step. What came with the call says already that the answer is for a run that had one.
    if (state.call !== undefined) throw new WorkflowNonRetryableError();
    return route(context, ...more);
  };
}

/** The state of a run whose steps are watched. @throws {StepsealError} CONFIG where nobody watches them */
export function watched(state: RunState | undefined): RunState {
  if (state?.watched === true) return state;
  throw new StepsealError(
    "CONFIG",
    "secureWorkflow: the route function is not watched. In `wrap`, give the SDK what `secured.route(routeFunction)` returns.",
  );
}

/** @throws {StepsealError} CONFIG where the SDK would send with another client than the one that seals */
function checkClient({ qstashClient, disabled }: Steps, client: unknown): void {
  if (disabled === true || qstashClient === client) return;
  throw new StepsealError(
    "CONFIG",
    "secureWorkflow: the SDK was given another client than that of `secured.options`. In `wrap`, spread them into the options of its serve after all others.",
  );
}

function watchSteps(context: Steps, state: RunState, settings: UpstashSettings): void {
  const { executor } = context;
  if (typeof context.addStep !== "function" || typeof executor?.stepCount !== "number") throw unsupported();
  const addStep = context.addStep.bind(context);
  context.addStep = (step) => {
    refusing(state, () => contentOf(step.stepType, settings));
    if (typeof step.parseOut !== "function") throw unsupported();
    state.steps.add(step.stepName);
    const parseOut = step.parseOut.bind(step);
    // Counts this step before it returns.
    const result = addStep(step);
    const number = executor.stepCount;
    step.parseOut = (found) => {
      refusing(state, () => checkResult(found, step, number, state, settings));
      return parseOut(found);
    };
    return result;
  };
}

function checkResult(
  found: WireStep,
  { eventId, stepName, stepType }: LazyStep,
  number: number,
  { events }: RunState,
  { plainEvents }: UpstashSettings,
): void {
  const { stepId } = found;
  if (stepId !== number) {
    throw new StepsealError(
      "CONTEXT",
      `The platform gave the result of step ${String(stepId)} for step ${number}.`,
    );
  }
  // The SDK compares these itself, but not before it tells middleware of the result of one of several parallel steps.
  if (found.stepName !== stepName || found.stepType !== stepType) {
    throw new StepsealError("CONTEXT", `The platform gave the result of another step for step ${number}.`);
  }
  if (!events.has(number)) return;
  const event = events.get(number);
  if (event === eventId || (event === null && plainEvents.has(String(eventId)))) return;
  if (event !== null) {
    throw new StepsealError(
      "CONTEXT",
      `Step ${number} waits for the event ${JSON.stringify(eventId)}, and the platform gave it ${JSON.stringify(event)}.`,
    );
  }
  throw new StepsealError(
    "PLAINTEXT_REJECTED",
    `The event ${JSON.stringify(eventId)} is not sealed. If it is not your app that sends it, name it in plaintextFrom.events.`,
  );
}

/** A check whose refusal stands. */
function refusing(state: RunState, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw noted(error, state);
  }
}

function unsupported(): StepsealError {
  return new StepsealError(
    "UNSUPPORTED",
    "This version of @upstash/workflow keeps its steps otherwise than stepseal knows. Install one that package.json of stepseal names under peerDependencies.",
  );
}

import { StepsealError } from "../../errors.ts";
import { own } from "../inngest/gate/event.ts";
import type { ResolvedOptions } from "../inngest/gate/options.ts";
import { markPlatformError } from "../inngest/gate/platform-errors.ts";
import type { PlaintextPolicy } from "../inngest/gate/policy.ts";
import { starts } from "../inngest/gate/starts.ts";
import { checkShape, type StepShape } from "../inngest/gate/steps.ts";

/** A step that a function has come to, as the SDK keeps it. */
interface FoundStep {
  readonly hashedId: string;
  readonly displayName?: string;
  /** The user's id, with an index where it is used again. */
  readonly id: string;
  readonly op: string;
  /** Of `step.waitForEvent`: the event waited for. */
  readonly name?: unknown;
  readonly opts?: unknown;
  /** Hands the memoized result to user code; false where there is nothing to hand over. */
  handle(): boolean;
}

/** What is used of the state of an execution; private to TypeScript. */
export interface ExecutionState {
  /** By id. */
  readonly steps: Map<string, FoundStep>;
  readonly stepState: Readonly<Record<string, { readonly data?: unknown }>>;
  recentlyRejectedStepError?: unknown;
  setCheckpoint(checkpoint: object): void;
}

/** What watching over the steps of an execution needs to know. */
interface Watch {
  readonly shapes: ReadonlyMap<string, StepShape>;
  readonly options: ResolvedOptions;
  readonly policy: PlaintextPolicy;
  readonly recorded: (error: unknown) => unknown;
}

/** Types of steps by their ops; every other runs on the user's server. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ["Sleep", "sleep"],
  ["WaitForEvent", "waitForEvent"],
  ["WaitForSignal", "waitForSignal"],
  ["InvokeFunction", "invoke"],
  ["AIGateway", "ai.infer"],
  ["Gateway", "fetch"],
]);

/**
 * Refuses each step whose state does not fit its type, as the function comes to it: before anything of that state, or of
 * the state of a sibling, is handed to user code.
 *
 * The run is failed by the checkpoint that the SDK itself makes of a function that throws. The step never settles, so
 * that neither `catch` nor `finally` of the user's hears of it.
 *
 * @returns fails the run in that way, and settles never
 */
export function watchSteps(
  state: ExecutionState,
  { shapes, options, policy, recorded }: Watch,
): (error: StepsealError) => Promise<never> {
  let failing = false;
  const fail = (error: unknown): Promise<never> => {
    if (!failing) state.setCheckpoint({ type: "function-rejected", error: recorded(error) });
    failing = true;
    return new Promise(() => {});
  };
  const platformErrors = new Set<unknown>();

  const check = (step: FoundStep): void => {
    const { hashedId, id } = step;
    const shape = shapes.get(hashedId);
    if (shape === undefined) return;
    const functionId = String(own(step.opts, "function_id"));
    const stepType = TYPES.get(step.op) ?? "run";
    const fromPlainFunction = stepType === "invoke" && options.plainFunctions.has(functionId);
    checkShape({ hashedId, id, stepType, shape, fromPlainFunction }, options, policy);
    if (shape === "event" && !fromPlainFunction) checkEventName(step, state.stepState[hashedId]?.data);
    if (shape === "error") platformErrors.add(id);
  };
  const found = (step: FoundStep): void => {
    const { handle } = step;
    step.handle = () => (failing ? false : handle.call(step));
    try {
      check(step);
    } catch (error) {
      fail(error);
    }
  };

  const { steps } = state;
  const set = steps.set.bind(steps);
  steps.set = (id, step) => {
    found(step);
    return set(id, step);
  };
  let rejectedError = state.recentlyRejectedStepError;
  Object.defineProperty(state, "recentlyRejectedStepError", {
    get: () => rejectedError,
    set: (error: unknown) => {
      rejectedError = error;
      if (platformErrors.has(own(error, "stepId"))) markPlatformError(error);
    },
  });
  return fail;
}

/** Refuses an event that is not the one waited for, which the SDK does not look at. */
function checkEventName({ op, hashedId, id, name }: FoundStep, event: unknown): void {
  if (op !== "WaitForEvent" || starts(new Set([String(name)]), own(event, "name"))) return;
  throw new StepsealError(
    "CONTEXT",
    `step ${hashedId} ("${id}") waited for the event ${JSON.stringify(name)}, and ${JSON.stringify(own(event, "name"))} stands in its place`,
  );
}

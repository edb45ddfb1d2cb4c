import type { Claims, Kind } from "../../claims.ts";
import type { Expected } from "../../expected.ts";
import type { RunContext } from "./context.ts";
import { isEnvelopeShaped, isEventShaped, isObject } from "./event.ts";
import { type EventReader, openEvent } from "./events.ts";
import type { PlaintextPath, ResolvedOptions } from "./options.ts";
import { atPlace } from "./policy.ts";
import { callerToken } from "./trigger.ts";
import { openWireError } from "./wire-error.ts";

/** One memoized step, as the SDK hands it to `transformFunctionInput`. */
export type MemoizedStep =
  | { readonly type: "data"; readonly data: unknown }
  | { readonly type: "error"; readonly error: object }
  | { readonly type: "input"; readonly input: unknown };

/** The shapes that some step type legitimately has unsealed; which type a step has is known only later. */
export type UnsealedShape = "null" | "event" | "signal" | "error" | "other";

/** Step types by what they may return unsealed. Every other type runs on the user's server and is sealed. */
const UNSEALED_BY_TYPE: ReadonlyMap<string, readonly UnsealedShape[]> = new Map([
  ["sleep", ["null"]],
  ["waitForEvent", ["null", "event"]],
  ["waitForSignal", ["null", "signal"]],
]);

/** Step types that the platform runs itself where the user allows it: what they return is in its hands anyway. */
const GATEWAY_TYPES: ReadonlyMap<string, PlaintextPath> = new Map([
  ["ai.infer", "ai-infer"],
  ["fetch", "fetch"],
]);

/** One step that came unsealed, as its type became known. */
export interface UnsealedStep {
  readonly stepType: string;
  readonly shape: UnsealedShape;
  /** Of `step.invoke`: whether `plaintextFrom` names the function. */
  readonly fromPlainFunction: boolean;
}

export function mayBeUnsealed(step: UnsealedStep, options: ResolvedOptions): boolean {
  const { stepType, shape, fromPlainFunction } = step;
  if (fromPlainFunction) return true;
  if (shape === "error") return options.platformErrors;
  const path = GATEWAY_TYPES.get(stepType);
  if (path !== undefined) return options.allows(path);
  return UNSEALED_BY_TYPE.get(stepType)?.includes(shape) ?? false;
}

/** What opening the steps of a run needs to know. */
export interface StepReader extends EventReader {
  readonly context: RunContext;
}

export interface OpenedSteps {
  readonly steps: Record<string, MemoizedStep>;
  /** Steps by hashed id whose data came unsealed, in a shape that their type has to allow. */
  readonly unsealed: ReadonlyMap<string, UnsealedShape>;
}

/**
 * Opens the memoized results of a run's steps. Errors are opened in place.
 *
 * @throws {StepsealError} as {@link ValueSealer.open} or `PLAINTEXT_REJECTED`, naming the step
 */
export function openSteps(steps: Readonly<Record<string, MemoizedStep>>, reader: StepReader): OpenedSteps {
  const unsealed = new Map<string, UnsealedShape>();
  const opened = Object.entries(steps).map(([id, step]): [string, MemoizedStep] => {
    const place = `step ${id}`;
    if (step.type === "error") {
      if (!atPlace(place, () => openStepError(step.error, id, reader))) unsealed.set(id, "error");
      return [id, step];
    }
    if (step.type === "input") {
      checkStepInput(step.input, id, reader);
      return [id, step];
    }
    return [id, { type: "data", data: openStepData(step.data, id, reader, unsealed) }];
  });
  return { steps: Object.fromEntries(opened), unsealed };
}

function openStepData(
  data: unknown,
  id: string,
  reader: StepReader,
  unsealed: Map<string, UnsealedShape>,
): unknown {
  const place = `step ${id}`;
  if (isEnvelopeShaped(data)) {
    const expected = (claims: Claims): Expected => expectedResult(claims, id, "output", reader);
    return atPlace(place, () => reader.sealer.open(data, expected));
  }
  if (data === null) {
    unsealed.set(id, "null");
    return data;
  }
  if (isEventShaped(data)) {
    unsealed.set(id, "event");
    return atPlace(place, () => openEvent(data, reader).event);
  }
  if (isObject(data) && typeof data.signal === "string") {
    unsealed.set(id, "signal");
    const { signal, data: content } = data;
    if (!isEnvelopeShaped(content)) {
      reader.policy.plaintext(`${place}, the data of signal ${JSON.stringify(signal)}`);
      return data;
    }
    const open = (): unknown => reader.sealer.open(content, { kind: "signal", name: signal });
    return { ...data, data: atPlace(place, open) };
  }
  const { allows, plainFunctions } = reader.options;
  if (plainFunctions.size > 0 || [...GATEWAY_TYPES.values()].some(allows)) unsealed.set(id, "other");
  else reader.policy.plaintext(`${place}, its result`);
  return data;
}

/**
 * New arguments for a step that has not run yet, as a dashboard can set them. Sealed ones are those the step was
 * reported with: the SDK takes only a list, so it goes on with the function's own, which are the same.
 */
function checkStepInput(input: unknown, id: string, reader: StepReader): void {
  const place = `step ${id}`;
  if (!isEnvelopeShaped(input)) {
    if (!reader.options.editedInputs) reader.policy.plaintext(`${place}, its input`);
  } else atPlace(place, () => reader.sealer.open(input, stepPlace("step.input", id, reader)));
}

/**
 * Opens a step's error in place.
 *
 * @returns whether it was sealed. Without an envelope it is the platform's own: a time-out, a limit, a cancellation;
 * or that of a function of an app without stepseal, which is known later
 */
function openStepError(error: object, id: string, reader: StepReader): boolean {
  const { options, policy, sealer } = reader;
  if (openWireError(error, (claims) => expectedResult(claims, id, "error", reader), sealer)) return true;
  if (!options.platformErrors && options.plainFunctions.size === 0) policy.plaintext(`step ${id}, its error`);
  return false;
}

/**
 * What a step's result has to be bound to. The reader does not know whether the step ran here or invoked another
 * function, and need not: what a function returned is tied to the call by the caller's token.
 */
function expectedResult(claims: Claims, id: string, what: "output" | "error", reader: StepReader): Expected {
  if (claims.kind === `fn.${what}`) {
    // A call that was made in the official format carried no token, where its payload had no sealed field.
    if (claims.parent === undefined && reader.options.legacy.reads) return { kind: `fn.${what}` };
    return { kind: `fn.${what}`, parent: callerToken(reader.context.trigger, id) };
  }
  return stepPlace(`step.${what}`, id, reader);
}

function stepPlace(kind: Kind, id: string, { context, options }: StepReader): Expected {
  return {
    kind,
    fn: context.fn,
    step: id,
    ...(options.runBinding !== "function" && { parent: context.trigger }),
    ...(options.runBinding === "run" && { run: context.run }),
  };
}

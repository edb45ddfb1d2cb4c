import type { Claims, Kind } from "../../../claims.ts";
import { StepsealError } from "../../../errors.ts";
import type { Expected } from "../../../expected.ts";
import { equalBytes } from "../../../internal/bytes.ts";
import { type RunContext, resultPlace, tokenOf } from "./context.ts";
import { isEnvelopeShaped, isEventShaped, isObject } from "./event.ts";
import { type EventReader, openEvent } from "./events.ts";
import type { PlaintextPath, ResolvedOptions } from "./options.ts";
import { atPlace, type PlaintextPolicy } from "./policy.ts";
import { openWireError } from "./wire-error.ts";

/** One memoized step, as the SDK hands it to `transformFunctionInput`. */
export type MemoizedStep =
  | { readonly type: "data"; readonly data: unknown }
  | { readonly type: "error"; readonly error: object }
  | { readonly type: "input"; readonly input: unknown };

/**
 * What a step's state gives away of the step's type, which is known only later: the shape of what came unsealed, each of
 * which some type legitimately has; `"invoked"` for what another function returned or failed with; `"ended"` for how the
 * run itself failed, which is no step's.
 */
export type StepShape = "null" | "event" | "signal" | "error" | "other" | "invoked" | "ended";

/** Step types by what they may return unsealed. Every other type runs on the user's server and is sealed. */
const UNSEALED_BY_TYPE: ReadonlyMap<string, readonly StepShape[]> = new Map([
  ["sleep", ["null"]],
  ["waitForEvent", ["null", "event"]],
  ["waitForSignal", ["null", "signal"]],
]);

/** Step types that the platform runs itself where the user allows it: what they return is in its hands anyway. */
const GATEWAY_TYPES: ReadonlyMap<string, PlaintextPath> = new Map([
  ["ai.infer", "ai-infer"],
  ["fetch", "fetch"],
]);

/** A step whose state has to fit its type, as that became known. */
export interface ShapedStep {
  readonly hashedId: string;
  /** The user's id, for messages. */
  readonly id: string;
  readonly stepType: string;
  readonly shape: StepShape;
  /** Of `step.invoke`: whether `plaintextFrom` names the function. */
  readonly fromPlainFunction: boolean;
}

/**
 * Refuses a state that the step's type cannot have.
 *
 * @throws {StepsealError} `PLAINTEXT_REJECTED` by policy, or `CONTEXT`, naming the step
 */
export function checkShape(step: ShapedStep, options: ResolvedOptions, policy: PlaintextPolicy): void {
  const { hashedId, id, stepType, shape } = step;
  const place = `step ${hashedId} ("${id}")`;
  if (shape === "invoked" || shape === "ended") {
    if (shape === "invoked" && stepType === "invoke") return;
    const what =
      shape === "ended"
        ? "how the run itself failed stands in place of a step's result"
        : "what a function returned stands where no function was invoked";
    throw new StepsealError("CONTEXT", `${place}: ${what}`);
  }
  if (!mayBeUnsealed(step, options))
    policy.plaintext(`${place}, its ${shape === "error" ? "error" : "result"}`);
}

function mayBeUnsealed(
  { stepType, shape, fromPlainFunction }: ShapedStep,
  options: ResolvedOptions,
): boolean {
  if (fromPlainFunction) return true;
  if (shape === "error") return options.platformErrors;
  const path = GATEWAY_TYPES.get(stepType);
  if (path !== undefined) return options.allows(path);
  return UNSEALED_BY_TYPE.get(stepType)?.includes(shape) ?? false;
}

/**
 * The hashed id under which the SDK reports the end of a run, SHA-1 of "complete". Where a function failed after it had
 * deferred something, the platform keeps that failure as a step's.
 */
export const COMPLETE = "0737c22d3bfae812339732d14d8c7dbd6dc4e09c";

/** What opening the steps of a run needs to know. */
export interface StepReader extends EventReader {
  readonly context: RunContext;
}

export interface OpenedSteps {
  readonly steps: Record<string, MemoizedStep>;
  /** By hashed id, where the step's type has to allow it. */
  readonly shapes: ReadonlyMap<string, StepShape>;
}

/**
 * Opens the memoized results of a run's steps. Errors are opened in place, and none of them where anything does not
 * open.
 *
 * @throws {StepsealError} as {@link ValueSealer.open} or `PLAINTEXT_REJECTED`, naming the step
 */
export function openSteps(steps: Readonly<Record<string, MemoizedStep>>, reader: StepReader): OpenedSteps {
  const shapes = new Map<string, StepShape>();
  const restores: (() => void)[] = [];
  const opened = Object.entries(steps).map(([id, step]): [string, MemoizedStep] => {
    const note = (shape: StepShape): void => {
      shapes.set(id, shape);
    };
    if (step.type === "error") {
      const restore = openStepError(step.error, id, reader, note);
      if (restore !== undefined) restores.push(restore);
      return [id, step];
    }
    if (step.type === "input") {
      checkStepInput(step.input, id, reader);
      return [id, step];
    }
    return [id, { type: "data", data: openStepData(step.data, id, reader, note) }];
  });
  for (const restore of restores) restore();
  return { steps: Object.fromEntries(opened), shapes };
}

type Note = (shape: StepShape) => void;

function openStepData(data: unknown, id: string, reader: StepReader, note: Note): unknown {
  const place = `step ${id}`;
  if (isEnvelopeShaped(data)) {
    const expected = (claims: Claims): Expected => expectedResult(claims, id, "output", reader, note);
    return atPlace(place, () => reader.sealer.open(data, expected));
  }
  if (data === null) {
    note("null");
    return data;
  }
  // What a named function returned, or a request made by the platform, may look like anything.
  const { allows, plainFunctions } = reader.options;
  const mayBeAnything = plainFunctions.size > 0 || [...GATEWAY_TYPES.values()].some(allows);
  try {
    if (isEventShaped(data)) {
      const { event } = atPlace(place, () => openEvent(data, reader));
      note("event");
      return event;
    }
    if (isObject(data) && typeof data.signal === "string") {
      const opened = openSignal(data.signal, data.data, place, reader);
      note("signal");
      return opened;
    }
  } catch (error) {
    const isPlain = error instanceof StepsealError && error.code === "PLAINTEXT_REJECTED";
    if (!isPlain || !mayBeAnything) throw error;
  }
  if (mayBeAnything) note("other");
  else reader.policy.plaintext(`${place}, its result`);
  return data;
}

/** What `step.waitForSignal` returns. It has no other members. */
function openSignal(signal: string, content: unknown, place: string, reader: StepReader): unknown {
  const { sealer, policy } = reader;
  if (isEnvelopeShaped(content)) {
    const open = (): unknown => sealer.open(content, { kind: "signal", name: signal });
    return { signal, data: atPlace(place, open) };
  }
  policy.plaintext(`${place}, the data of signal ${JSON.stringify(signal)}`);
  return { signal, data: content };
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
 * Opens a step's error, as `openWireError`. Without an envelope it is the platform's own: a time-out, a limit, a cancellation; or
 * that of a function of an app without stepseal, which is known later.
 */
function openStepError(error: object, id: string, reader: StepReader, note: Note): (() => void) | undefined {
  const { options, policy, sealer } = reader;
  const expected = (claims: Claims): Expected => expectedResult(claims, id, "error", reader, note);
  const restore = atPlace(`step ${id}`, () => openWireError(error, expected, sealer));
  if (restore !== undefined) return restore;
  if (!options.platformErrors && options.plainFunctions.size === 0) policy.plaintext(`step ${id}, its error`);
  note("error");
  return undefined;
}

/**
 * What a step's result has to be bound to. The reader does not know yet whether the step ran here or invoked another
 * function: what a function returned is tied to the call by the caller's token, and the step has to be such a call.
 */
function expectedResult(
  claims: Claims,
  id: string,
  what: "output" | "error",
  reader: StepReader,
  note: Note,
): Expected {
  if (claims.kind === `fn.${what}`) {
    const { context, options } = reader;
    const { parent } = resultPlace(context);
    if (id === COMPLETE && isSame(claims.parent, parent)) {
      note("ended");
      return { kind: "fn.error", fn: context.fn, parent };
    }
    note("invoked");
    if (claims.parent === undefined && options.takesUntied) return { kind: `fn.${what}` };
    return { kind: `fn.${what}`, parent: tokenOf(context, id, options) };
  }
  return stepPlace(`step.${what}`, id, reader);
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): b is Uint8Array {
  return a !== undefined && b !== undefined && equalBytes(a, b);
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

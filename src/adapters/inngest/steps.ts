import type { Claims } from "../../claims.ts";
import type { Expected } from "../../expected.ts";
import type { RunContext } from "./context.ts";
import { isEnvelopeShaped, isEventShaped, isObject } from "./event.ts";
import { type EventReader, openEvent } from "./events.ts";
import type { ResolvedOptions } from "./options.ts";
import { atPlace } from "./policy.ts";
import { callerToken } from "./trigger.ts";
import { openWireError, sealedErrorOf } from "./wire-error.ts";

/** One memoized step, as the SDK hands it to `transformFunctionInput`. */
export type MemoizedStep =
  | { readonly type: "data"; readonly data: unknown }
  | { readonly type: "error"; readonly error: object }
  | { readonly type: "input"; readonly input: unknown };

/** The shapes that some step type legitimately has unsealed; which type a step has is known only later. */
export type UnsealedShape = "null" | "event" | "signal";

/** Step types by what they may return unsealed. Every other type runs on the user's server and is sealed. */
const UNSEALED_BY_TYPE: ReadonlyMap<string, readonly UnsealedShape[]> = new Map([
  ["sleep", ["null"]],
  ["waitForEvent", ["null", "event"]],
  ["waitForSignal", ["null", "signal"]],
]);

export function mayBeUnsealed(stepType: string, shape: UnsealedShape): boolean {
  return UNSEALED_BY_TYPE.get(stepType)?.includes(shape) ?? false;
}

/** What opening the steps of a run needs to know. */
export interface StepReader extends EventReader {
  readonly context: RunContext;
  readonly options: ResolvedOptions;
}

export interface OpenedSteps {
  readonly steps: Record<string, MemoizedStep>;
  /** Steps by hashed id whose data came unsealed, in a shape that their type has to allow. */
  readonly unsealed: ReadonlyMap<string, UnsealedShape>;
}

/**
 * Opens the memoized results of a run's steps. Errors are opened in place.
 *
 * @throws {StepsealError} as {@link Sealer.open} or `PLAINTEXT_REJECTED`, naming the step
 */
export function openSteps(steps: Readonly<Record<string, MemoizedStep>>, reader: StepReader): OpenedSteps {
  const unsealed = new Map<string, UnsealedShape>();
  const opened = Object.entries(steps).map(([id, step]): [string, MemoizedStep] => {
    const place = `step ${id}`;
    if (step.type === "error") {
      atPlace(place, () => openStepError(step.error, id, reader));
      return [id, step];
    }
    if (step.type !== "data") return [id, step];
    return [id, { type: "data", data: atPlace(place, () => openStepData(step.data, id, reader, unsealed)) }];
  });
  return { steps: Object.fromEntries(opened), unsealed };
}

function openStepData(
  data: unknown,
  id: string,
  reader: StepReader,
  unsealed: Map<string, UnsealedShape>,
): unknown {
  if (isEnvelopeShaped(data))
    return reader.sealer.open(data, (claims) => expectedResult(claims, id, "output", reader));
  if (data === null) {
    unsealed.set(id, "null");
    return data;
  }
  if (isEventShaped(data)) {
    unsealed.set(id, "event");
    return openEvent(data, reader).event;
  }
  if (isObject(data) && typeof data.signal === "string") {
    unsealed.set(id, "signal");
    if (!isEnvelopeShaped(data.data)) {
      reader.policy.plaintext(`the data of signal ${JSON.stringify(data.signal)}`);
      return data;
    }
    return { ...data, data: reader.sealer.open(data.data, { kind: "signal", name: data.signal }) };
  }
  reader.policy.plaintext("its result");
  return data;
}

function openStepError(error: object, id: string, reader: StepReader): void {
  // Without an envelope it is the platform's own: a time-out, a limit, a cancellation.
  if (sealedErrorOf(error) === undefined) return;
  openWireError(error, (claims) => expectedResult(claims, id, "error", reader), reader.sealer);
}

/**
 * What a step's result has to be bound to. The reader does not know whether the step ran here or invoked another
 * function, and need not: what a function returned is tied to the call by the caller's token.
 */
function expectedResult(claims: Claims, id: string, what: "output" | "error", reader: StepReader): Expected {
  const { context, options } = reader;
  if (claims.kind === `fn.${what}`) {
    return { kind: `fn.${what}`, parent: callerToken(context.trigger, id) };
  }
  return {
    kind: `step.${what}`,
    fn: context.fn,
    step: id,
    ...(options.runBinding !== "function" && { parent: context.trigger }),
    ...(options.runBinding === "run" && { run: context.run }),
  };
}

import { asError } from "../../internal/as-error.ts";
import { resultPlace } from "../inngest/gate/context.ts";
import { isObject } from "../inngest/gate/event.ts";
import { type FailureScope, known, sealFailure } from "../inngest/gate/failure.ts";
import { sealOp } from "../inngest/gate/ops.ts";
import { unknownPath } from "../inngest/gate/refusals.ts";
import { sdkJson } from "./json.ts";

/** What an execution ended with: all that the SDK then answers is made of it. */
export interface Result {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** Hashed ids and names, so that a developer sees which step was renamed. */
const STEP_NOT_FOUND = new Set(["id", "op", "name", "displayName"]);

/**
 * Seals what an execution ended with.
 *
 * @returns a result of which the SDK makes an answer that may leave
 * @throws {StepsealError} `REFUSED` for a result that this version does not know
 */
export function sealResult(result: Result, scope: FailureScope): Result {
  try {
    return sealByType(result, scope);
  } catch (error) {
    if (!(error instanceof Unwritable)) throw error;
    return rejection({ type: "function-rejected", retriable: true, error: error.told }, scope);
  }
}

/** That a result has no JSON: a getter of the user's threw, or it has no end. */
class Unwritable extends Error {
  /** What the SDK answers then, when it comes to that. */
  readonly told: Record<string, unknown>;

  constructor(cause: unknown) {
    super("a result that cannot be written as JSON", { cause });
    const { name, message, stack = "" } = asError(cause);
    this.told = { type: "internal", name, message, stack, __serialized: true };
  }
}

function written(value: unknown): string | undefined {
  try {
    return sdkJson(value);
  } catch (error) {
    throw new Unwritable(error);
  }
}

function sealByType(result: Result, scope: FailureScope): Result {
  switch (result.type) {
    case "function-resolved":
      return sealOutput(result, scope);
    case "function-rejected":
      return rejection(result, scope);
    case "step-ran":
      return { ...result, step: sealSteps([result.step], scope)[0] };
    case "steps-found":
      return { ...result, steps: sealSteps(result.steps, scope) };
    case "step-not-found": {
      const { type, step, foundSteps = [], totalFoundSteps } = result;
      if (!Array.isArray(foundSteps)) throw unknownPath("a step that was not found: steps that are no list");
      for (const each of [step, ...foundSteps]) {
        for (const key of Object.keys(Object(each))) {
          if (!STEP_NOT_FOUND.has(key)) throw unknownPath(`a step that was not found: member "${key}"`);
        }
      }
      return { type, step, foundSteps, totalFoundSteps };
    }
    default:
      throw unknownPath(`a result of type ${JSON.stringify(result.type)}`);
  }
}

/** What a function returned; of a durable endpoint, what it answers whoever called it. */
function sealOutput(result: Result, { sealer, context }: FailureScope): Result {
  const place = known(context);
  if (place.endpoint === true) return result;
  // What has no JSON text the SDK answers with no text at all; checkpointed, it is null.
  const text = written(result.data) ?? "null";
  return { ...result, data: sealer.sealJson(text, { kind: "fn.output", ...resultPlace(place) }) };
}

function rejection(result: Result, scope: FailureScope): Result {
  const failure: unknown = JSON.parse(written(result.error ?? null) ?? "null");
  const refusal = isObject(failure) ? scope.refusals.find(failure) : undefined;
  return {
    ...result,
    error: sealFailure(failure, scope),
    // Another copy of the SDK's classes does not know ours.
    ...(refusal !== undefined && { retriable: refusal.code === "UNKNOWN_KEY" }),
  };
}

/** Seals ops. The SDK writes them as one list, which shows in what refers back to something around it. */
function sealSteps(steps: unknown, scope: FailureScope): unknown[] {
  if (!Array.isArray(steps)) throw unknownPath("a result with steps that are no list");
  const ops = JSON.parse(written(steps) ?? "[]") as unknown[];
  return ops.map((op) => sealOp(op, { ...scope, context: known(scope.context) }));
}

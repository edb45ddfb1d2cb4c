import { resultPlace } from "./gate/context.ts";
import { isObject } from "./gate/event.ts";
import { type FailureScope, known, sealFailure } from "./gate/failure.ts";
import { sealOp } from "./gate/ops.ts";
import { unknownPath } from "./gate/refusals.ts";

/** What the SDK answers a request with, and what leaves in its place. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** A text by the SDK's types; undefined where a function returned what has no JSON text. */
  readonly body: string | undefined;
}

/** Answers of the SDK's own where no function ran, to the letter. */
const FIXED_ANSWERS: ReadonlySet<string> = new Set([
  "",
  '{"message":"Unauthorized"}',
  '{"code":"internal_server_error"}',
]);

/** "Step not found": hashed ids and names, so that a developer sees which step was renamed. */
const STEP_NOT_FOUND_KEYS = "error,foundSteps,requestedStep,totalFoundSteps";

/**
 * Seals the body of a response.
 *
 * @returns the body to answer
 * @throws {StepsealError} `REFUSED` for a status or shape that this version does not know
 */
export async function sealResponseBody(response: WireResponse, scope: FailureScope): Promise<string> {
  const { body } = response;
  if (scope.context === undefined && body !== undefined && FIXED_ANSWERS.has(body)) return body;
  const sealed = sealAnswer(response, scope);
  await scope.sealer.settled?.();
  return JSON.stringify(sealed);
}

function sealAnswer({ status, body }: WireResponse, scope: FailureScope): unknown {
  // What has no JSON text, a function for one, the SDK answers with no text at all; checkpointed, it is null.
  if (status === 200) return sealOutput(body ?? "null", scope);
  if (status === 206) return sealOps(JSON.parse(String(body)), scope);
  if (status >= 400 && status <= 599) {
    const failure: unknown = JSON.parse(String(body));
    return isStepNotFound(failure) ? failure : sealFailure(failure, scope);
  }
  throw unknownPath(`a response with status ${status}`);
}

/** What a function returned. The text already is its JSON: sealed without a parse. */
function sealOutput(body: string, { sealer, context }: FailureScope): unknown {
  return sealer.sealJson(body, { kind: "fn.output", ...resultPlace(known(context)) });
}

function sealOps(ops: unknown, scope: FailureScope): unknown {
  const opScope = { ...scope, context: known(scope.context) };
  return Array.isArray(ops) ? ops.map((op: unknown) => sealOp(op, opScope)) : sealOp(ops, opScope);
}

/** The SDK's answer where it is asked for a step that the function does not have any more; it has no error's form. */
function isStepNotFound(failure: unknown): boolean {
  return isObject(failure) && Object.keys(failure).sort().join() === STEP_NOT_FOUND_KEYS;
}

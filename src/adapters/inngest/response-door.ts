import { StepsealError } from "../../errors.ts";
import type { ValueSealer } from "../../value-sealer.ts";
import { type RunContext, resultPlace } from "./gate/context.ts";
import { isObject } from "./gate/event.ts";
import { sealOp } from "./gate/ops.ts";
import type { ResolvedOptions } from "./gate/options.ts";
import { unknownPath } from "./gate/refusals.ts";
import { sealWireError } from "./gate/wire-error.ts";

/** What the SDK answers a request with, and what leaves in its place. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** A text by the SDK's types; undefined where a function returned what has no JSON text. */
  readonly body: string | undefined;
}

/** What sealing a response needs to know. */
export interface ResponseScope {
  readonly sealer: ValueSealer;
  readonly options: ResolvedOptions;
  /** Undefined where the request failed before its run was known. */
  readonly context: RunContext | undefined;
  /** Stepseal's own refusals in this request, by message: names and kids, no data, so they leave readable. */
  readonly refusals: ReadonlyMap<string, StepsealError>;
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
export async function sealResponseBody(response: WireResponse, scope: ResponseScope): Promise<string> {
  const { body } = response;
  if (scope.context === undefined && body !== undefined && FIXED_ANSWERS.has(body)) return body;
  const sealed = sealAnswer(response, scope);
  await scope.sealer.settled?.();
  return JSON.stringify(sealed);
}

function sealAnswer({ status, body }: WireResponse, scope: ResponseScope): unknown {
  // What has no JSON text, a function for one, the SDK answers with no text at all; checkpointed, it is null.
  if (status === 200) return sealOutput(body ?? "null", scope);
  if (status === 206) return sealOps(JSON.parse(String(body)), scope);
  if (status >= 400 && status <= 599) return sealFailure(JSON.parse(String(body)), scope);
  throw unknownPath(`a response with status ${status}`);
}

/** What a function returned. The text already is its JSON: sealed without a parse. */
function sealOutput(body: string, { sealer, context }: ResponseScope): unknown {
  return sealer.sealJson(body, { kind: "fn.output", ...resultPlace(known(context)) });
}

function sealOps(ops: unknown, scope: ResponseScope): unknown {
  const opScope = { ...scope, context: known(scope.context) };
  return Array.isArray(ops) ? ops.map((op: unknown) => sealOp(op, opScope)) : sealOp(ops, opScope);
}

function sealFailure(failure: unknown, { sealer, options, context, refusals }: ResponseScope): unknown {
  if (!isObject(failure))
    throw new StepsealError("REFUSED", "a failure that is not an object does not leave");
  if (isStepNotFound(failure)) return failure;
  const refusal = refusals.get(String(failure.message));
  if (refusal !== undefined && isUntouched(failure, refusal)) return readable(refusal, failure);
  const place = context === undefined ? {} : resultPlace(context);
  return sealWireError(failure, { kind: "fn.error", ...place }, sealer, options.errors);
}

/** The SDK's answer where it is asked for a step that the function does not have any more; it has no error's form. */
function isStepNotFound(failure: Record<string, unknown>): boolean {
  return Object.keys(failure).sort().join() === STEP_NOT_FOUND_KEYS;
}

/** What a refusal or its wrapper may be called; SDKs before 4.18 call a class that they do not know an `Error`. */
const REFUSAL_NAMES: ReadonlySet<unknown> = new Set(["StepsealError", "NonRetriableError", "Error"]);

/** Whether a failure is a refusal as it was thrown. What user code made of one is an error of the user's. */
function isUntouched(failure: Record<string, unknown>, refusal: StepsealError): boolean {
  const { name, code, cause } = failure;
  if (!isObject(cause)) return isItself(failure, refusal);
  return REFUSAL_NAMES.has(name) && code === undefined && isItself(cause, refusal);
}

function isItself({ name, message, code, cause }: Record<string, unknown>, refusal: StepsealError): boolean {
  return (
    REFUSAL_NAMES.has(name) && message === refusal.message && code === refusal.code && cause === undefined
  );
}

/** A refusal in the form of the SDK's errors, made of nothing but itself. */
function readable({ message, code }: StepsealError, { name, cause }: Record<string, unknown>): unknown {
  const shell = { name, message, stack: "", __serialized: true };
  if (!isObject(cause)) return { ...shell, code };
  return { ...shell, cause: { name: cause.name, message, code, stack: "" } };
}

function known(context: RunContext | undefined): RunContext {
  if (context === undefined) {
    throw new StepsealError("REFUSED", "a result of a run whose events were never seen does not leave");
  }
  return context;
}

import { StepsealError } from "../../errors.ts";
import type { ValueSealer } from "../../value-sealer.ts";
import type { RunContext } from "./context.ts";
import { isObject } from "./event.ts";
import { sealOp } from "./ops.ts";
import type { ResolvedOptions } from "./options.ts";
import { unknownPath } from "./refusals.ts";
import { sealWireError } from "./wire-error.ts";

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
  /** Messages of stepseal's own refusals in this request: names and kids, no data, so they leave readable. */
  readonly refusals: ReadonlySet<string>;
}

/** Answers of the SDK's own that hold no data of the user's, to the letter. */
const FIXED_ANSWERS: ReadonlySet<string> = new Set([
  "",
  '{"message":"Unauthorized"}',
  '{"code":"internal_server_error"}',
]);

/** "Step not found": hashed ids and names, so that a developer sees which step was renamed. */
const STEP_NOT_FOUND_KEYS = ["error", "requestedStep", "foundSteps", "totalFoundSteps"];

/**
 * Seals the body of a response.
 *
 * @returns the body to answer
 * @throws {StepsealError} `REFUSED` for a status or shape that this version does not know
 */
export async function sealResponseBody(response: WireResponse, scope: ResponseScope): Promise<string> {
  if (response.body !== undefined && FIXED_ANSWERS.has(response.body)) return response.body;
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
  if (typeof failure.requestedStep === "string") {
    return Object.fromEntries(STEP_NOT_FOUND_KEYS.map((key) => [key, failure[key]]));
  }
  if (typeof failure.message === "string" && refusals.has(failure.message)) return readableRefusal(failure);
  const place = context === undefined ? {} : resultPlace(context);
  return sealWireError(failure, { kind: "fn.error", ...place }, sealer, options.errors);
}

/** A refusal of stepseal's own, with its code where the SDK left it: on the error or on its cause. */
function readableRefusal({ name, message, code, cause }: Record<string, unknown>): unknown {
  const shell = { name, message, stack: "", __serialized: true };
  if (code !== undefined) return { ...shell, code };
  if (!isObject(cause)) return shell;
  return { ...shell, cause: { name: cause.name, message: cause.message, code: cause.code, stack: "" } };
}

function resultPlace(context: RunContext): { fn: string; run: string; parent?: Uint8Array } {
  const { fn, run, caller } = context;
  return { fn, run, ...(caller !== undefined && { parent: caller }) };
}

function known(context: RunContext | undefined): RunContext {
  if (context === undefined) {
    throw new StepsealError("REFUSED", "a result of a run whose events were never seen does not leave");
  }
  return context;
}

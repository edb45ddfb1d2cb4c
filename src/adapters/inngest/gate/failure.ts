import { NonRetriableError } from "inngest";
import { StepsealError } from "../../../errors.ts";
import type { ValueSealer } from "../../../value-sealer.ts";
import { type RunContext, resultPlace } from "./context.ts";
import { isObject } from "./event.ts";
import type { ResolvedOptions } from "./options.ts";
import { sealWireError } from "./wire-error.ts";

/** Stepseal's own refusals in one request: names and kids, no data, so they leave readable. */
export class Refusals {
  readonly #byMessage = new Map<string, StepsealError>();

  /**
   * The error to fail the run with. Only a missing key is worth a retry: another process may hold it. Anything
   * else fails at once, without losing what is stored.
   */
  record(error: unknown): unknown {
    if (!(error instanceof StepsealError)) return error;
    this.#byMessage.set(error.message, error);
    return error.code === "UNKNOWN_KEY" ? error : new NonRetriableError(error.message, { cause: error });
  }

  /** A refusal as the SDK would have serialised what {@link record} makes of it. */
  wireForm(refusal: StepsealError): Record<string, unknown> {
    const recorded = this.record(refusal) as Error;
    const cause = recorded === refusal ? undefined : { name: refusal.name };
    return readable(refusal, { name: recorded.name, cause });
  }

  /** The refusal that a serialised failure is, as it was thrown. What user code made of one is an error of the user's. */
  find(failure: Record<string, unknown>): StepsealError | undefined {
    const refusal = this.#byMessage.get(String(failure.message));
    return refusal !== undefined && isUntouched(failure, refusal) ? refusal : undefined;
  }
}

/** An error in the form in which the SDK serialises one, without a stack. */
function wireForm(name: unknown, members: object): Record<string, unknown> {
  return { name, ...members, stack: "", __serialized: true };
}

/**
 * What is told where there is no answer to seal: the keys did not load, or another middleware threw. As without
 * stepseal the platform tries again; what was thrown could hold anything, and stays here.
 */
export const UNANSWERED_ERROR: Record<string, unknown> = wireForm("Error", {
  message: "stepseal: the request failed before it was answered",
});

/** What is told when the gate itself fails: our own reason, and nothing of what it would have sealed. */
export function gateFailure(error: unknown, what: string): Record<string, unknown> {
  const reason =
    error instanceof StepsealError
      ? { message: error.message, code: error.code }
      : { message: `${what} could not be sealed` };
  return wireForm("StepsealError", reason);
}

/** What the log says of a failure: of an error that is not ours its name only, since its message could hold anything. */
export function loggable(error: unknown): string {
  if (error instanceof StepsealError) return error.message;
  return error instanceof Error ? error.name : typeof error;
}

/** What sealing a failure needs to know. */
export interface FailureScope {
  readonly sealer: ValueSealer;
  readonly options: ResolvedOptions;
  /** Undefined where the request failed before its run was known. */
  readonly context: RunContext | undefined;
  readonly refusals: Refusals;
}

/**
 * Seals what a function failed with, as the SDK serialised it.
 *
 * @throws {StepsealError} `REFUSED` for what is no object
 */
export function sealFailure(failure: unknown, { sealer, options, context, refusals }: FailureScope): unknown {
  if (!isObject(failure))
    throw new StepsealError("REFUSED", "a failure that is not an object does not leave");
  const refusal = refusals.find(failure);
  if (refusal !== undefined) return readable(refusal, failure);
  const place = context === undefined ? {} : resultPlace(context);
  return sealWireError(failure, { kind: "fn.error", ...place }, sealer, options.errors);
}

/** What a refusal or its wrapper may be called; SDKs before 4.18 call a class that they do not know an `Error`. */
const REFUSAL_NAMES: ReadonlySet<unknown> = new Set(["StepsealError", "NonRetriableError", "Error"]);

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
function readable(
  { message, code }: StepsealError,
  { name, cause }: Record<string, unknown>,
): Record<string, unknown> {
  if (!isObject(cause)) return wireForm(name, { message, code });
  return wireForm(name, { message, cause: { name: cause.name, message, code, stack: "" } });
}

/** The context of a run whose results leave. */
export function known(context: RunContext | undefined): RunContext {
  if (context === undefined) {
    throw new StepsealError("REFUSED", "a result of a run whose events were never seen does not leave");
  }
  return context;
}

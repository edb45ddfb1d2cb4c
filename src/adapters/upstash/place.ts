import { StepsealError } from "../../errors.ts";
import { equalBytes } from "../../internal/bytes.ts";
import { parseUrl } from "../../internal/url.ts";
import type { SealClaims } from "../../sealer.ts";
import { callerToken, chainDigest } from "../chain.ts";
import { envelopeIn } from "./text.ts";

/** A step as it stands on the wire: parsed JSON, nothing about it trusted. */
export type WireStep = Readonly<Record<string, unknown>>;

/** What is known of the run that a request is about, and what became of it. One for each request. */
export interface RunState {
  /** The workflow: path of the URL that its requests are signed for. */
  readonly fn: string;
  /** That URL. */
  readonly url: string;
  /** The run's id, as the platform says it. Unknown to a request that starts a run. */
  readonly run: string | undefined;
  /** Digest of the payload that started the run, 32 bytes; undefined until it was read. */
  trigger: Uint8Array | undefined;
  /** Token of the `context.invoke` that started the run, where one did. */
  caller: Uint8Array | undefined;
  /** In a request that brings the answer of a third party: the step that made the call. */
  call: string | undefined;
  /** By number of a `waitForEvent` step: the event that it was given, or null for one that was not sealed. */
  readonly events: Map<number, string | null>;
  /** Names of the steps that the code asked for. */
  readonly steps: Set<unknown>;
  /** Messages of the errors that the platform's API answered: its own words, which are no failure of the app's. */
  readonly platformErrors: string[];
  /** Whether the route function is watched: without that, nothing of a run may leave. */
  watched: boolean;
  /** Why the request is refused. Once it is there, nothing leaves any more. */
  refusal: StepsealError | undefined;
}

export function runState(url: string, run: string | undefined): RunState {
  return {
    fn: workflowPath(url),
    url,
    run,
    trigger: undefined,
    caller: undefined,
    call: undefined,
    events: new Map(),
    steps: new Set(),
    platformErrors: [],
    watched: false,
    refusal: undefined,
  };
}

/** Keeps an error of ours: a refusal stands, whatever code of the user's does with it. Any error, to throw on. */
export function noted(error: unknown, state: RunState | undefined): unknown {
  if (state !== undefined && error instanceof StepsealError) state.refusal ??= error;
  return error;
}

/**
 * Digest of the payload that started a run, as it stands on the wire. Of one that is not sealed another than of any
 * envelope: a platform could send the text of an envelope as such a payload.
 */
export function triggerOf(fn: string, payload: string): Uint8Array {
  const envelope = envelopeIn(payload);
  return chainDigest(fn, envelope === undefined ? ["", payload] : [envelope.data]);
}

/** Learns what started the run. @throws {StepsealError} CONTEXT where a request speaks of two */
export function learnTrigger(state: RunState, trigger: Uint8Array): void {
  if (state.trigger !== undefined && !equalBytes(state.trigger, trigger)) {
    throw new StepsealError(
      "CONTEXT",
      "The request speaks of two runs that were started by different payloads.",
    );
  }
  state.trigger = trigger;
}

/** What a workflow is called in claims. Not its host: a run goes on when an app moves to another one. */
export function workflowPath(url: string): string {
  const parsed = parseUrl(url);
  if (parsed !== undefined) return parsed.pathname;
  throw new StepsealError("CONFIG", "The URL of a workflow is not absolute: expected https://host/path.");
}

/** Scheme, host and port of a URL as they are spelt, which `URL` would not keep: it is what requests are signed for. */
export function originOf(url: string): string {
  return /^https?:\/\/[^/]+/.exec(url)?.[0] ?? url;
}

/**
 * What a step is called in claims: number, type and name.
 *
 * @throws {StepsealError} FORMAT for a step without them
 */
export function stepName({ stepId, stepType, stepName: name }: WireStep): string {
  if (!Number.isInteger(stepId) || typeof stepType !== "string" || typeof name !== "string") {
    throw new StepsealError("FORMAT", "A step has no number, type or name.");
  }
  return `${stepId}:${stepType}:${name}`;
}

/** Claims of the payload that starts a run of the workflow at a URL. */
export function payloadPlace(url: string, caller?: Uint8Array): SealClaims {
  const place = { kind: "invoke.field", fn: workflowPath(url), field: "body" } as const;
  return caller === undefined ? place : { ...place, parent: caller };
}

/** Claims of a step's result. */
export function stepPlace(state: RunState, step: WireStep): SealClaims {
  return {
    kind: "step.output",
    fn: state.fn,
    ...runOf(state),
    step: stepName(step),
    parent: knownTrigger(state),
  };
}

/** Claims of what a run returns: for the step that invoked it, where one did. */
export function resultPlace(state: RunState): SealClaims {
  const { fn, caller } = state;
  return { kind: "fn.output", fn, ...runOf(state), parent: caller ?? knownTrigger(state) };
}

/** Claims of what a failure function returns: for no step, so that it cannot pass for what the run returns. */
export function answerPlace(state: RunState): SealClaims {
  return resultPlace({ ...state, caller: undefined });
}

/** Claims of what a run fails with, for its failure function. */
export function failurePlace(state: RunState): SealClaims {
  return { kind: "fn.error", fn: state.fn, ...runOf(state), parent: knownTrigger(state) };
}

/** Claims of data of an event. */
export function eventPlace(name: string): SealClaims {
  return { kind: "signal", name };
}

/** What ties an invoked run's result to the step that asked for it. */
export function tokenOf(state: RunState, step: WireStep): Uint8Array {
  return callerToken({ fn: state.fn, step: stepName(step), trigger: knownTrigger(state) });
}

function runOf({ run }: RunState): { run?: string } {
  return run === undefined ? {} : { run };
}

function knownTrigger({ trigger }: RunState): Uint8Array {
  if (trigger !== undefined) return trigger;
  throw new StepsealError(
    "REFUSED",
    "Data of a run would leave before the payload that started it was read.",
  );
}

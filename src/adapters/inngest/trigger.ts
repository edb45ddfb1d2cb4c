import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { lengthPrefixed } from "../../internal/utf8.ts";
import { sealedStrings, type WireEvent } from "./event.ts";

const TRIGGER_LABEL = utf8ToBytes("stepseal/v1/trigger");
const CALLER_LABEL = utf8ToBytes("stepseal/v1/caller");

/**
 * What a run's step data is chained to: the event that started the run, by its sealed strings, or, where it has
 * none, by its id. A platform can claim any run id; it cannot make another event with the same digest.
 */
export function triggerDigest(event: WireEvent): Uint8Array {
  const sealed = sealedStrings(event);
  const parts = sealed.length > 0 ? sealed : [typeof event.id === "string" ? event.id : ""];
  return sha256(concatBytes(TRIGGER_LABEL, ...[String(event.name), ...parts].map(lengthPrefixed)));
}

/** The step that invokes, and what its result is bound to by `runBinding`. */
export interface Caller {
  /** Composite id of the function that invokes. */
  readonly fn: string;
  /** The id of the `step.invoke` op, as the platform knows it. */
  readonly step: string;
  /** Trigger digest of the run that invokes, 32 bytes; not where the binding leaves it out. */
  readonly trigger?: Uint8Array;
  /** Id of the run that invokes, where the binding asks for it. */
  readonly run?: string;
}

/**
 * What ties an invoked function's result to the one `step.invoke` that asked for it: made by the caller, carried
 * in the sealed payload, returned in the claims of the result.
 */
export function callerToken({ fn, step, trigger, run }: Caller): Uint8Array {
  const parts = [fn, step, ...(run === undefined ? [] : [run])].map(lengthPrefixed);
  return sha256(concatBytes(CALLER_LABEL, trigger ?? new Uint8Array(), ...parts));
}

import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { lengthPrefixed } from "../internal/utf8.ts";

const TRIGGER_LABEL = utf8ToBytes("stepseal/v1/trigger");
const CALLER_LABEL = utf8ToBytes("stepseal/v1/caller");

/**
 * What a run's step data is chained to: what started the run, by its name and its sealed texts. A platform can claim
 * any run id; it cannot make another trigger with the same digest.
 *
 * @returns 32 bytes
 */
export function chainDigest(name: string, parts: readonly string[]): Uint8Array {
  return sha256(concatBytes(TRIGGER_LABEL, ...[name, ...parts].map(lengthPrefixed)));
}

/** The step that invokes, and what its result is bound to. */
export interface Caller {
  /** Composite id of the function that invokes, or path of the workflow. */
  readonly fn: string;
  /** The step as the platform knows it. */
  readonly step: string;
  /** Trigger digest of the run that invokes, 32 bytes; not where the binding leaves it out. */
  readonly trigger?: Uint8Array;
  /** Id of the run that invokes, where the binding asks for it. */
  readonly run?: string;
}

/**
 * What ties an invoked run's result to the one step that asked for it: made by the caller, carried in the sealed
 * payload, returned in the claims of the result.
 */
export function callerToken({ fn, step, trigger, run }: Caller): Uint8Array {
  const parts = [fn, step, ...(run === undefined ? [] : [run])].map(lengthPrefixed);
  return sha256(concatBytes(CALLER_LABEL, trigger ?? new Uint8Array(), ...parts));
}

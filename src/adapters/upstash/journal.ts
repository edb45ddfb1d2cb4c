import { StepsealError } from "../../errors.ts";
import type { Sealer } from "../../sealer.ts";
import type { UpstashSettings } from "./options.ts";
import { openPayload } from "./payload.ts";
import type { RunState } from "./place.ts";
import { openStep } from "./steps.ts";
import { fromBase64, isObject, parse, toBase64 } from "./text.ts";

/** Far more than a run has. The SDK compares each entry with all before it: with ten times as many, for a minute. */
const MOST_ENTRIES = 20_000;

/**
 * Opens what the platform keeps of a run: its payload, and its steps so far.
 *
 * @param entries `[{ messageId, body: base64, callType }, …]`, the payload first
 * @returns the same with what was sealed
 * @throws {StepsealError} FORMAT for another shape; PLAINTEXT_REJECTED, CONTEXT and others as `Sealer.open`
 */
export function openJournal(
  sealer: Sealer,
  entries: unknown,
  state: RunState,
  settings: UpstashSettings,
): unknown[] {
  if (!Array.isArray(entries) || entries.length > MOST_ENTRIES || !entries.every(isObject)) {
    throw new StepsealError("FORMAT", `The state of the run is no list of up to ${MOST_ENTRIES} entries.`);
  }
  return entries.map((entry, i) => {
    const what = `Entry ${i} of the run's state`;
    if (i === 0) {
      const payload = openPayload(sealer, fromBase64(entry.body ?? "", what), state, settings);
      return { ...entry, body: toBase64(payload) };
    }
    // The SDK reads no others: they are requests to third parties, and their answers.
    if (entry.callType !== "step") return entry;
    const step = parse(fromBase64(entry.body, what))?.value;
    if (!isObject(step)) throw new StepsealError("FORMAT", `${what} is no step.`);
    return { ...entry, body: toBase64(JSON.stringify(openStep(sealer, step, state, settings))) };
  });
}

import type { Sealer } from "../../sealer.ts";
import type { UpstashSettings } from "./options.ts";
import { learnTrigger, payloadPlace, type RunState, triggerOf } from "./place.ts";
import { envelopeIn, notSealed, openText } from "./text.ts";

/**
 * Opens the payload that started a run, and learns from it what everything else of the run is chained to.
 *
 * @param text as it stands on the wire
 * @returns the text that was sealed
 * @throws {StepsealError} PLAINTEXT_REJECTED for a payload that is not sealed, unless `plaintextTrigger` accepts it;
 * CONTEXT for that of another workflow; and as `Sealer.open`
 */
export function openPayload(
  sealer: Sealer,
  text: string,
  state: RunState,
  { plaintextTrigger }: Pick<UpstashSettings, "plaintextTrigger">,
): string {
  const envelope = envelopeIn(text);
  // Known whether it opens or not: a failure has to be chained to it as well.
  learnTrigger(state, triggerOf(state.fn, text));
  if (envelope === undefined) {
    if (plaintextTrigger === "accept") return text;
    throw notSealed("The payload that started this run");
  }
  return (
    openText(
      sealer,
      text,
      ({ parent }) => {
        state.caller = parent;
        return payloadPlace(state.url);
      },
      "The payload that started this run",
    ) ?? ""
  );
}

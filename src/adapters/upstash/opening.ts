import { StepsealError } from "../../errors.ts";
import type { Sealer } from "../../sealer.ts";
import { envelopeClaims } from "../../value-sealer.ts";
import { openFailure } from "./failure.ts";
import { openJournal } from "./journal.ts";
import { CALL_HEADER, calledStep, callPlace } from "./message.ts";
import type { UpstashSettings } from "./options.ts";
import { openPayload } from "./payload.ts";
import { learnTrigger, type RunState, stepName } from "./place.ts";
import { REFUSALS } from "./steps.ts";
import { notSealed, parse } from "./text.ts";

/** What the SDK tells kinds of requests apart by. Some of its versions go by their value, some by whether they are there. */
const KIND_HEADERS = [
  "upstash-workflow-is-failure",
  "upstash-workflow-failure-callback",
  "upstash-workflow-callback",
  "upstash-workflow-unknown-sdk",
  "upstash-workflow-sdk-version",
] as const;

/**
 * Opens the body of a request of the platform, by what its headers say it is: the SDK reads the same ones
 * (@upstash/workflow 1, workflow-parser.ts).
 *
 * @returns the body as it would be without stepseal
 * @throws {StepsealError} FORMAT for headers that say two things, or another shape; PLAINTEXT_REJECTED, CONTEXT and
 * others as `Sealer.open`; REFUSED for what no option allows
 */
export function openRequest(
  sealer: Sealer,
  headers: Headers,
  body: string,
  state: RunState,
  settings: UpstashSettings,
): string {
  const empty = KIND_HEADERS.find((name) => headers.get(name) === "");
  if (empty !== undefined) {
    throw new StepsealError(
      "FORMAT",
      `The header ${empty} is empty: it says what the request is, or is not there.`,
    );
  }
  const isFailure =
    headers.get("upstash-workflow-is-failure") === "true" || headers.has("upstash-workflow-failure-callback");
  const isAnswer = headers.has("upstash-workflow-callback");
  const isUnknown = headers.has("upstash-workflow-unknown-sdk");
  if (Number(isFailure) + Number(isAnswer) + Number(isUnknown) > 1) {
    throw new StepsealError("FORMAT", "The headers of the request say that it is two things at once.");
  }
  if (isFailure) return openFailure(sealer, body, state, settings);
  const isFirst = !headers.has("upstash-workflow-sdk-version");
  if (isAnswer) {
    openCall(sealer, headers, state, settings);
    // With a version, the SDK takes a body for the state of the run. The state that it fetches itself passes the door.
    if (isFirst || body === "") return body;
    throw new StepsealError("FORMAT", "The headers of an answer say that it is the state of the run.");
  }
  if (isFirst && !isUnknown) return openPayload(sealer, body, state, settings);
  // The SDK fetches the state itself, through the door.
  if (body === "") return body;
  const entries = parse(body);
  if (entries === undefined) throw new StepsealError("FORMAT", "The state of the run is no JSON.");
  return JSON.stringify(openJournal(sealer, entries.value, state, settings));
}

/** Learns from what travelled with a call which run and step this is the answer for. */
function openCall(
  sealer: Sealer,
  headers: Headers,
  state: RunState,
  { thirdPartyCalls }: UpstashSettings,
): void {
  if (thirdPartyCalls !== "allow") throw new StepsealError("REFUSED", REFUSALS.thirdPartyCalls);
  const data = headers.get(CALL_HEADER);
  if (data === null) throw notSealed("What travels with the answer of a third party");
  const step = calledStep(Object.fromEntries(headers), "");
  const call = { __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data };
  sealer.open(call, callPlace({ fn: state.fn, trigger: undefined }, step));
  const { parent } = envelopeClaims(call) ?? {};
  if (parent === undefined)
    throw new StepsealError("CONTEXT", "What travels with the answer belongs to no run.");
  learnTrigger(state, parent);
  state.call = stepName(step);
}

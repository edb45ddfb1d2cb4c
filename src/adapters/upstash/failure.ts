import { StepsealError } from "../../errors.ts";
import type { Sealer } from "../../sealer.ts";
import type { UpstashSettings } from "./options.ts";
import { openPayload } from "./payload.ts";
import { failurePlace, type RunState, workflowPath } from "./place.ts";
import { envelopeIn, fromBase64, isObject, notSealed, openText, parse, toBase64 } from "./text.ts";

const PLATFORM = "[platform]";

/**
 * Opens what the failure function is told: the payload of the run that failed, and what its request answered.
 *
 * @param body of the failure callback: JSON `{ status, body: base64, sourceBody: base64, url, … }`
 * @returns the same with what was sealed
 * @throws {StepsealError} FORMAT for another shape; PLAINTEXT_REJECTED, CONTEXT and others as `Sealer.open`
 */
export function openFailure(
  sealer: Sealer,
  body: string,
  state: RunState,
  settings: UpstashSettings,
): string {
  const failure = parse(body)?.value;
  if (!isObject(failure)) throw new StepsealError("FORMAT", "The failure callback is no object.");
  const { url, sourceBody, body: answer } = failure;
  if (typeof url !== "string" || workflowPath(url) !== state.fn) {
    throw new StepsealError("CONTEXT", "The failure callback is about another workflow.");
  }
  if (typeof failure.status !== "number") throw new StepsealError("FORMAT", "The failure has no status.");
  const payload = openPayload(
    sealer,
    fromBase64(sourceBody ?? "", "The payload of the run that failed"),
    state,
    settings,
  );
  return JSON.stringify({
    ...failure,
    sourceBody: toBase64(payload),
    body: toBase64(openAnswer(sealer, answer, failure.status, state, settings)),
  });
}

function openAnswer(
  sealer: Sealer,
  answer: unknown,
  status: number,
  state: RunState,
  { platformFailures }: UpstashSettings,
): string {
  const what = "What the run failed with";
  const text = answer === undefined || answer === null ? "" : fromBase64(answer, what);
  if (envelopeIn(text) !== undefined) {
    const { run: _, ...place } = failurePlace(state);
    return openText(sealer, text, place, what) ?? "";
  }
  // This server's failures are always sealed. What others say of one cannot be trusted, but that there was one can
  // only be known from them.
  if (!platformFailures) throw notSealed(what);
  const message = `${PLATFORM} The run failed with HTTP status ${status}. What was answered is not sealed, so it does not come from the workflow, and is left out here.`;
  return JSON.stringify({ error: "PlatformFailure", message });
}

/**
 * Whether a failure function was told of a failure that the workflow did not answer itself: a time-out, a server that
 * was down, a proxy in between.
 *
 * @param failResponse what the failure function was given
 * @example
 * ```ts
 * import { isPlatformFailure } from "stepseal/upstash";
 *
 * const failureFunction = ({ failResponse }: { failResponse: string }) =>
 *   isPlatformFailure(failResponse) ? "timed out or unreachable" : failResponse;
 * console.log(failureFunction({ failResponse: "card declined" })); // "card declined"
 * ```
 */
export function isPlatformFailure(failResponse: string): boolean {
  return failResponse.startsWith(PLATFORM);
}

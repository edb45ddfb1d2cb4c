import { StepsealError } from "../../errors.ts";
import type { Sealer } from "../../sealer.ts";
import type { UpstashSettings } from "./options.ts";
import { openPayload } from "./payload.ts";
import { failurePlace, originOf, type RunState, workflowPath } from "./place.ts";
import { envelopeIn, fromBase64, isObject, notSealed, openText, parse, toBase64 } from "./text.ts";

const PLATFORM = "[platform]";
/** In place of the name of an error's class. */
const PLATFORM_FAILURE = "PlatformFailure";

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
  const { url, status, header, sourceBody, body: answer, workflowRunId, workflowCreatedAt } = failure;
  if (typeof status !== "number" || !isHeader(header) || !isTextOrNone(workflowRunId)) {
    throw new StepsealError(
      "FORMAT",
      "The failure callback has no status, or headers or an id that are none.",
    );
  }
  if (typeof url !== "string" || workflowPath(url) !== state.fn) {
    throw new StepsealError("CONTEXT", "The failure callback is about another workflow.");
  }
  const payload = openPayload(
    sealer,
    fromBase64(sourceBody ?? "", "The payload of the run that failed"),
    state,
    settings,
  );
  const { pathname, search } = new URL(url);
  return JSON.stringify({
    // Where the app is, is not for the platform to say.
    url: originOf(state.url) + pathname + search,
    status,
    header,
    workflowRunId,
    workflowCreatedAt: typeof workflowCreatedAt === "number" ? workflowCreatedAt : undefined,
    sourceBody: toBase64(payload),
    body: toBase64(openAnswer(sealer, answer, status, state, settings)),
  });
}

/** Headers as the platform has them: lists of texts by name. */
function isHeader(header: unknown): boolean {
  if (header === undefined || header === null) return true;
  const isTexts = (values: unknown): boolean =>
    Array.isArray(values) && values.every((value) => typeof value === "string");
  return isObject(header) && Object.values(header).every(isTexts);
}

function isTextOrNone(value: unknown): boolean {
  return value === undefined || typeof value === "string";
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
    const opened = openText(sealer, text, place, what) ?? "";
    if (!platformFailures && isOfPlatform(opened)) {
      throw new StepsealError("PLAINTEXT_REJECTED", `${what} is what the platform said.`);
    }
    return opened;
  }
  // This server's failures are always sealed. What others say of one cannot be trusted, but that there was one can
  // only be known from them.
  if (!platformFailures) throw notSealed(what);
  return platformFailure(status);
}

/** A failure that is nobody's code, as the SDK writes failures. */
export function platformFailure(status: number): string {
  const message = `${PLATFORM} The run failed with HTTP status ${status}. What was answered does not come from the workflow, and is left out here.`;
  return JSON.stringify({ error: PLATFORM_FAILURE, message });
}

/** Not by its message, which a customer of the app's may have typed. */
function isOfPlatform(failure: string): boolean {
  const read = parse(failure)?.value;
  return isObject(read) && read.error === PLATFORM_FAILURE;
}

/**
 * Whether a failure function was told of a failure that the workflow did not make itself: a time-out, a server that
 * was down, a proxy in between, an error of the platform's API.
 *
 * It goes by how the text begins, which is all that the SDK hands on: an error of yours whose message begins with
 * `[platform]` counts as one, too.
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

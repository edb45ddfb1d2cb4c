import type { StepsealError } from "../../errors.ts";
import { asError } from "../../internal/as-error.ts";
import type { Sealer } from "../../sealer.ts";
import { platformFailure } from "./failure.ts";
import { answerPlace, failurePlace, type RunState } from "./place.ts";
import { isObject, parse, sealText } from "./text.ts";

/** What the SDK tells the platform in headers: numbers, names and versions (@upstash/workflow 1, serve/options.ts). */
const HEADERS = [
  "content-type",
  "retry-after",
  "upstash-workflow-sdk-version",
  "upstash-workflow-sdk",
  "upstash-nonretryable-error",
  "upstash-workflow-failure-callback-notfound",
] as const;

/** Of the step that failed: the SDK takes its name from the error, which the app may have given any. */
const STEP_HEADER = "upstash-error-step-name";

/** How a request ended, as the SDK answers it. A word of a later one is sealed, which the platform does not mind. */
const CONDITIONS: ReadonlySet<unknown> = new Set([
  "success",
  "duplicate-step",
  "fromCallback",
  "auth-fail",
  "failure-callback-undefined",
  "workflow-already-ended",
]);
/** A run that a first request starts has an id of the SDK's making. */
const NEW_RUN = /^(no-workflow-id|wfr_[\w-]{21})$/;
const SDK_VERSION = { "upstash-workflow-sdk-version": "1" };
/** What the SDK says of a workflow that ended before its first step, to the letter (serve/options.ts). */
const NOT_AUTHENTICATED =
  "Failed to authenticate Workflow request. If this is unexpected, see the caveat https://upstash.com/docs/workflow/basics/caveats#avoid-non-deterministic-code-outside-context-run";

/** Seals the answer of the SDK: an error for the failure function, the failure function's own result. */
export async function sealAnswer(answer: Response, sealer: Sealer, state: RunState): Promise<Response> {
  const text = await answer.text();
  const headers = new Headers();
  for (const name of HEADERS) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const step = answer.headers.get(STEP_HEADER);
  if (step !== null && isStepName(step, state)) headers.set(STEP_HEADER, step);
  const { status } = answer;
  // Of some statuses, a response has no body, not even an empty one.
  if (text === "") return new Response(null, { status, headers });
  if (isStatus(text, state)) return new Response(text, { status, headers });
  if (answer.ok) return new Response(sealText(sealer, text, answerPlace(state)), { status, headers });
  // Before the payload was read, it is no run's failure: the platform could not be asked for the state. Worth a retry.
  if (state.trigger === undefined) return new Response(null, { status, headers });
  const failure = isOfPlatform(text, state) ? platformFailure(status) : text;
  return new Response(sealText(sealer, failure, failurePlace(state)), { status, headers });
}

/** Whether a request failed with what the platform's API said, alone or at the end of the SDK's own words. */
function isOfPlatform(text: string, { platformErrors }: RunState): boolean {
  const failure = parse(text)?.value;
  const message = isObject(failure) ? failure.message : undefined;
  if (typeof message !== "string") return false;
  return platformErrors.some((said) => message === said || message.endsWith(`: ${said}`));
}

function isStepName(text: string, { steps }: RunState): boolean {
  return [...steps].some((name) => withoutSpace(String(name)) === withoutSpace(text));
}

/** A header has neither control characters, which the SDK replaces, nor space at its ends. */
function withoutSpace(text: string): string {
  return [...text].filter((character) => character > " " && character !== "\x7f").join("");
}

/** Whether an answer is the SDK's own word for how a request went: no data of the user's. */
function isStatus(text: string, { run }: RunState): boolean {
  const value = parse(text)?.value;
  if (!isObject(value)) return false;
  const { message, workflowRunId, finishCondition, ...others } = value;
  if (Object.keys(others).length > 0) return false;
  if (message !== undefined && message !== NOT_AUTHENTICATED) return false;
  if (finishCondition !== undefined && !CONDITIONS.has(finishCondition)) return false;
  return (
    workflowRunId === undefined ||
    workflowRunId === run ||
    (typeof workflowRunId === "string" && NEW_RUN.test(workflowRunId))
  );
}

/** Answers a request whose handler threw, as the SDK does. */
export function sealThrown(thrown: unknown, sealer: Sealer | undefined, state: RunState): Response {
  const { name, message, stack } = asError(thrown);
  const body = sealed(JSON.stringify({ error: name, message, stack }), sealer, state);
  return new Response(body ?? "Internal Server Error", { status: 500, headers: SDK_VERSION });
}

/**
 * Answers a request that is refused. A missing key is worth a retry, which may meet a server that has it; for
 * everything else the platform keeps the run in its dead-letter queue, from where it can be resumed.
 */
export function refuse(error: StepsealError, sealer: Sealer | undefined, state: RunState): Response {
  const { code } = error;
  const again = code === "UNKNOWN_KEY" || code === "CONFIG";
  const headers = new Headers({ ...SDK_VERSION, "stepseal-error": code });
  if (!again) headers.set("upstash-nonretryable-error", "true");
  const status = again ? 503 : 489;
  const message = `${error.name} ${code}: ${error.message}`;
  // Sealed, so that the failure function can tell it from what others made up.
  const body = sealed(JSON.stringify({ error: error.name, message, stack: "" }), sealer, state);
  // Where it cannot be sealed, the reason stays here: that of a failed loader may be in the user's own words.
  return new Response(body ?? `Refused: ${code}. onRefused was told why.`, { status, headers });
}

function sealed(text: string, sealer: Sealer | undefined, state: RunState): string | undefined {
  if (sealer === undefined) return undefined;
  // Not before the payload was read: there is no run yet that it could be sealed for.
  try {
    return sealText(sealer, text, failurePlace(state));
  } catch {
    return undefined;
  }
}

import { StepsealError } from "../../errors.ts";
import type { SealClaims } from "../../sealer.ts";
import { payloadPlace, type RunState, stepName, tokenOf, type WireStep } from "./place.ts";
import type { Door } from "./requests.ts";
import { checkStep, REFUSALS, sealStep } from "./steps.ts";
import { isObject, parse, sealText } from "./text.ts";
import { watched } from "./watch.ts";

/** Comes back with the answer of a third party, and says which call of which run it answers. */
export const CALL_HEADER = "stepseal-call";

/** A message as QStash is asked to deliver it. */
export interface Message {
  readonly destination: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly queue?: string;
}

/** @throws {StepsealError} REFUSED for a message of any other shape */
export function readMessage(message: unknown): Message {
  if (isObject(message)) {
    const { destination, headers, body, queue, ...others } = message;
    if (
      typeof destination === "string" &&
      isObject(headers) &&
      Object.values(headers).every((value) => typeof value === "string") &&
      isTextOrNone(body) &&
      isTextOrNone(queue) &&
      Object.keys(others).length === 0
    ) {
      const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
      return { ...(message as unknown as Message), headers: Object.fromEntries(lower) };
    }
  }
  throw unreadable("it");
}

function isTextOrNone(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

/**
 * Seals a message by what it is: a payload that starts a run, a step, an invocation, or a request to a third party.
 *
 * @throws {StepsealError} REFUSED for the last of these, unless `thirdPartyCalls` allows it, and for what is not known
 */
export function sealMessage(message: Message, { sealer, settings, state }: Door): Message {
  const { destination, headers, body } = message;
  const starts = headers["upstash-workflow-init"];
  if (starts === "true" && headers["upstash-workflow-invoke"] === "true") {
    return { ...message, body: sealInvocation(message, { sealer, settings, state }) };
  }
  if (starts === "true") {
    return { ...message, body: sealText(sealer, body, payloadPlace(destination)) };
  }
  const isCall = headers["upstash-workflow-calltype"] === "toCallback";
  if (starts === "false" && !isCall && state !== undefined && destination === state.url) {
    const step = readStep(body);
    const sealed = sealStep(sealer, step, watched(state), settings);
    checkAnswer(step, state);
    return { ...message, body: JSON.stringify(sealed) };
  }
  // Of a workflow, and not of this run: no option is about those.
  if (starts !== undefined && !isCall) throw unreadable("it");
  if (settings.thirdPartyCalls !== "allow") throw new StepsealError("REFUSED", REFUSALS.thirdPartyCalls);
  if (!isCall) return message;
  // The answer comes back beside no journal: without this, any run's could be passed off as the answer to this call.
  const call = sealer.seal(
    undefined,
    callPlace(watched(state), calledStep(headers, "upstash-callback-forward-")),
  );
  return { ...message, headers: { ...headers, [`upstash-callback-forward-${CALL_HEADER}`]: call.data } };
}

/** Claims of what travels with a call: its run's trigger, and the step. */
export function callPlace({ fn, trigger }: Pick<RunState, "fn" | "trigger">, step: WireStep): SealClaims {
  const place = { kind: "step.input", fn, step: stepName(step) } as const;
  return trigger === undefined ? place : { ...place, parent: trigger };
}

/** The step that a call and its answer name in their headers. */
export function calledStep(
  headers: Readonly<Record<string, string>>,
  prefix: string,
): { stepId: number; stepName: unknown; stepType: unknown } {
  const at = (name: string): string | undefined => headers[`${prefix}upstash-workflow-${name}`];
  return { stepId: Number(at("stepid")), stepName: at("stepname"), stepType: at("steptype") };
}

/** Only the answer to a call becomes its result, and it becomes no other step's. */
function checkAnswer(step: WireStep, { call }: RunState): void {
  if (step.out === undefined || (step.stepType !== "Call" && call === undefined)) return;
  if (stepName(step) === call) return;
  throw new StepsealError("CONTEXT", "The answer of a third party would become the result of another step.");
}

/** `context.invoke`: the payload of the run that it starts, in a request that says who waits for it. */
function sealInvocation({ destination, body }: Message, { sealer, settings, state }: Door): string {
  const request = body === undefined ? undefined : parse(body)?.value;
  if (!isObject(request) || !isObject(request.step) || !isTextOrNone(request.body))
    throw unreadable("an invocation");
  const {
    headers,
    workflowRunId,
    workflowRunCreatedAt,
    workflowUrl,
    step,
    body: payload,
    ...others
  } = request;
  if (Object.keys(others).length > 0) throw unreadable("an invocation");
  checkStep(request.step, settings);
  const token = tokenOf(watched(state), request.step);
  return JSON.stringify({
    ...request,
    body: sealText(sealer, payload as string | undefined, payloadPlace(destination, token)),
  });
}

function readStep(body: string | undefined): WireStep {
  const step = body === undefined ? undefined : parse(body)?.value;
  if (isObject(step)) return step;
  throw unreadable("a step");
}

function unreadable(what: string): StepsealError {
  return new StepsealError(
    "REFUSED",
    `A message would leave, and this version of stepseal does not know the shape of ${what}.`,
  );
}

import { StepsealError } from "../../errors.ts";
import type { Sealer } from "../../sealer.ts";
import type { UpstashSettings } from "./options.ts";
import { eventPlace, type RunState, stepName, stepPlace, tokenOf, type WireStep } from "./place.ts";
import { envelopeIn, fromBase64, isObject, notSealed, openText, parse, sealText, toBase64 } from "./text.ts";

/**
 * What a step of each type holds:
 *
 * - `result`: what the app made, sealed on its way out
 * - `nothing`: no data; what a platform puts there is left out
 * - `event`: data of a notify, sealed for the event's name
 * - `run`: the result of another run, sealed for the step that invoked it
 * - `request`: what a third party sent to a webhook, which nobody sealed
 */
type Content = "result" | "nothing" | "event" | "run" | "request";

interface StepType {
  readonly content: Content;
  /** The option that must allow it, because a third party reads or writes its data. */
  readonly needs?: "thirdPartyCalls" | "webhooks";
}

/** Every type of step (@upstash/workflow 1, types.ts). One that is not here is refused. */
const TYPES: ReadonlyMap<unknown, StepType> = new Map<string, StepType>([
  ["Run", { content: "result" }],
  ["Notify", { content: "result" }],
  ["SleepFor", { content: "nothing" }],
  ["SleepUntil", { content: "nothing" }],
  ["Wait", { content: "event" }],
  ["Invoke", { content: "run" }],
  ["Call", { content: "result", needs: "thirdPartyCalls" }],
  ["CreateWebhook", { content: "result", needs: "webhooks" }],
  ["WaitForWebhook", { content: "request", needs: "webhooks" }],
]);

/** What a step may say of itself on the wire, beside `out`: numbers, names, times. */
const MEMBERS: ReadonlySet<string> = new Set([
  "stepId",
  "stepName",
  "stepType",
  "concurrent",
  "targetStep",
  "sleepFor",
  "sleepUntil",
  "waitEventId",
  "timeout",
]);

/**
 * What steps of a type hold.
 *
 * @throws {StepsealError} REFUSED for a type that is unknown, or that no option allows
 */
export function contentOf(
  type: unknown,
  settings: Pick<UpstashSettings, "thirdPartyCalls" | "webhooks">,
): Content {
  const known = TYPES.get(type);
  if (known === undefined) {
    throw new StepsealError(
      "REFUSED",
      `Steps of the type ${JSON.stringify(String(type).slice(0, 64))} are not known to this version of stepseal.`,
    );
  }
  const { content, needs } = known;
  if (needs === undefined || settings[needs] === "allow") return content;
  throw new StepsealError("REFUSED", REFUSALS[needs]);
}

export const REFUSALS = {
  thirdPartyCalls:
    'context.call and context.api send a request through the platform, which reads it and its response. Make the request in context.run, from this server, or allow it with thirdPartyCalls: "allow".',
  webhooks:
    'context.createWebhook has a third party send its request to the platform, which reads it. Receive it on this server and pass it on with notify, or allow it with webhooks: "allow".',
} as const;

/**
 * Whether a step only says which one of several parallel steps is to run next.
 *
 * @throws {StepsealError} FORMAT for one that has a number of its own besides: it would pass for that step, without its
 * result
 */
function isPlan({ stepId, targetStep }: WireStep): boolean {
  if (targetStep === undefined || targetStep === null || targetStep === 0) return false;
  if (stepId === 0 && typeof targetStep === "number" && targetStep > 0) return true;
  throw new StepsealError("FORMAT", "A step says that it is only the plan of one, and has a number.");
}

/**
 * Checks that a step that leaves says nothing but what is known of steps, and holds no result.
 *
 * @returns what steps of its type hold
 * @throws {StepsealError} REFUSED for a type or a member that is not known, and as `contentOf`
 */
export function checkStep(
  step: WireStep,
  settings: Pick<UpstashSettings, "thirdPartyCalls" | "webhooks">,
): Content {
  const content = contentOf(step.stepType, settings);
  const unknown = Object.keys(step).find((member) => !MEMBERS.has(member));
  if (unknown === undefined) return content;
  throw new StepsealError(
    "REFUSED",
    `A step of the type ${String(step.stepType)} would leave with the member ${JSON.stringify(unknown.slice(0, 64))}, which this version of stepseal does not know.`,
  );
}

/**
 * Seals a step that leaves.
 *
 * @throws {StepsealError} REFUSED for a type or a member that is not known; FORMAT as `isPlan`
 */
export function sealStep(
  sealer: Sealer,
  step: WireStep,
  state: RunState,
  settings: UpstashSettings,
): WireStep {
  const { out, ...rest } = step;
  const content = checkStep(rest, settings);
  if (!isPlan(step) && content === "result") {
    if (out !== undefined && typeof out !== "string") throw unreadable(step);
    return { ...step, out: sealText(sealer, out, stepPlace(state, step)) };
  }
  if (out !== undefined) throw unreadable(step);
  return rest;
}

function unreadable(step: WireStep): StepsealError {
  return new StepsealError(
    "REFUSED",
    `A step of the type ${String(step.stepType)} has a result that this version of stepseal cannot read.`,
  );
}

/**
 * Opens a step that comes back.
 *
 * @throws {StepsealError} PLAINTEXT_REJECTED, CONTEXT and others as `Sealer.open`; REFUSED as `contentOf`;
 * FORMAT as `isPlan`
 */
export function openStep(
  sealer: Sealer,
  step: WireStep,
  state: RunState,
  settings: UpstashSettings,
): WireStep {
  const content = contentOf(step.stepType, settings);
  const { out, ...rest } = step;
  if (isPlan(step) || content === "nothing") return rest;
  const what = `The result of step ${stepName(step)}`;
  switch (content) {
    case "result":
      return { ...step, out: openText(sealer, out, stepPlaceWithoutRun(state, step), what) };
    case "event":
      return { ...step, out: openEvent(sealer, step, state, what) };
    case "run":
      return { ...step, out: openRun(sealer, step, state, what) };
    case "request":
      if (envelopeIn(out === undefined ? undefined : fromBase64(out, what)) === undefined) return step;
      throw new StepsealError("FORMAT", `${what} is an envelope, which no third party sends.`);
  }
}

/** A run that is resumed has a new id. */
function stepPlaceWithoutRun(state: RunState, step: WireStep): ReturnType<typeof stepPlace> {
  const { run: _, ...place } = stepPlace(state, step);
  return place;
}

/** Data of an event, in base64. Which event it should be only the code says: `watchSteps` checks that. */
function openEvent(sealer: Sealer, step: WireStep, state: RunState, what: string): string | undefined {
  const { out, waitTimeout, stepId } = step;
  if (!isFlag(waitTimeout))
    throw new StepsealError("FORMAT", `${what} has a time-out that is neither true nor false.`);
  // The platform may end any wait. It may not say what came.
  if (waitTimeout === true && isNothing(out)) return undefined;
  if (waitTimeout === true) throw new StepsealError("FORMAT", `${what} is a time-out with data.`);
  const text = isNothing(out) ? "" : fromBase64(out, what);
  // The SDK keeps the first of two entries for one step, and so does this.
  const came = (event: string | null): void => {
    if (!state.events.has(stepId as number)) state.events.set(stepId as number, event);
  };
  if (envelopeIn(text) === undefined) {
    came(null);
    return isNothing(out) ? undefined : String(out);
  }
  const data = openText(
    sealer,
    text,
    ({ name = "" }) => {
      came(name);
      return eventPlace(name);
    },
    what,
  );
  return data === undefined ? undefined : toBase64(data);
}

/** What the platform may say of a run that was invoked, in its own words. */
const ENDS: ReadonlySet<string> = new Set(["isCanceled", "isFailed"]);

/** What the platform says of a run that was invoked, as JSON: its result is for this step alone. */
function openRun(sealer: Sealer, step: WireStep, state: RunState, what: string): string {
  const read = typeof step.out === "string" ? parse(step.out)?.value : undefined;
  if (!isObject(read)) throw notSealed(what);
  const { body, isCanceled, isFailed } = read;
  if (!isFlag(isCanceled) || !isFlag(isFailed)) {
    throw new StepsealError("FORMAT", `${what} says neither that the run ended well nor that it did not.`);
  }
  // A run that did not end well has no result: the platform says so, and nothing else.
  const hasNone = (isCanceled === true || isFailed === true) && isNothing(body);
  const result = hasNone
    ? body
    : openText(sealer, body, { kind: "fn.output", parent: tokenOf(state, step) }, what);
  // In the order that they came in, as the app would see them.
  const members = Object.entries({ ...read, body: result });
  return JSON.stringify(Object.fromEntries(members.filter(([name]) => name === "body" || ENDS.has(name))));
}

function isFlag(value: unknown): boolean {
  return value === undefined || value === null || typeof value === "boolean";
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

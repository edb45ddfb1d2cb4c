import { StepsealError } from "../../../errors.ts";
import type { Expected } from "../../../expected.ts";
import { equalBytes } from "../../../internal/bytes.ts";
import { isEnvelopeShaped, isObject, own, sealedStrings, type WireEvent, withEntries } from "./event.ts";
import { type EventReader, isUntied, type OpenedEvent, openEvent } from "./events.ts";
import { markPlatformError } from "./platform-errors.ts";
import { atPlace } from "./policy.ts";
import { starts } from "./starts.ts";
import { triggerDigest } from "./trigger.ts";
import { openWireError } from "./wire-error.ts";

/** Members of an error, in the forms in which the platform tells of one. */
const ERROR_MEMBERS = new Set([
  "name",
  "message",
  "stack",
  "error",
  "code",
  "cause",
  "data",
  "type",
  "noRetry",
  "__serialized",
]);

/**
 * Opens `inngest/function.failed`, `.finished` or `.cancelled`: what the platform tells about a run that ended, with the
 * events that started it, its error and its result inside.
 *
 * @throws {StepsealError} as `openEvent`, naming the run
 */
export function openLifecycle(event: WireEvent, reader: EventReader): WireEvent {
  const data = event.data as Record<string, unknown>;
  const { function_id: fn, run_id: run } = data;
  if (typeof fn !== "string" || typeof run !== "string") {
    reader.policy.plaintext(`event "${event.name}", which does not say whose run it is about`);
    return event;
  }
  const place = `event "${event.name}" about run ${run} of function "${fn}"`;
  const entries = new Map<string, unknown>();
  const parent = atPlace(place, () => openNested(data, { ...reader, fn }, entries));

  const { sealer, options } = reader;
  const expected = (kind: "fn.error" | "fn.output"): Expected => ({
    kind,
    fn,
    run,
    ...(parent !== undefined && { parent }),
  });
  const refuse = (what: string): void => {
    if (!options.plainFunctions.has(fn)) reader.policy.plaintext(`${place}, ${what}`);
  };
  /** Opens a copy of an error; false where it was not sealed. */
  const openError = (error: Record<string, unknown>, what: string, more?: readonly string[]): boolean => {
    const open = () => openWireError(error, () => expected("fn.error"), sealer, more);
    const restore = atPlace(`${place}, ${what}`, open);
    restore?.();
    return restore !== undefined;
  };

  // An error that does not open is the platform's own account: of a time-out, a limit.
  let platforms: Record<string, unknown> | undefined;
  if (isObject(data.error)) {
    const error = { ...data.error };
    if (!openError(error, "its error")) {
      if (!options.platformErrors) refuse("its error");
      markPlatformError(error);
      platforms = error;
    }
    entries.set("error", error);
  } else if (data.error !== undefined && data.error !== null) refuse("its error");

  if (isEnvelopeShaped(data.result)) {
    const open = () => sealer.open(data.result, expected("fn.output"));
    entries.set("result", atPlace(`${place}, its result`, open));
  } else if (isObject(data.result)) {
    // A run that failed is reported with its error in place of a result, too.
    const result = { ...data.result };
    // `type` is how the SDK answers failures of its own.
    if (!openError(result, "its result", ["type"])) {
      if (platforms !== undefined && repeats(result, platforms)) markPlatformError(result);
      else refuse("its result");
    }
    entries.set("result", result);
  } else if (data.result !== undefined && data.result !== null && !repeatsAsText(data.result, platforms)) {
    refuse("its result");
  }
  return { ...event, data: withEntries(data, entries) };
}

/**
 * Opens the events that started the run.
 *
 * @returns what the run's result and error have to be bound to: the call that started it, or the event; undefined where
 * the event has no sealed part to tell it by
 */
function openNested(
  data: Record<string, unknown>,
  reader: EventReader,
  entries: Map<string, unknown>,
): Uint8Array | undefined {
  // Once each: what is opened twice at every level of events in events takes for ever.
  const opened = new Map<WireEvent, OpenedEvent>();
  const open = (inner: WireEvent): OpenedEvent => {
    const known = opened.get(inner);
    if (known !== undefined) return known;
    if (reader.nestedStarts !== undefined && !starts(reader.nestedStarts, inner.name)) {
      throw new StepsealError("CONTEXT", `an event "${inner.name}" starts no run of this function`);
    }
    const result = openEvent(inner, reader);
    opened.set(inner, result);
    return result;
  };
  const { event } = data;
  const events = Array.isArray(data.events) ? data.events.filter(isObject) : [];
  const [first = event] = events;
  if (isObject(event) && events.length > 0 && sealedStrings(event).length > 0) {
    const digest = triggerDigest(event);
    if (!events.some((each) => equalBytes(triggerDigest(each), digest))) {
      throw new StepsealError("CONTEXT", "`event` is none of `events`");
    }
  }
  if (isObject(event)) entries.set("event", open(event).event);
  if (Array.isArray(data.events)) {
    entries.set(
      "events",
      data.events.map((inner: unknown) => (isObject(inner) ? open(inner).event : inner)),
    );
  }
  if (!isObject(first) || sealedStrings(first).length === 0) return undefined;
  const { caller } = open(first);
  return isUntied(first, caller, reader.options) ? undefined : (caller ?? triggerDigest(first));
}

/** Whether what stands in place of a result is the platform's error again, alone or inside an object. */
function repeats(result: Record<string, unknown>, error: Record<string, unknown>): boolean {
  const inner = Object.keys(result).join() === "error" && isObject(result.error) ? result.error : result;
  return (
    Object.keys(inner).every((key) => ERROR_MEMBERS.has(key)) &&
    own(inner, "message") === own(error, "message")
  );
}

/**
 * The same where it stands there as a text: the message, or the JSON of the error. So the platform tells of an answer
 * that never came, or that it could not take.
 */
function repeatsAsText(result: unknown, error: Record<string, unknown> | undefined): boolean {
  if (typeof result !== "string" || error === undefined) return false;
  if (result === error.message) return true;
  let told: unknown;
  try {
    told = own(JSON.parse(result), "error");
  } catch {
    return false;
  }
  return isObject(told) && Object.keys(told).every((key) => told[key] === own(error, key));
}

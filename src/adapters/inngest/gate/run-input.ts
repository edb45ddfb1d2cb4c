import { StepsealError } from "../../../errors.ts";
import { equalBytes } from "../../../internal/bytes.ts";
import type { ValueSealer } from "../../../value-sealer.ts";
import { endpointContext, type RunContext } from "./context.ts";
import {
  FAILED_EVENT,
  HTTP_EVENT,
  INVOKED_EVENT,
  isObject,
  LIFECYCLE_EVENTS,
  own,
  type WireEvent,
} from "./event.ts";
import { isUntied, openEvent } from "./events.ts";
import type { ResolvedOptions } from "./options.ts";
import { isPlatformError } from "./platform-errors.ts";
import type { PlaintextPolicy } from "./policy.ts";
import { type StartNames, starts } from "./starts.ts";
import { type MemoizedStep, openSteps, type StepShape } from "./steps.ts";
import { triggerDigest } from "./trigger.ts";

/** What a run came with, whatever the SDK calls it. */
export interface RunInput {
  readonly event: WireEvent;
  readonly events: readonly WireEvent[];
  readonly runId: string;
  readonly steps: Readonly<Record<string, MemoizedStep>>;
  /** Composite id of the function; not that of its failure handler, which is a function of its own to the platform. */
  readonly ownId: string;
  /** What starts the function. */
  readonly startNames: StartNames;
  /** Whether the handler of `onFailure` runs. */
  readonly isFailureHandler: boolean;
  /** Whether it is a durable endpoint. */
  readonly endpoint: boolean;
}

/** What opening a run's input needs to know. */
export interface RunReader {
  readonly sealer: ValueSealer;
  readonly options: ResolvedOptions;
  readonly policy: PlaintextPolicy;
  readonly clientId: string;
  /** Told where the run belongs, before anything of it is opened: a failure to open it has a place, too. */
  readonly onContext: (context: RunContext) => void;
}

export interface OpenedRun {
  readonly event: WireEvent;
  readonly events: readonly WireEvent[];
  readonly steps: Record<string, MemoizedStep>;
  readonly shapes: ReadonlyMap<string, StepShape>;
  /** For a failure handler: the error in its event, and whether that is the platform's own account. */
  readonly failure: { readonly error: unknown; readonly isPlatforms: boolean } | undefined;
}

/**
 * Opens the input of a function: its events, its memoized steps, and the error that `onFailure` is given.
 *
 * @throws {StepsealError} as {@link ValueSealer.open}, `PLAINTEXT_REJECTED` or `CONTEXT`, naming event, field or step
 */
export function openRun(input: RunInput, reader: RunReader): OpenedRun {
  const { event: first, events: all, runId, ownId, startNames, isFailureHandler, endpoint } = input;
  const { sealer, options, policy, clientId } = reader;
  const fnId = isFailureHandler ? `${ownId}-failure` : ownId;
  const names = isFailureHandler ? ON_FAILURE : startNames;
  if (!endpoint) checkNames([first, ...all], names, fnId);
  if (listens(names)) for (const event of [first, ...all]) checkCall(event, reader);
  if (isFailureHandler && own(first.data, "function_id") !== ownId) {
    throw new StepsealError(
      "CONTEXT",
      `the failure handler of "${ownId}" was given the failure of another function`,
    );
  }

  const trigger = triggerDigest(first);
  // The platform sends the first event twice, and nothing ties the one to the other but this. A durable endpoint's is
  // the request, without a sealed part; on re-entry the SDK has it in the list only.
  const [listed] = all;
  if (!endpoint && (listed === undefined || !equalBytes(trigger, triggerDigest(listed)))) {
    throw new StepsealError("CONTEXT", "`event` and `events[0]` of this request are different events");
  }

  const eventReader = {
    sealer,
    options,
    policy,
    fn: fnId,
    ...(isFailureHandler && { nestedStarts: startNames }),
  };
  const place = endpoint
    ? endpointContext(clientId, runId)
    : { fn: fnId, run: runId, trigger, caller: undefined };
  // Known from here on; the caller, if any, is known once the event is open.
  reader.onContext(place);
  const opened = openEvent(first, eventReader);
  const { caller } = opened;
  const context: RunContext = {
    ...place,
    caller,
    ...(isUntied(first, caller, options) && { untied: true }),
  };
  reader.onContext(context);

  const events = all.map((event) => openEvent(event, eventReader).event);
  const error = isFailureHandler ? own(opened.event.data, "error") : undefined;
  const isPlatforms = isFailureHandler && (isPlatformError(error) || !isObject(error));
  if (isPlatforms && !options.platformErrors) {
    policy.plaintext(`the failure handler of "${ownId}", its error`);
  }
  return {
    event: opened.event,
    events,
    failure: isFailureHandler ? { error, isPlatforms } : undefined,
    ...openSteps(input.steps, { ...eventReader, context }),
  };
}

const ON_FAILURE: StartNames = new Set([FAILED_EVENT]);

function checkNames(events: readonly WireEvent[], names: StartNames, fnId: string): void {
  for (const { name } of events) {
    if (starts(names, name)) continue;
    throw new StepsealError(
      "CONTEXT",
      `an event ${JSON.stringify(name)} does not start the function "${fnId}"`,
    );
  }
}

/** Whether a function hears of runs that ended, and takes what it is told of them for proven. */
function listens(names: StartNames): boolean {
  return [...LIFECYCLE_EVENTS].some((name) => starts(names, name));
}

/** Members in which an event tells of a run that ended. */
const TOLD_OF_RUNS = ["event", "events", "error", "result"];

/** Refuses a call that tells a listener what only an event may tell it: there it would have to be sealed. */
function checkCall({ name, data }: WireEvent, { options, policy }: RunReader): void {
  if (name !== INVOKED_EVENT) return;
  for (const member of TOLD_OF_RUNS) {
    if (own(data, member) === undefined || options.eventFields.has(member)) continue;
    policy.plaintext(`event "${name}" of a function that hears of runs that ended, member "${member}"`);
  }
}

/** Whether what runs is a durable endpoint: a function made for one request, which has no triggers to ask for. */
export function isEndpoint(events: readonly WireEvent[], triggers: unknown): boolean {
  const named = events.find((event) => event.name !== undefined);
  return String(named?.name) === HTTP_EVENT && triggers === undefined;
}

/**
 * Opens with a client's keys; where one is missing, once more with newer keys, if there are any.
 *
 * @param sealed what will be opened, for sealers that have to prepare it
 */
export async function openWithKeys<Opened>(
  { sealer: current, refreshedSealer }: ResolvedOptions,
  sealed: readonly unknown[],
  open: (sealer: ValueSealer) => Opened,
): Promise<Opened> {
  const sealer = await current();
  await sealer.prepare?.(sealed);
  try {
    return open(sealer);
  } catch (error) {
    if (!(error instanceof StepsealError) || error.code !== "UNKNOWN_KEY") throw error;
    const refreshed = await refreshedSealer?.();
    if (refreshed === undefined || refreshed === sealer) throw error;
    return open(refreshed);
  }
}

import type { Claims } from "../../../claims.ts";
import { StepsealError } from "../../../errors.ts";
import { equalBytes } from "../../../internal/bytes.ts";
import type { SealedValue, ValueSealer } from "../../../value-sealer.ts";
import {
  DEFERRED_EVENT,
  EXPERIMENT_MEMBER,
  INVOKED_EVENT,
  isEnvelopeShaped,
  isLifecycleEvent,
  isObject,
  type WireEvent,
  withEntries,
} from "./event.ts";
import { openLifecycle } from "./lifecycle.ts";
import type { ResolvedOptions } from "./options.ts";
import { atPlace, type PlaintextPolicy } from "./policy.ts";
import type { StartNames } from "./starts.ts";

/**
 * Seals the named fields of an event's data or an invoke payload's.
 *
 * @returns a copy with those fields sealed; `data` itself where it has none of them
 */
export function sealFields(
  data: unknown,
  fields: ReadonlySet<string>,
  seal: (value: unknown, field: string) => SealedValue,
): Record<string, unknown> | undefined {
  if (data === undefined || data === null) return undefined;
  if (!isObject(data))
    throw new StepsealError("REFUSED", "event data that is not an object cannot be sealed");
  const sealed = new Map<string, unknown>();
  for (const field of fields) {
    if (Object.hasOwn(data, field)) sealed.set(field, seal(data[field], field));
  }
  return sealed.size === 0 ? data : withEntries(data, sealed);
}

/** What opening an event needs to know. */
export interface EventReader {
  readonly sealer: ValueSealer;
  readonly options: ResolvedOptions;
  readonly policy: PlaintextPolicy;
  /** Composite id of the function that an invoke payload inside must be sealed for. */
  readonly fn: string;
  /** What the run may have been started by that a lifecycle event tells of, where this app knows. */
  readonly nestedStarts?: StartNames;
}

/** An event as user code sees it, and the token of the `step.invoke` it came from, where it did. */
export interface OpenedEvent {
  readonly event: WireEvent;
  readonly caller: Uint8Array | undefined;
}

/**
 * Opens the sealed fields of an event; in a lifecycle event also the events, the error and the result inside it.
 *
 * A field named in `eventFields` has to be sealed. Any other is opened only if it is an envelope whose claims say
 * that it belongs exactly here, so that a sender that names more fields is understood, and a ciphertext taken from
 * elsewhere stays what it is for everybody else: an opaque value.
 *
 * @throws {StepsealError} `PLAINTEXT_REJECTED` by policy, or as {@link ValueSealer.open}, naming event and field
 */
export function openEvent(event: WireEvent, reader: EventReader): OpenedEvent {
  if (!isObject(event.data)) return { event, caller: undefined };
  if (event.name === DEFERRED_EVENT) return { event: openDeferred(event, reader), caller: undefined };

  const invoked = event.name === INVOKED_EVENT;
  const expects = (field: string) =>
    invoked
      ? ({ kind: "invoke.field", fn: reader.fn, field } as const)
      : ({ kind: "event.field", event: String(event.name), field } as const);

  let caller: Uint8Array | undefined;
  const opened = new Map<string, unknown>();
  for (const field of Object.keys(event.data)) {
    const value = event.data[field];
    const listed = reader.options.eventFields.has(field);
    if (!listed && !belongsHere(field, value, expects(field), reader)) continue;

    const place = `event "${event.name}", field "${field}"`;
    if (!isEnvelopeShaped(value)) {
      if (!reader.options.plainEvents.has(String(event.name))) reader.policy.plaintext(place);
      continue;
    }
    const open = (claims: Claims) => {
      if (invoked) {
        if (caller !== undefined && !equalBytes(caller, claims.parent ?? new Uint8Array())) {
          throw new StepsealError("CONTEXT", "the fields of this payload were sealed by different calls");
        }
        caller = claims.parent;
      }
      return expects(field);
    };
    opened.set(
      field,
      atPlace(place, () => reader.sealer.open(value, open)),
    );
  }

  const data = opened.size === 0 ? event.data : withEntries(event.data, opened);
  // The empty envelope that carried the caller's token is not the caller's data.
  if (invoked) for (const [field, value] of opened) if (value === undefined) delete data[field];
  const result = opened.size === 0 ? event : { ...event, data };
  return { event: isLifecycleEvent(event) ? openLifecycle(result, reader) : result, caller };
}

/** Whether an event is a call without a token, where such calls are made: what it leads to has no parent. */
export function isUntied(
  { name }: WireEvent,
  caller: Uint8Array | undefined,
  { takesUntied }: ResolvedOptions,
): boolean {
  return takesUntied && name === INVOKED_EVENT && caller === undefined;
}

/**
 * Whether a field that is not listed holds a sealed value that says of itself that it belongs here; whether that is
 * true, opening tells. Those of the official middleware say nothing, and are taken where the user names the field.
 */
function belongsHere(field: string, value: unknown, expected: Claims, reader: EventReader): boolean {
  const claims = reader.sealer.claimsOf(value);
  if (claims === undefined) return isEnvelopeShaped(value) && reader.options.legacy.opensField(field);
  return (
    claims.kind === expected.kind &&
    claims.field === expected.field &&
    claims.event === expected.event &&
    claims.fn === expected.fn
  );
}

/** The members of a sealed value, in any format. */
const SEALED_INPUT: ReadonlySet<string> = new Set(["__ENCRYPTED__", "__STRATEGY__", "data", "k", "c", "t"]);

/** What stands beside the envelope of a deferred call: the platform's own, and the reference of an experiment. */
const BESIDE_INPUT: ReadonlySet<string> = new Set(["_inngest", EXPERIMENT_MEMBER]);

/** A deferred call: its whole input is one envelope. Whatever else stands beside it was put there on the way. */
function openDeferred(event: WireEvent, reader: EventReader): WireEvent {
  const members = Object.entries(event.data as Record<string, unknown>);
  const envelope = Object.fromEntries(members.filter(([key]) => SEALED_INPUT.has(key)));
  const beside = Object.fromEntries(members.filter(([key]) => !SEALED_INPUT.has(key)));
  const place = `event "${event.name}", its input`;
  if (!isEnvelopeShaped(envelope)) {
    reader.policy.plaintext(place);
    return event;
  }
  for (const key of Object.keys(beside)) {
    if (!BESIDE_INPUT.has(key)) reader.policy.plaintext(`${place}, member ${JSON.stringify(key)}`);
  }
  const open = () => reader.sealer.open(envelope, { kind: "defer.input", fn: reader.fn });
  const input = atPlace(place, open);
  return { ...event, data: isObject(input) ? withEntries(input, new Map(Object.entries(beside))) : input };
}

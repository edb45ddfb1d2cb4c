import { StepsealError } from "../../../errors.ts";
import type { ValueSealer } from "../../../value-sealer.ts";
import { isObject } from "./event.ts";
import { sealFields } from "./events.ts";
import type { ResolvedOptions } from "./options.ts";
import { refusedPath, unknownPath } from "./refusals.ts";

const EVENT_KEYS = new Set(["name", "data", "id", "ts", "v", "meta", "user"]);

/**
 * Refuses an event that carries what cannot be sealed.
 *
 * @throws {StepsealError} `REFUSED`, naming the event and the member
 */
export function checkEvent(event: unknown, { allows }: Pick<ResolvedOptions, "allows">): void {
  if (!isObject(event)) throw new StepsealError("REFUSED", "an event that is not an object does not leave");
  const at = `event ${JSON.stringify(event.name)}`;
  for (const key of Object.keys(event)) {
    const leaves = event[key] !== undefined && typeof event[key] !== "function";
    if (leaves && !EVENT_KEYS.has(key)) throw unknownPath(`${at}: member "${key}"`);
  }
  checkUser(event, { allows });
}

/** As `checkEvent`, of the one member that is known and cannot be sealed; of anything else, it says nothing. */
export function checkUser(event: unknown, { allows }: Pick<ResolvedOptions, "allows">): void {
  if (!isObject(event)) return;
  const { name, user } = event;
  const empty = user === undefined || user === null || (isObject(user) && Object.keys(user).length === 0);
  if (!empty && !allows("event-user")) throw refusedPath("event-user", `event ${JSON.stringify(name)}`);
}

/** Seals the named fields of the events in a call of the event API. */
export function sealSentEvents(
  body: unknown,
  { sealer, options }: { readonly sealer: ValueSealer; readonly options: ResolvedOptions },
): unknown {
  if (!Array.isArray(body)) throw new StepsealError("REFUSED", "an event request without a list of events");
  return body.map((event: unknown) => {
    checkEvent(event, options);
    const { name, data } = event as { name: unknown; data: unknown };
    const sealed = sealFields(data, options.eventFields, (value, field) =>
      sealer.seal(value, { kind: "event.field", event: String(name), field }),
    );
    return { ...(event as object), ...(sealed !== undefined && { data: sealed }) };
  });
}

import { isObject, type JsonObject, storedCopy, text } from "./json.ts";
import type { Platform } from "./platform.ts";
import type { StoredEvent } from "./stored.ts";

/** The event in the form expressions and results hold it: with `user`, without what is empty. */
export function eventMap(event: StoredEvent): JsonObject {
  const { id, name, ts, v, meta } = event;
  return {
    data: event.data ?? {},
    id,
    name,
    ts,
    user: event.user ?? {},
    ...(text(v) ? { v } : {}),
    ...(meta === undefined ? {} : { meta }),
  };
}

/** Sessions of an event's meta: what was propagated, overridden by what was set, minus what was set to null. */
function resolveMeta(meta: unknown): JsonObject | undefined {
  if (!isObject(meta)) return undefined;
  const inherited =
    meta.sessions !== null && isObject(meta.propagated_sessions) ? meta.propagated_sessions : {};
  const own = isObject(meta.sessions) ? meta.sessions : {};
  const sessions = Object.entries({ ...inherited, ...own }).filter(([, id]) => id !== null);
  if (sessions.length === 0) return undefined;
  return { sessions: Object.fromEntries(sessions.map(([key, id]) => [key, String(id)])) };
}

/** An event as the platform stores it. Empty members are left out, as the platform does. */
export function storedEvent(platform: Platform, input: JsonObject, id: string): StoredEvent {
  const meta = resolveMeta(input.meta);
  return storedCopy({
    id: text(input.id) || id,
    name: text(input.name) ?? "",
    data: isObject(input.data) ? input.data : {},
    ts: typeof input.ts === "number" && input.ts !== 0 ? input.ts : platform.now,
    ...(text(input.v) ? { v: input.v } : {}),
    ...(meta === undefined ? {} : { meta }),
    ...(isObject(input.user) && Object.keys(input.user).length > 0 ? { user: input.user } : {}),
  }) as StoredEvent;
}

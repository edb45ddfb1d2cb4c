import { page } from "./filters.ts";
import type { Platform } from "./state.ts";

/** `GET /v2/events`: what was delivered, newest first. Only what the SDK's client reads of it is here. */
export function messageLog(platform: Platform, query: URLSearchParams): object {
  const events = platform.deliveries
    .filter((one) => (query.get("messageId") ?? one.messageId) === one.messageId)
    .map((one) => ({
      messageId: one.messageId,
      url: one.url,
      method: one.method,
      state: one.status === undefined ? "CANCELED" : one.status < 300 ? "DELIVERED" : "ERROR",
      ...(one.status === undefined ? {} : { responseStatus: one.status }),
      ...(one.problem === undefined ? {} : { error: one.problem }),
    }))
    .reverse();
  const { items, cursor } = page(events, query, 1000);
  return { events: items, cursor };
}

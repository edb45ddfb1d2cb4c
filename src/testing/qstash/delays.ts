import { parseDuration } from "../clock.ts";
import { evaluate } from "./retry-expression.ts";
import type { Answer, Message } from "./state.ts";

const DAY = 86_400_000;

/** When a message is due: `Upstash-Not-Before` in Unix seconds goes before `Upstash-Delay`. */
export function dueTime(now: number, fields: Readonly<Record<string, string>>): number {
  const notBefore = Number(fields["upstash-not-before"] || Number.NaN);
  if (!Number.isNaN(notBefore)) return Math.max(now, notBefore * 1000);
  return now + (parseDuration(fields["upstash-delay"] ?? "") ?? 0);
}

/** Headers by which an answer says when to try again. */
const LATER = ["retry-after", "x-ratelimit-reset", "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"];

/** Milliseconds that an answer asks for; undefined when it asks for nothing, or for more than a day. */
function asked(now: number, answer: Answer): number | undefined {
  for (const name of LATER) {
    const value = answer.headers[name]?.trim();
    if (value === undefined || value === "") continue;
    const seconds = Number(value);
    const wait = Number.isNaN(seconds) ? (parseDuration(value) ?? Date.parse(value) - now) : seconds * 1000;
    if (wait >= 0 && wait <= DAY) return wait;
  }
  return undefined;
}

/**
 * Milliseconds until a message that failed is sent again: what the answer asks for, what its retry delay says, or
 * min(86400, e^(2.5 n)) seconds, n the number of the retry. The platform's table shows whole seconds.
 */
export function retryDelay(now: number, message: Message, answer: Answer): number {
  const wanted = asked(now, answer);
  if (wanted !== undefined) return wanted;
  const expression = message.fields["upstash-retry-delay"];
  const own = expression === undefined ? undefined : evaluate(expression, message.retried);
  if (own !== undefined && own >= 0) return Math.min(own, DAY);
  return Math.min(DAY, Math.floor(Math.exp(2.5 * (message.retried + 1))) * 1000);
}

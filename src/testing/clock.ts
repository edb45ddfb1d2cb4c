import { StepsealError } from "../errors.ts";

const UNITS: Record<string, number> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};

/**
 * Milliseconds of a duration like `"1h30m"`, `"2d"` or `"500ms"`; undefined when it is none.
 *
 * An empty text is no duration.
 */
export function parseDuration(duration: string): number | undefined {
  let total = 0;
  let end = 0;
  for (const part of duration.matchAll(/(\d+(?:\.\d+)?)\s*(ms|w|d|h|m|s)\s*/gy)) {
    total += Number(part[1]) * (UNITS[part[2] ?? ""] ?? 0);
    end = part.index + part[0].length;
  }
  return end > 0 && end === duration.length ? total : undefined;
}

/** Milliseconds of what a test gives as a duration. @throws StepsealError `CONFIG` */
export function durationOf(duration: string | number): number {
  const milliseconds = typeof duration === "number" ? duration : parseDuration(duration.trim());
  if (milliseconds === undefined || !Number.isFinite(milliseconds) || milliseconds < 0) {
    throw new StepsealError(
      "CONFIG",
      `${JSON.stringify(duration)} is no duration: give milliseconds, or text like "1h30m", "2d" or "500ms"`,
    );
  }
  return milliseconds;
}

/**
 * When a sleep or a wait ends, in milliseconds since the epoch: a duration from now, or an ISO time, which is
 * never in the past. Undefined when the text is neither.
 */
export function timeFrom(now: number, when: string): number | undefined {
  const duration = parseDuration(when);
  if (duration !== undefined) return now + duration;
  if (when.length < 10) return undefined;
  const at = Date.parse(when);
  return Number.isNaN(at) ? undefined : Math.max(now, at);
}

/** When to retry, from a `Retry-After` header: seconds or a date, at least a second and at most a day away. */
export function retryTime(now: number, header: string): number | undefined {
  const at = /^\d{1,7}$/.test(header) ? now + Number(header) * 1000 : Date.parse(header);
  if (Number.isNaN(at) || at === now) return undefined;
  return Math.min(Math.max(at, now + 1000), now + 86_400_000);
}

const BACKOFF_SECONDS = [15, 30, 60, 120, 300, 600, 1200, 2400, 3600, 7200];

/** The platform's pause before a retry, without its random part. `attempt` counts from 0. */
export function backoff(attempt: number): number {
  return (BACKOFF_SECONDS[Math.min(attempt, BACKOFF_SECONDS.length - 1)] ?? 0) * 1000;
}

import type { Complaints } from "./complaints.ts";
import { NeedleSearch } from "./needle-search.ts";
import { count } from "./terminal.ts";
import { HEADER_BYTES, isHeader, kidAt, PREFIX } from "./token.ts";

/** Counts the envelopes of a stream by the kid in them. */
export function kidCounter(found: (kid: string) => void): NeedleSearch {
  return new NeedleSearch(PREFIX, HEADER_BYTES, (bytes, at) => {
    if (at + HEADER_BYTES <= bytes.length && isHeader(bytes, at)) found(kidAt(bytes, at));
  });
}

const STRATEGY = Buffer.from("__STRATEGY__");
/** From there on: quotes, a colon, white space, and a name not longer than those in use. */
const STRATEGY_REACH = 96;

/**
 * Counts envelopes of other formats than stepseal/v1 by their `__STRATEGY__`, in JSON of any nesting: newer versions
 * of it, and those of Inngest's own middleware.
 */
export function otherFormatCounter(found: (format: string) => void): NeedleSearch {
  return new NeedleSearch(STRATEGY, STRATEGY_REACH, (bytes, at) => {
    const text = bytes.toString("latin1", at + STRATEGY.length, at + STRATEGY_REACH);
    const match = /^[\\"]*\s*:\s*[\\"]+(stepseal|inngest)\\*\/([a-z0-9]{1,16})[\\"]/.exec(text);
    const format = match === null ? "stepseal/v1" : `${match[1]}/${match[2]}`;
    if (format !== "stepseal/v1") found(format);
  });
}

/** Counts envelopes of other formats in an input, and complains of them at its end. */
export function otherFormatComplaints(
  input: string,
  complaints: Complaints,
): Pick<NeedleSearch, "feed" | "end"> {
  const formats = new Map<string, number>();
  const counter = otherFormatCounter((format) => formats.set(format, (formats.get(format) ?? 0) + 1));
  return {
    feed: (chunk) => counter.feed(chunk),
    end: () => {
      counter.end();
      for (const [format, number] of formats) complaints.add(`${input}: ${formatProblem(format, number)}`);
    },
  };
}

/** Says that envelopes of another format were met, and what to do. */
export function formatProblem(format: string, number: number): string {
  const advice = isUnderPassphrase(format)
    ? "They are of Inngest's own middleware, whose passphrases this command does not take."
    : "They are of another version than stepseal/v1: update stepseal.";
  return `${count(number, "envelope")} of ${format}. ${advice}`;
}

/** Whether what is of a format is sealed under a passphrase of Inngest's own middleware, and under no key of a ring. */
export function isUnderPassphrase(format: string): boolean {
  return format.startsWith("inngest/");
}

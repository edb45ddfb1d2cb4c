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

/**
 * What `ss1.` is in base64, after as many bytes of a group as stand before it: the digits that hold no bit of what stands
 * around it, and those that make a group whole where they are decoded.
 */
const IN_BASE64 = [
  { before: 0, digits: "c3MxL", lead: "" },
  { before: 1, digits: "NzMS", lead: "AH" },
  { before: 2, digits: "zczEu", lead: "AAB" },
] as const;
/** Digits that hold a header of 21 bytes, and the two that may stand before it in its first group: whole groups. */
const HEADER_DIGITS = 32;

/** Counts the envelopes of a stream whose text stands in base64, of either alphabet, by the kid in them. */
export function base64KidCounter(found: (kid: string) => void): Pick<NeedleSearch, "feed" | "end"> {
  const searches = IN_BASE64.map(
    ({ before, digits, lead }) =>
      new NeedleSearch(Buffer.from(digits), HEADER_DIGITS, (bytes, at) => {
        const text = Buffer.from(lead + bytes.toString("latin1", at, at + HEADER_DIGITS), "base64");
        if (before + HEADER_BYTES <= text.length && isHeader(text, before)) found(kidAt(text, before));
      }),
  );
  return {
    feed: (chunk) => {
      for (const search of searches) search.feed(chunk);
    },
    end: () => {
      for (const search of searches) search.end();
    },
  };
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

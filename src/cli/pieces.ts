import { MAX_PLAINTEXT_BYTES } from "../codec.ts";
import { isUndecided, type Place, placeOf, REACH } from "./spelling.ts";
import { StringTracker } from "./string-tracker.ts";
import { endOfBody, HEADER_BYTES, isHeader, kidAt, PREFIX } from "./token.ts";
import { Window } from "./window.ts";

/** A longer text is no envelope that opens: base64url has 4 digits for 3 bytes, padding adds 12 %, claims 4 KiB. */
export const MAX_TEXT_BYTES: number = MAX_PLAINTEXT_BYTES * 1.5;

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** A piece of a stream: text without envelopes, or an envelope with what around it belongs to it. */
export type Piece =
  | { readonly type: "text"; readonly bytes: Buffer }
  | { readonly type: "envelope"; readonly found: FoundEnvelope };

/** An envelope in a stream. */
export interface FoundEnvelope {
  readonly kid: string;
  /** `ss1.<kid>.<body>`; undefined for one over the limit, which is not read. */
  readonly data: string | undefined;
  /** The envelope and what `place` counts to it. */
  readonly bytes: Buffer;
  readonly place: Place;
  /** Where it begins, counted from 1. */
  readonly line: number;
}

/**
 * Cuts a stream of bytes of any size into text and envelopes; joined again, the pieces are the stream. Holds one
 * envelope in memory at a time, and no line.
 *
 * @param beforeWait called before more is read, when all that could be told of what was read has been
 * @returns pieces whose bytes are valid until the next one is asked for
 */
export async function* pieces(
  input: AsyncIterable<Buffer>,
  beforeWait: () => Promise<void> = async () => {},
): AsyncGenerator<Piece, void, undefined> {
  const chunks = input[Symbol.asyncIterator]();
  const window = new Window();
  const strings = new StringTracker();
  let line = 1;
  let hasEnded = false;

  const take = (length: number): Buffer => {
    const bytes = window.take(length);
    strings.feed(bytes);
    line += countLines(bytes);
    return bytes;
  };
  const text = (length: number): Piece => ({ type: "text", bytes: take(length) });
  const more = async (): Promise<void> => {
    await beforeWait();
    const next = await chunks.next();
    if (next.done === true) hasEnded = true;
    else window.append(next.value);
  };

  try {
    for (;;) {
      const at = findHeader(window.bytes);
      if (at < 0) {
        const whole = window.length - (hasEnded ? 0 : heldBack(window.bytes));
        if (whole > 0) yield text(whole);
        if (hasEnded) return;
        await more();
        continue;
      }
      if (at > REACH) {
        yield text(at - REACH);
        continue;
      }
      let end = endOfBody(window.bytes, at + HEADER_BYTES);
      while (end === window.length && end - at <= MAX_TEXT_BYTES && !hasEnded) {
        await more();
        end = endOfBody(window.bytes, end);
      }
      const isTooLong = end - at > MAX_TEXT_BYTES;
      while (!isTooLong && !hasEnded && isUndecided(textAfter(window.bytes, end))) await more();
      const place = isTooLong ? ALONE : placeAt(window.bytes, at, end, strings);
      if (at > place.before) yield text(at - place.before);
      const start = place.before;
      const length = end - at;
      const found = {
        kid: kidAt(window.bytes, start),
        data: isTooLong ? undefined : window.bytes.toString("latin1", start, start + length),
        place,
        line,
        bytes: take(start + length + place.after),
      };
      yield { type: "envelope", found };
    }
  } finally {
    await chunks.return?.();
  }
}

const ALONE: Place = { before: 0, after: 0, write: (json) => json };

function findHeader(bytes: Buffer): number {
  const last = bytes.length - HEADER_BYTES;
  for (let at = bytes.indexOf(PREFIX); at >= 0 && at <= last; at = bytes.indexOf(PREFIX, at + 1)) {
    if (isHeader(bytes, at)) return at;
  }
  return -1;
}

function textAfter(bytes: Buffer, end: number): string {
  return bytes.toString("latin1", end, Math.min(end + REACH, bytes.length));
}

function placeAt(bytes: Buffer, at: number, end: number, strings: StringTracker): Place {
  const before = bytes.subarray(Math.max(0, at - REACH), at);
  return placeOf(before.toString("latin1"), textAfter(bytes, end), strings.depthAfter(bytes.subarray(0, at)));
}

/** How many of the last bytes may begin an envelope, or an object that holds one. */
function heldBack(bytes: Buffer): number {
  const { length } = bytes;
  const from = Math.max(0, length - REACH);
  const tail = bytes.subarray(from);
  const brace = tail.lastIndexOf("{");
  if (brace >= 0 && tail.indexOf("}", brace) < 0) return tail.length - brace;
  let at = Math.max(0, length - HEADER_BYTES);
  while (at < length && !isHeader(bytes, at)) at++;
  while (at > from && (bytes[at - 1] === QUOTE || bytes[at - 1] === BACKSLASH)) at--;
  return length - at;
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}

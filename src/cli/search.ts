import { StepsealError } from "../errors.ts";
import type { Complaints } from "./complaints.ts";
import { otherFormatComplaints } from "./counters.ts";
import { Failure } from "./exit.ts";
import type { Input } from "./inputs.ts";
import { type FoundEnvelope, MAX_TEXT_BYTES, type Piece, pieces } from "./pieces.ts";
import { Unwritable } from "./spelling.ts";
import { size } from "./terminal.ts";

/** An envelope whose text was read. */
type Readable = FoundEnvelope & { readonly data: string };

/**
 * Goes through an input: every piece of text, and every envelope. Envelopes of other formats are told at its end.
 *
 * @param onEnvelope may throw a StepsealError or an Unwritable, which is told with the place of the envelope
 * @param onText is given what is to be kept as it is, which an envelope that was told of is too
 * @returns how many envelopes there were
 * @throws {Failure} for an input that is binary or cannot be read
 */
export async function search(
  input: Input,
  complaints: Complaints,
  onEnvelope: (envelope: Readable) => Promise<void> | void,
  onText: (bytes: Buffer) => Promise<void> = async () => {},
  beforeWait?: () => Promise<void>,
): Promise<number> {
  const others = otherFormatComplaints(input.name, complaints);
  let envelopes = 0;
  for await (const piece of pieces(
    textOf(input, (chunk) => others.feed(chunk)),
    beforeWait,
  )) {
    if (piece.type === "envelope") envelopes++;
    const complaint = piece.type === "text" ? undefined : await tryEnvelope(piece, onEnvelope);
    if (complaint !== undefined) complaints.add(`${input.name}, line ${lineOf(piece)}: ${complaint}`);
    if (piece.type === "text") await onText(piece.bytes);
    else if (complaint !== undefined) await onText(piece.found.bytes);
  }
  others.end();
  return envelopes;
}

function lineOf(piece: Piece): number | undefined {
  return piece.type === "envelope" ? piece.found.line : undefined;
}

/** What is wrong with an envelope, or undefined. */
async function tryEnvelope(
  { found }: Extract<Piece, { type: "envelope" }>,
  onEnvelope: (envelope: Readable) => Promise<void> | void,
): Promise<string | undefined> {
  const { data } = found;
  if (data === undefined) {
    return `an envelope under key ${found.kid} is longer than ${size(MAX_TEXT_BYTES)}, and is not read.`;
  }
  try {
    await onEnvelope({ ...found, data });
    return undefined;
  } catch (error) {
    if (error instanceof Unwritable) return error.message;
    if (!(error instanceof StepsealError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

/** The chunks of an input. A NUL byte, which text has none of, ends it: rewriting binary data would break it. */
async function* textOf(input: Input, see: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of input.chunks()) {
    if (chunk.includes(0)) throw new Failure(`${input.name}: it is binary data, not text.`);
    see(chunk);
    yield chunk;
  }
}

import fc from "fast-check";
import { expect, test } from "vitest";
import { kidCounter } from "../../src/cli/counters.ts";
import { type FoundEnvelope, pieces } from "../../src/cli/pieces.ts";
import type { Place } from "../../src/cli/spelling.ts";
import { sealed, sealedText } from "./support.ts";

const RUNS = process.env.SLOW === undefined ? 300 : 5000;

/** Envelopes of both keys, in the spellings that occur. */
const envelopes = [sealed("v"), sealed([1, { "a\n": '"\\' }], "new"), sealed("é".repeat(700))];
const spelt = envelopes.flatMap((envelope) => [
  (envelope as { data: string }).data,
  JSON.stringify(envelope),
  JSON.stringify(envelope, null, 2),
  JSON.stringify(JSON.stringify(envelope)),
  JSON.stringify({ a: JSON.stringify({ b: JSON.stringify(envelope) }) }),
  `"${JSON.stringify(envelope).replaceAll('"', '""')}"`,
]);

/** What is written in place of an envelope, or why nothing is. */
function writes(place: Place): string {
  try {
    return place.write('{"a":"b"}');
  } catch (error) {
    return (error as Error).message;
  }
}

/** What stands around them, much of it nearly one. */
const around = fc.oneof(
  fc.constantFrom(
    "ss1.",
    "ss1.0123456789abcdef",
    '{"__ENCRYPTED__":true',
    "\\",
    '"',
    "{",
    "}",
    "\n",
    ",",
    "é",
    "sss1.",
  ),
  fc.string({ maxLength: 20 }).map((text) => text.replaceAll("ss1", "")),
);
const separated = fc
  .tuple(around, fc.constantFrom(...spelt))
  .map(([text, envelope]) => [text, " ", envelope, " "]);
const streams = fc.array(separated, { maxLength: 6 }).map((parts) => parts.flat().join(""));
const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 });

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length]!;
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

async function* stream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) {
    // Memory that is used again, as a file's is.
    const copy = Buffer.from(chunk);
    yield copy;
    copy.fill(0);
  }
}

async function all(
  chunks: readonly Buffer[],
): Promise<{ joined: string; found: Omit<FoundEnvelope, "bytes">[] }> {
  const parts: Buffer[] = [];
  const found: Omit<FoundEnvelope, "bytes">[] = [];
  for await (const piece of pieces(stream(chunks))) {
    parts.push(Buffer.from(piece.type === "text" ? piece.bytes : piece.found.bytes));
    if (piece.type === "envelope") found.push(piece.found);
  }
  return { joined: Buffer.concat(parts).toString("latin1"), found };
}

test("pieces joined are the stream, and the envelopes are the same however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(streams, sizes, async (text, lengths) => {
      const bytes = Buffer.from(text);
      const whole = await all([bytes]);
      const inChunks = await all(cut(bytes, lengths));
      expect(inChunks.joined).toBe(bytes.toString("latin1"));
      const plain = ({ found }: typeof whole): unknown[] =>
        found.map(({ kid, data, line, place }) => [
          kid,
          data,
          line,
          place.before,
          place.after,
          writes(place),
        ]);
      expect(plain(inChunks)).toEqual(plain(whole));
    }),
    { numRuns: RUNS },
  );
});

test("the counter finds as many as the search, however the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(streams, sizes, async (text, lengths) => {
      const bytes = Buffer.from(text);
      const kids: string[] = [];
      const counter = kidCounter((kid) => kids.push(kid));
      for (const chunk of cut(bytes, lengths)) counter.feed(chunk);
      counter.end();
      expect(kids).toEqual((await all([bytes])).found.map(({ kid }) => kid));
    }),
    { numRuns: RUNS },
  );
});

test("in JSON of any shape, what is put in place of an envelope reads back as that value", async () => {
  const marker = fc.constantFrom(...envelopes);
  const inText = marker.map((envelope) => `got ${(envelope as { data: string }).data} here`);
  const shapes = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      marker,
      fc.string(),
      fc.integer(),
      marker.map((envelope) => JSON.stringify({ s: envelope })),
      inText,
      inText.map((text) => JSON.stringify({ s: text })),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(fc.string({ maxLength: 5 }), tie("value"), { maxKeys: 4 }),
    ),
  })).value;
  const opened = { v: 'a"\\\n' };
  const expected = (value: unknown): unknown => {
    if (typeof value === "string" && value.startsWith('{"s":')) {
      return JSON.stringify({ s: expected(JSON.parse(value).s) });
    }
    if (typeof value === "string") return value.replace(/ss1\.\S+/, JSON.stringify(opened));
    if (Array.isArray(value)) return value.map(expected);
    if (typeof value !== "object" || value === null) return value;
    if ("__ENCRYPTED__" in value) return opened;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, expected(member)]));
  };
  await fc.assert(
    fc.asyncProperty(shapes, fc.constantFrom(undefined, 2, "\t"), sizes, async (value, indent, lengths) => {
      const bytes = Buffer.from(JSON.stringify([value], null, indent));
      const parts: Buffer[] = [];
      for await (const piece of pieces(stream(cut(bytes, lengths)))) {
        const isText = piece.type === "text";
        parts.push(Buffer.from(isText ? piece.bytes : piece.found.place.write(JSON.stringify(opened))));
      }
      expect(JSON.parse(Buffer.concat(parts).toString())).toEqual(
        JSON.parse(JSON.stringify(expected([value]))),
      );
    }),
    { numRuns: RUNS },
  );
});

test("a body of several megabytes is found in one piece", async () => {
  const text = sealedText("x".repeat(6_000_000));
  const { found } = await all(cut(Buffer.from(`{"a":"${text}"}`), [65_536]));
  expect(found.map(({ data }) => data === text)).toEqual([true]);
});

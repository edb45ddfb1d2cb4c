import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Piece, pieces } from "../../src/cli/pieces.ts";
import { type Place, Unwritable } from "../../src/cli/spelling.ts";
import { run, sealed, useCli } from "../cli/support.ts";
import { key, kid } from "../keyring/roots.ts";
import { fuzz, MARKER, TIMEOUT } from "./fuzz.ts";
import { changedBytes, changedText } from "./mutations.ts";

const { file } = useCli();
const env = { STEPSEAL_KEY: key("old"), STEPSEAL_KEY_FALLBACK: key("other") };
const ENVELOPES = ["old", "other", "third"].map(
  (name) => sealed({ text: `${MARKER} "quoted" \\ é` }, name) as { data: string },
);

/** What is in a stream, whatever chunks it comes in: a piece for each envelope, and the text between. */
async function cut(
  bytes: Buffer,
  sizes: readonly number[],
): Promise<{ whole: Buffer; envelopes: unknown[] }> {
  async function* chunks(): AsyncGenerator<Buffer> {
    let at = 0;
    for (let i = 0; at < bytes.length; i++) {
      const size = sizes[i % sizes.length] ?? bytes.length;
      yield bytes.subarray(at, at + size);
      at += size;
    }
  }
  const parts: Buffer[] = [];
  const envelopes: unknown[] = [];
  const take = (piece: Piece): void => {
    parts.push(Buffer.from(piece.type === "text" ? piece.bytes : piece.found.bytes));
    if (piece.type === "text") return;
    const { kid: name, data, line, place } = piece.found;
    envelopes.push({
      name,
      data,
      line,
      before: place.before,
      after: place.after,
      written: writtenIn(place),
    });
  };
  for await (const piece of pieces(chunks())) take(piece);
  return { whole: Buffer.concat(parts), envelopes };
}

/** What stands in place of an envelope, or why nothing can: its quotes would end the string around it. */
function writtenIn(place: Place): string {
  try {
    return place.write('{"a":"b"}');
  } catch (error) {
    if (error instanceof Unwritable) return error.message;
    throw error;
  }
}

/** A value with envelopes in it, some in strings that are JSON themselves, and what it is when they are opened. */
interface Sample {
  readonly sealed: unknown;
  readonly opened: unknown;
}
const plain = fc
  .jsonValue({ maxDepth: 2, stringUnit: "grapheme" })
  .map((value) => ({ sealed: value, opened: value }));
const one = fc
  .constantFrom(...ENVELOPES.slice(0, 2))
  .map((envelope) => ({ sealed: envelope, opened: { text: `${MARKER} "quoted" \\ é` } }));
const closed = fc.constantFrom(ENVELOPES[2]!).map((envelope) => ({ sealed: envelope, opened: envelope }));
const sample: fc.Arbitrary<Sample> = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 2, arbitrary: one },
    { weight: 1, arbitrary: closed },
    { weight: 1, arbitrary: plain },
    {
      weight: 3,
      arbitrary: fc.array(tie("sample"), { maxLength: 4 }).map((all) => ({
        sealed: all.map((each) => each.sealed),
        opened: all.map((each) => each.opened),
      })),
    },
    {
      weight: 2,
      arbitrary: tie("sample").map((inner) => ({
        sealed: { body: JSON.stringify(inner.sealed) },
        opened: { body: JSON.stringify(inner.opened) },
      })),
    },
  ),
})).sample;

/** Lines of what a user may have: JSON, with envelopes changed or whole, logs, and noise. */
const noise = fc.oneof(
  fc
    .tuple(sample, changedText('{}[]":,\\ss1.0af\n'))
    .map(([{ sealed: value }, change]) => change(JSON.stringify(value))),
  fc
    .constantFrom(...ENVELOPES)
    .chain(({ data }) => changedText("ABCabc019-_.s").map((change) => change(data))),
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "ss1.",
    `ss1.${kid("old")}.`,
    `ss1.${kid("old")}`,
    '{"__ENCRYPTED__":true,"__STRATEGY__":"stepseal/v1","data":"',
    "\\".repeat(70),
    '"'.repeat(9),
  ),
  fc.constantFrom(...ENVELOPES).map(({ data }) => `log: ${data}, twice ${data}`),
);
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

describe("the pieces of a stream", { timeout: TIMEOUT }, () => {
  test("are the same in whatever chunks it comes, and joined they are the stream", async () => {
    const bytes = fc.oneof(
      fc.array(noise, { maxLength: 6 }).map((lines) => Buffer.from(lines.join("\n"))),
      fc.uint8Array({ maxLength: 200 }).map((all) => Buffer.from(all)),
      fc
        .tuple(fc.constantFrom(...ENVELOPES), changedBytes())
        .map(([envelope, change]) => Buffer.from(change(Buffer.from(JSON.stringify(envelope))))),
    );
    await fuzz(
      fc.asyncProperty(bytes, sizes, async (stream, cuts) => {
        const whole = await cut(stream, []);
        expect(whole.whole.equals(stream)).toBe(true);
        expect(await cut(stream, cuts)).toEqual(whole);
        // Each text of an envelope, and no other: the longest run of its alphabet after a header.
        const found = [...stream.toString("latin1").matchAll(/ss1\.([0-9a-f]{16})\.([\w-]*)/g)];
        expect(whole.envelopes).toMatchObject(found.map(([data, name]) => ({ data, name })));
      }),
      300,
    );
  });
});

describe("the command line", { timeout: TIMEOUT }, () => {
  const isLong = process.env.SLOW === "1";
  const batches = isLong ? Number(process.env.FUZZ_RUNS ?? 2000) / 100 : 1;
  const seeds = Array.from({ length: Math.ceil(batches) }, () =>
    isLong ? Math.floor(Math.random() * 2 ** 31) : 20,
  );

  test.each(seeds)("opens each value in its place, and rewraps it, seed %i", async (seed) => {
    const samples = fc.sample(sample, { seed, numRuns: 150 });
    const data = file("samples.jsonl", samples.map((each) => `${JSON.stringify(each.sealed)}\n`).join(""));
    const { code, stdout, stderr } = await run(["decrypt", data], { env });
    expect(code).toBe(1);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      samples.map(({ opened }) => JSON.parse(JSON.stringify(opened))),
    );
    expect(stderr).not.toContain(MARKER);
    const rewrapped = await run(["rewrap"], {
      env,
      input: samples.map((each) => `${JSON.stringify(each.sealed)}\n`).join(""),
    });
    expect(
      (await run(["decrypt"], { env: { STEPSEAL_KEY: key("old") }, input: rewrapped.stdout })).stdout,
    ).toBe(stdout);
  });

  test.each(seeds)("takes any text and any bytes, and says in lines what is wrong, seed %i", async (seed) => {
    const texts = fc.sample(noise, { seed, numRuns: 150 }).join("\n").replaceAll("\0", "");
    const bytes = Buffer.concat(
      fc.sample(fc.uint8Array({ maxLength: 60 }), { seed, numRuns: 50 }).map((all) => Buffer.from(all)),
    );
    for (const input of [Buffer.from(texts), bytes, Buffer.concat([Buffer.from(texts), bytes])]) {
      for (const command of ["inspect", "scan", "decrypt", "rewrap"]) {
        const { code, stdout, stderr } = await run([command, file("noise", input)], { env });
        expect([0, 1, 2]).toContain(code);
        expect(stderr).not.toMatch(/^\s+at |unexpected error/m);
        expect(command === "decrypt" ? stderr : stdout + stderr).not.toContain(MARKER);
      }
    }
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Claims, decodeClaims, encodeClaims } from "../../src/claims.ts";
import { ALL_KINDS, claimBytes, tlv } from "../vectors/reference.ts";
import { fuzz, outcomeOf, TIMEOUT } from "./fuzz.ts";
import { changedBytes } from "./mutations.ts";

const NAMES = ["scope", "fn", "run", "step", "event", "field", "name"] as const;
const MOST = 4096;

/** Claims read by the letter of docs/envelope-v1.md; undefined for what it does not allow. */
function model(bytes: Uint8Array): Record<string, unknown> | undefined {
  if (bytes.length > MOST) return undefined;
  const claims: Record<string, unknown> = {};
  let rest = [...bytes];
  const tags: number[] = [];
  while (rest.length > 0) {
    const [tag, high, low] = rest;
    if (tag === undefined || high === undefined || low === undefined) return undefined;
    const value = rest.slice(3, 3 + high * 256 + low);
    if (value.length !== high * 256 + low) return undefined;
    rest = rest.slice(3 + value.length);
    tags.push(tag);
    if (tag === 1) {
      const kinds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 64];
      if (value.length !== 1 || !kinds.includes(value[0]!)) return undefined;
      claims.kind = ALL_KINDS[kinds.indexOf(value[0]!)];
    } else if (tag === 9) {
      if (value.length !== 32) return undefined;
      claims.parent = Uint8Array.from(value);
    } else if (tag >= 2 && tag <= 8) {
      const text = Buffer.from(value).toString();
      if (!Buffer.from(text).equals(Buffer.from(value))) return undefined;
      claims[NAMES[tag - 2]!] = text;
    } else return undefined;
  }
  const ascend = tags.every((tag, i) => i === 0 || tag > tags[i - 1]!);
  return ascend && tags.includes(1) ? claims : undefined;
}

const anyText = fc.string({ unit: "binary", maxLength: 30 });
const written = fc
  .record(
    {
      kind: fc.constantFrom(...ALL_KINDS),
      ...(Object.fromEntries(NAMES.map((name) => [name, anyText])) as Record<
        (typeof NAMES)[number],
        typeof anyText
      >),
      parent: fc
        .uint8Array({ minLength: 32, maxLength: 32 })
        .map((bytes) => Buffer.from(bytes).toString("hex")),
    },
    { requiredKeys: ["kind"] },
  )
  .map((claims) => new Uint8Array(claimBytes(claims)));

/** Claims with tags of any order and number, of lengths that fit or nearly. */
const grammar = fc
  .array(
    fc.tuple(
      fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 9 }) }, fc.nat({ max: 255 })),
      fc.oneof(
        anyText.map((text) => Buffer.from(text)),
        fc.constantFrom(
          Buffer.of(1),
          Buffer.of(64),
          Buffer.of(12),
          Buffer.alloc(32),
          Buffer.alloc(31),
          Buffer.of(),
        ),
        fc.uint8Array({ maxLength: 34 }).map((bytes) => Buffer.from(bytes)),
      ),
      fc.constantFrom(0, 0, 0, 0, 0, 0, 1, -1),
    ),
    { maxLength: 10 },
  )
  .chain((claims) => fc.boolean().map((sorted) => (sorted ? claims.toSorted(([a], [b]) => a - b) : claims)))
  .map((claims) => {
    const parts = claims.map(([tag, value, more]) => {
      const part = tlv(tag, value);
      part.writeUInt16BE(Math.max(0, value.length + more), 1);
      return part;
    });
    return new Uint8Array(Buffer.concat(parts));
  });

describe("claims", () => {
  test("of any bytes are read as the format says to the letter, and only from the bytes that they are written as", {
    timeout: TIMEOUT,
  }, async () => {
    let accepted = 0;
    const changed = fc.tuple(written, written, changedBytes()).map(([a, b, change]) => change(a, b));
    await fuzz(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), written, grammar, changed), (bytes) => {
        const outcome = outcomeOf(() => decodeClaims(bytes));
        const expected = model(bytes);
        if (expected === undefined) {
          expect(["FORMAT", "UNSUPPORTED"]).toContain("code" in outcome && outcome.code);
          return;
        }
        accepted++;
        expect(outcome).toEqual({ value: expected });
        expect(new Uint8Array(encodeClaims(expected as unknown as Claims))).toEqual(bytes);
      }),
      600,
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test("of any value are written as the format says, or refused", { timeout: TIMEOUT }, async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.integer({ min: 1300, max: 1400 }).map((length) => "é".repeat(length / 2)),
      fc.array(fc.integer({ min: 0xd700, max: 0xe0ff })).map((units) => String.fromCharCode(...units)),
      fc.integer({ min: 4000, max: 4100 }).map((length) => "x".repeat(length)),
    );
    const parent = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const any = fc.record(
      {
        kind: fc.constantFrom(...ALL_KINDS),
        ...Object.fromEntries(NAMES.map((name) => [name, text])),
        parent,
      },
      { requiredKeys: ["kind"] },
    ) as unknown as fc.Arbitrary<Claims>;
    await fuzz(
      fc.property(any, (claims) => {
        const outcome = outcomeOf(() => encodeClaims(claims));
        const { parent: digest, ...texts } = claims;
        const hex = digest && Buffer.from(digest).toString("hex");
        const wanted = claimBytes(hex === undefined ? texts : { ...texts, parent: hex });
        const isText = Object.values(texts).every((one) => Buffer.from(one).toString() === one);
        const fits = isText && wanted.length <= MOST;
        expect(outcome).toEqual(fits ? { value: new Uint8Array(wanted) } : { code: "FORMAT" });
      }),
      150,
    );
  });

  test("that are none are refused, and shown nowhere", { timeout: TIMEOUT }, async () => {
    await fuzz(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (value) => {
        expect(outcomeOf(() => encodeClaims(value as Claims))).toEqual({ code: "CONFIG" });
      }),
      150,
    );
  });
});

import { inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { createKeyring, createSealer, type Envelope, inspectEnvelope, isSealed } from "stepseal";
import { describe, expect, test } from "vitest";
import type { Kind } from "../../src/claims.ts";
import { key, kid } from "../keyring/roots.ts";
import { ALL_KINDS, body, claimBytes, deflated, envelope, padded, wrap } from "../vectors/reference.ts";
import { fuzz, MARKER, outcomeOf, TIMEOUT } from "./fuzz.ts";
import { changedBytes, changedJson, changedText } from "./mutations.ts";

const keyring = createKeyring({ key: key("fuzz"), fallbackKeys: [key("fuzz other")] });
const options = [{}, { pad: true }, { compress: true }, { compress: true, pad: true }];
const sealers = options.map((one) => createSealer({ keyring, ...one }));
/** Seals under the other key. */
const others = options.map((one) =>
  createSealer({ keyring: createKeyring({ key: key("fuzz other") }), ...one }),
);
const reader = sealers[0]!;
const ANYTHING = { kind: ALL_KINDS as Kind[] };
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= ";
const SECRETS = [key("fuzz").slice(5), key("fuzz other").slice(5)];

const text = fc
  .string({ unit: "grapheme", maxLength: 12 })
  .filter((one) => Buffer.from(one).toString() === one);
const claims = fc.record(
  {
    kind: fc.constantFrom(...(ALL_KINDS as Kind[])),
    fn: text,
    run: text,
    step: text,
    field: text,
    parent: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  },
  { requiredKeys: ["kind"] },
);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }).map((json) => ({ [MARKER]: MARKER, json })),
  fc.uint8Array({ maxLength: 80 }),
  fc.constant(MARKER.repeat(30)),
);
const sealed = fc
  .record({ value, claims, at: fc.nat({ max: 3 }), mine: fc.boolean() })
  .map(({ at, mine, ...rest }) => (mine ? sealers : others)[at]!.seal(rest.value, rest.claims));

/** Refused for what it is, and for nothing that the reader lacks. */
const REFUSALS = ["CORRUPT", "FORMAT", "UNSUPPORTED", "CONTEXT", "UNKNOWN_KEY", "PLAINTEXT_REJECTED"];

function expectRefused(given: unknown): void {
  const outcome = outcomeOf(() => reader.open(given, ANYTHING), SECRETS);
  expect(REFUSALS).toContain("code" in outcome ? outcome.code : "opened");
}

describe("an envelope that was changed never opens", { timeout: TIMEOUT }, () => {
  test("in the characters of its text", async () => {
    await fuzz(
      fc.property(sealed, sealed, changedText(ALPHABET), ({ data }, other, change) => {
        const changed = change(data, other.data);
        if (changed !== data && changed !== other.data) expectRefused(wrap(changed));
      }),
      300,
    );
  });

  test("in its bytes: header, claims, nonce, ciphertext, tag, also by those of another one", async () => {
    const parts = ({ data }: Envelope): [string, Uint8Array] => [
      data.slice(4, 20),
      Buffer.from(data.slice(21), "base64url"),
    ];
    await fuzz(
      fc.property(sealed, sealed, changedBytes(), fc.boolean(), (one, other, change, swapsKid) => {
        const [kid1, bytes] = parts(one);
        const [kid2, more] = parts(other);
        const changed = envelope(swapsKid ? kid2 : kid1, change(bytes, more));
        if (changed.data !== one.data && changed.data !== other.data) expectRefused(changed);
      }),
      300,
    );
  });

  test("in its members; others beside them are nobody's", async () => {
    await fuzz(
      fc.property(sealed, changedJson(["data", "__ENCRYPTED__", "__STRATEGY__"]), (one, change) => {
        const changed = change(one) as Envelope;
        if (isSealed(changed) && changed.data === one.data) {
          expect(reader.open(changed, ANYTHING)).toEqual(reader.open(one, ANYTHING));
        } else {
          const outcome = outcomeOf(() => reader.open(changed, ANYTHING), SECRETS);
          expect([...REFUSALS, "LEGACY_NO_KEY"]).toContain("code" in outcome ? outcome.code : "opened");
        }
      }),
      200,
    );
  });
});

/** A content as docs/envelope-v1.md has it read; undefined where that fails. */
function read(flags: number, content: Buffer): { value: unknown } | undefined {
  try {
    let plain = content;
    if ((flags & 2) !== 0) {
      const end = plain.length - 1 - [...plain].reverse().findIndex((byte) => byte !== 0);
      if (plain[end] !== 0x80 || !padded(plain.subarray(0, end)).equals(plain)) return undefined;
      plain = plain.subarray(0, end);
    }
    if ((flags & 1) !== 0) plain = inflateRawSync(plain);
    if ((flags & 4) !== 0) return { value: new Uint8Array(plain) };
    if (plain.length === 0) return { value: undefined };
    if (!Buffer.from(plain.toString()).equals(plain)) return undefined;
    return { value: JSON.parse(plain.toString()) };
  } catch {
    return undefined;
  }
}

const content = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((json) => Buffer.from(json)),
  fc.string({ unit: "binary", maxLength: 20 }).map((json) => Buffer.from(json)),
);
const encoded = fc
  .tuple(content, fc.boolean(), fc.boolean(), fc.option(changedBytes(), { freq: 3 }))
  .map(([bytes, deflates, pads, change]) => {
    const packed = deflates ? deflated(bytes) : bytes;
    const whole = pads ? padded(packed) : packed;
    return {
      flags: Number(deflates) | (pads ? 2 : 0),
      whole: change === null ? whole : Buffer.from(change(whole)),
    };
  });

describe("an authentic envelope", { timeout: TIMEOUT }, () => {
  test("of any header, claims and content is read as the format says to the letter, or refused", async () => {
    let opened = 0;
    const header = fc.record({
      suite: fc.constantFrom(1, 1, 1, 1, 1, 1, 0, 2, 255),
      more: fc.constantFrom(0, 0, 0, 4, 4, 8, 128, 1, 2),
      longer: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, -1, 4000),
      nonce: fc.uint8Array({ minLength: 24, maxLength: 24 }),
    });
    await fuzz(
      fc.property(
        header,
        claims,
        encoded,
        ({ suite, more, longer, nonce }, written, { flags: base, whole }) => {
          const flags = base ^ more;
          const { parent, ...texts } = written;
          const bytes = claimBytes(
            parent === undefined ? texts : { ...texts, parent: Buffer.from(parent).toString("hex") },
          );
          const made = body({
            key: "fuzz",
            run: written.run,
            suite,
            flags,
            claims: bytes,
            claimsLength: Math.max(0, bytes.length + longer),
            nonce,
            content: whole,
          });
          const outcome = outcomeOf(() => reader.open(envelope(kid("fuzz"), made), ANYTHING), SECRETS);
          const isFormat = suite === 1 && flags < 8 && longer === 0;
          const expected = isFormat ? read(flags, whole) : undefined;
          if (expected === undefined) {
            const codes = isFormat ? ["CORRUPT"] : ["UNSUPPORTED", "FORMAT", "CORRUPT"];
            expect(codes).toContain("code" in outcome ? outcome.code : "opened");
            return;
          }
          opened++;
          expect(outcome).toEqual(expected);
        },
      ),
      400,
    );
    expect(opened).toBeGreaterThan(20);
  });

  test("is read without a key as it was written, from one text alone", async () => {
    await fuzz(
      fc.property(
        fc.oneof(
          sealed,
          fc.tuple(sealed, changedText(ALPHABET)).map(([{ data }, change]) => wrap(change(data))),
        ),
        (one) => {
          const outcome = outcomeOf(() => inspectEnvelope(one));
          if ("code" in outcome) return;
          const { kid: name, compressed, padded: pads, raw, claims: found, ciphertextBytes } = outcome.value;
          const { parent, ...texts } = found;
          const bytes = claimBytes(
            parent === undefined ? texts : { ...texts, parent: Buffer.from(parent).toString("hex") },
          );
          const flags = Number(compressed) + 2 * Number(pads) + 4 * Number(raw);
          const head = Buffer.concat([Buffer.of(1, flags, bytes.length >> 8, bytes.length & 255), bytes]);
          const whole = Buffer.from(one.data.slice(21), "base64url");
          expect(one.data).toBe(`ss1.${name}.${whole.toString("base64url")}`);
          expect(whole.subarray(0, head.length)).toEqual(head);
          expect(whole.length).toBe(head.length + 24 + ciphertextBytes + 16);
        },
      ),
      200,
    );
  });
});

test("any value in place of an envelope is refused, and shown nowhere", { timeout: TIMEOUT }, async () => {
  const anything = fc.oneof(
    fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true }),
    fc.record({
      __ENCRYPTED__: fc.constant(true),
      __STRATEGY__: fc.constantFrom("stepseal/v1", "stepseal/v2", "inngest/libsodium", 1),
      data: fc.anything(),
    }),
    fc.string({ unit: "binary" }).map((one) => wrap(one)),
    fc.string({ unit: "binary" }).map((one) => wrap(`ss1.${kid("fuzz")}.${one}`)),
    fc.uint8Array().map((bytes) => envelope(kid("fuzz"), bytes)),
  );
  await fuzz(
    fc.property(anything, (one) => {
      expect(outcomeOf(() => reader.open(one, ANYTHING), SECRETS)).toHaveProperty("code");
      expect(outcomeOf(() => inspectEnvelope(one), SECRETS)).toSatisfy(
        (outcome: object) => "code" in outcome || isSealed(one),
      );
    }),
    300,
  );
});

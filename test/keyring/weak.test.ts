import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { parseKey } from "../../src/keyring/key.ts";
import { weakness } from "../../src/keyring/weak.ts";
import { root } from "./roots.ts";

const from = (byte: (i: number) => number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => byte(i));
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const r = root("weak");

const SEQUENCE = "is a constant, counted or repeated sequence of bytes";
const PRINTABLE = "is printable text, not random bytes";

test.each([
  ["all zero", from(() => 0), SEQUENCE],
  ["all 0xff", from(() => 255), SEQUENCE],
  ["counting up", from((i) => i), SEQUENCE],
  ["counting up from 200 over the end", from((i) => 200 + i), SEQUENCE],
  ["counting down", from((i) => 255 - i), SEQUENCE],
  ["stepping by 7", from((i) => 3 + i * 7), SEQUENCE],
  ["stepping by 131", from((i) => i * 131), SEQUENCE],
  ["two bytes in turn", from((i) => (i % 2 ? 0xad : 0xde)), SEQUENCE],
  ["one random quarter four times", from((i) => r[i % 8]!), SEQUENCE],
  ["one random half twice", from((i) => r[i % 16]!), SEQUENCE],
  ["five random bytes in turn", from((i) => r[i % 5]!), SEQUENCE],
  ["16-bit counters", from((i) => (i % 2 ? i >> 1 : 0)), SEQUENCE],
  ["64-bit counters with a random start", from((i) => r[i % 8]! + (i % 8 === 7 ? i >> 3 : 0)), SEQUENCE],
  ["a random half and the same plus one", from((i) => r[i % 16]! + (i >> 4)), SEQUENCE],
  ["a short word and zeros", from((i) => r[i]! * Number(i < 12)), "has 13 distinct bytes of 32"],
  ["13 values in no order", from((i) => 37 * (i < 13 ? i : (i * i) % 13)), "has 13 distinct bytes of 32"],
  ["a passphrase", text("correct horse, battery & staple!"), PRINTABLE],
  ["a passphrase with a line break", text("Correct Horse, Battery & Staple\n"), PRINTABLE],
  [
    "a passphrase from the first to the last printable character",
    text("{correct} horse | battery~staple"),
    PRINTABLE,
  ],
  ["hex digits taken for bytes", text(createHash("md5").update("x").digest("hex")), /printable|distinct/],
  ["base64 taken for bytes", text("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ"), PRINTABLE],
])("%s is weak", (_name, bytes, reason) => {
  expect(bytes).toHaveLength(32);
  expect(weakness(bytes)).toEqual(reason instanceof RegExp ? expect.stringMatching(reason) : reason);
});

test("every constant sequence of every step is weak", () => {
  for (let step = 0; step < 256; step++) {
    expect(weakness(from((i) => 17 + i * step))).toBe(SEQUENCE);
  }
});

test("random bytes are not weak", () => {
  for (let i = 0; i < 2_000; i++) expect(weakness(root(`random ${i}`))).toBeUndefined();
});

test.each([
  ["one byte off a sequence", from((i) => (i === 31 ? 7 : i))],
  [
    "printable but for one byte",
    from((i) => (i === 20 ? 0x07 : text("correct horse, battery & staple!")[i]!)),
  ],
  ["14 distinct bytes", from((i) => 37 * (i < 14 ? i : (i * i) % 14))],
])("a key that misses every rule by one is accepted: %s", (_name, bytes) => {
  expect(weakness(bytes)).toBeUndefined();
});

test("parseKey refuses weak bytes in each of its text forms and names the place", () => {
  const weak = Buffer.from("correct horse, battery & staple!");
  for (const form of [`hex:${weak.toString("hex")}`, `base64:${weak.toString("base64")}`]) {
    expect(() => parseKey(form, "MY_KEY")).toThrow(`MY_KEY: the key ${PRINTABLE}. Make a key with: `);
  }
});

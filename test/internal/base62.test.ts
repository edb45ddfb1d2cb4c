import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { base62Digit, decodeBase62, encodeBase62 } from "../../src/internal/base62.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The definition, with big integers instead of bytes. */
function reference(bytes: Uint8Array, length: number): string {
  let rest = BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
  let text = "";
  for (let i = 0; i < length; i++) {
    text = ALPHABET[Number(rest % 62n)] + text;
    rest /= 62n;
  }
  return text;
}

test("every digit has its place in 0-9A-Za-z and every other character has none", () => {
  for (let code = 0; code < 300; code++) {
    expect(base62Digit(code)).toBe(ALPHABET.indexOf(String.fromCharCode(code)));
  }
});

test("bytes read as one big-endian number, and come back", () => {
  for (let i = 0; i < 200; i++) {
    const bytes = createHash("sha256").update(`base62 ${i}`).digest();
    const text = encodeBase62(bytes, 43);
    expect(text).toBe(reference(bytes, 43));
    expect(decodeBase62(text, 32)).toEqual(new Uint8Array(bytes));
  }
});

test.each([
  ["zero", new Uint8Array(32), "0".repeat(43)],
  ["one", new Uint8Array(32).fill(1, 31), `${"0".repeat(42)}1`],
  ["the greatest", new Uint8Array(32).fill(255), reference(new Uint8Array(32).fill(255), 43)],
])("%s is padded to 43 digits", (_name, bytes, text) => {
  expect(encodeBase62(bytes, 43)).toBe(text);
  expect(decodeBase62(text, 32)).toEqual(bytes);
});

test("encoding leaves its input as it was", () => {
  const bytes = Uint8Array.from([1, 2, 3, 4]);
  encodeBase62(bytes, 6);
  expect(bytes).toEqual(Uint8Array.from([1, 2, 3, 4]));
});

test.each([
  ["a number one too great", "4gfFC4", 4],
  ["only the highest digits", "z".repeat(43), 32],
  ["a character outside the alphabet", "00-000", 4],
  ["a letter outside ASCII", "00é000", 4],
])("%s reads as nothing", (_name, text, size) => {
  expect(decodeBase62(text, size)).toBeUndefined();
});

test("the greatest number of four bytes still fits", () => {
  expect(decodeBase62("4gfFC3", 4)).toEqual(new Uint8Array(4).fill(255));
});

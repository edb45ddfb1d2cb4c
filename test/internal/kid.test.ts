import { expect, test } from "vitest";
import { isKid } from "../../src/internal/kid.ts";

test.each(["0123456789abcdef", "0000000000000000", "ffffffffffffffff"])("%s is a kid", (text) => {
  expect(isKid(text)).toBe(true);
});

test.each([
  "",
  "0123456789abcde",
  "0123456789abcdef0",
  // The characters beside the digits.
  ..."/:`gAF \0é",
])("%j is none, at its beginning or its end", (wrong) => {
  const texts = wrong.length === 1 ? [`${wrong}123456789abcdef`, `0123456789abcde${wrong}`] : [wrong];
  for (const text of texts) expect(isKid(text)).toBe(false);
});

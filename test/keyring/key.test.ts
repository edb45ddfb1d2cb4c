import { afterEach, describe, expect, test, vi } from "vitest";
import { StepsealError } from "../../src/errors.ts";
import { formatKey, generateKey, looksLikeKey, parseKey } from "../../src/keyring/key.ts";
import { root } from "./roots.ts";

/** Computed outside this project: root bytes and the text form the format gives them. */
const ONE_HEX = "bc83cd4318ef4ef126e027db1b301979283549ebb2f54d39020c5d78b76e55a7";
const ONE_TEXT = "ssk1_ihZ5fzghpVTlvOiZJwKJ0SvNP6aQmyxGKCEcRXvJx8p3zujn8";
const ZEROS_HEX = "0000004318ef4ef126e027db1b301979283549ebb2f54d39020c5d78b76e55a7";
const ZEROS_TEXT = "ssk1_0000E0p8bj4wQX31NKrzhByXb2hY0yBD3JGmhSB2N1j3pXcKc";
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

function isRefused(text: string): boolean {
  try {
    parseKey(text, "KEY");
    return false;
  } catch (error) {
    return error instanceof StepsealError && error.code === "CONFIG";
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a generated key", () => {
  test("has the shape that secret scanners look for, and parses", () => {
    for (let i = 0; i < 50; i++) {
      const text = generateKey();
      expect(text).toMatch(/^ssk1_[0-9A-Za-z]{49}$/);
      expect(formatKey(parseKey(text, "KEY"))).toBe(text);
    }
  });

  test("is another one every time", () => {
    expect(new Set(Array.from({ length: 50 }, generateKey)).size).toBe(50);
  });

  test("is drawn again when the random source gives what parseKey refuses", () => {
    const draws = [new Uint8Array(32), new Uint8Array(32).fill(0x61), bytes(ONE_HEX)];
    const source = vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => {
      (array as Uint8Array).set(draws.shift()!);
      return array;
    });
    expect(generateKey()).toBe(ONE_TEXT);
    expect(source).toHaveBeenCalledTimes(3);
  });
});

describe("the text form", () => {
  test.each([
    ["a root", ONE_HEX, ONE_TEXT],
    ["a root that begins with zero bytes", ZEROS_HEX, ZEROS_TEXT],
  ])("of %s is the one the format states, both ways", (_name, hex, text) => {
    expect(formatKey(bytes(hex))).toBe(text);
    expect(parseKey(text, "KEY")).toEqual(bytes(hex));
  });

  test("refuses each of the 2 989 changes of one character", () => {
    let accepted = 0;
    let tried = 0;
    for (let at = 5; at < ONE_TEXT.length; at++) {
      for (const digit of ALPHABET) {
        if (digit === ONE_TEXT[at]) continue;
        tried++;
        if (!isRefused(ONE_TEXT.slice(0, at) + digit + ONE_TEXT.slice(at + 1))) accepted++;
      }
    }
    expect(tried).toBe(49 * 61);
    expect(accepted).toBe(0);
  });

  test("refuses every exchange of two characters that differ", () => {
    let accepted = 0;
    let tried = 0;
    for (let a = 0; a < ONE_TEXT.length; a++) {
      for (let b = a + 1; b < ONE_TEXT.length; b++) {
        if (ONE_TEXT[a] === ONE_TEXT[b]) continue;
        const swapped = [...ONE_TEXT];
        swapped[a] = ONE_TEXT[b]!;
        swapped[b] = ONE_TEXT[a]!;
        tried++;
        if (!isRefused(swapped.join(""))) accepted++;
      }
    }
    expect(tried).toBeGreaterThan(1_300);
    expect(accepted).toBe(0);
  });

  test("refuses a key that lost or gained a character anywhere", () => {
    for (let at = 0; at <= ONE_TEXT.length; at++) {
      expect(isRefused(`${ONE_TEXT.slice(0, at)}7${ONE_TEXT.slice(at)}`)).toBe(true);
      if (at < ONE_TEXT.length) expect(isRefused(ONE_TEXT.slice(0, at) + ONE_TEXT.slice(at + 1))).toBe(true);
    }
  });
});

describe("parseKey accepts", () => {
  const base64 = Buffer.from(ONE_HEX, "hex").toString("base64");
  const base64url = Buffer.from(ONE_HEX, "hex").toString("base64url");

  test.each([
    ["ssk1_", ONE_TEXT],
    ["white space around a key", ` \t${ONE_TEXT}\r\n`],
    ["lower-case hex", `hex:${ONE_HEX}`],
    ["upper-case hex", `hex:${ONE_HEX.toUpperCase()}`],
    ["padded base64", `base64:${base64}`],
    ["base64 without padding", `base64:${base64.slice(0, -1)}`],
    ["base64url", `base64:${base64url}`],
  ])("%s", (_name, text) => {
    expect(parseKey(text, "KEY")).toEqual(bytes(ONE_HEX));
  });

  test("base64 of any root, as Node writes it in both alphabets", () => {
    for (let i = 0; i < 200; i++) {
      const expected = root(`base64 ${i}`);
      for (const encoding of ["base64", "base64url"] as const) {
        expect(parseKey(`base64:${Buffer.from(expected).toString(encoding)}`, "KEY")).toEqual(expected);
      }
    }
  });
});

test.each([
  ["a digit short", `hex:${ONE_HEX.slice(1)}`, /Copy the whole key again\.$/],
  ["a quote at its front", `hex:"${ONE_HEX}`, /Remove the quotes around the key\.$/],
  ["another quote at its front", `base64:'${ONE_HEX}`, /Remove the quotes around the key\.$/],
  ["characters missing", "base64:vIPNQxjvTvEm4CfbGzAZ", /Copy the whole key again\.$/],
  ["43 characters and no equals sign", `base64:${"A".repeat(42)}=`, /Copy the whole key again\.$/],
])("a key with %s is refused with the fix", (_name, text, fix) => {
  expect(() => parseKey(text, "KEY")).toThrow(fix);
});

test.each([
  [0, "a Uint8Array of 32 bytes"],
  [31, "found 31 bytes"],
  [33, "found 33 bytes"],
])("formatKey refuses a root of %i bytes and says what it expects", (length, part) => {
  expect(() => formatKey(new Uint8Array(length))).toThrow(part);
});

test("formatKey refuses what is no byte array", () => {
  expect(() => formatKey("x" as never)).toThrow("found something else, expected a Uint8Array of 32 bytes");
  expect(() => formatKey("x" as never)).toThrow(expect.objectContaining({ code: "CONFIG" }));
});

test.each([
  ["a key", ONE_TEXT, true],
  ["a damaged key", ONE_TEXT.slice(0, 20), true],
  ["a damaged key with white space around it", ` ${ONE_TEXT.slice(0, 20)}\n`, true],
  ["hex without prefix", ONE_HEX, true],
  ["32 characters of hex", ONE_HEX.slice(0, 32), true],
  ["31 characters of hex", ONE_HEX.slice(0, 31), false],
  ["one word", "ring", false],
  ["damaged hex without prefix", ONE_HEX.slice(1), true],
  ["base64 with a slash", "//83zUMY705vEm4CfbGzAZeSg1SeuyVNOQIMXXi3blWn".slice(0, 43).concat("="), false],
  [
    "canonical base64 with a slash",
    Buffer.from(ONE_HEX.replace("bc83", "ffff"), "hex").toString("base64"),
    true,
  ],
  ["an absolute path", "/etc/stepseal/ring.json", false],
  ["a long absolute path", "/run/secrets/stepseal-keyring-production-eu-west-1", false],
  ["a relative path", "ring.json", false],
  ["a Windows path", "C:\\secrets\\stepseal-keyring-production-eu", false],
])("looksLikeKey knows %s", (_name, text, expected) => {
  expect(looksLikeKey(text)).toBe(expected);
});

test("parsing leaves no key in the regular expression statics of the engine", () => {
  /(marker)/.exec("marker");
  parseKey(ONE_TEXT, "KEY");
  parseKey(`hex:${ONE_HEX}`, "KEY");
  isRefused(ONE_TEXT.slice(1));
  const legacy = RegExp as unknown as Record<string, string>;
  expect(legacy.input).toBe("marker");
});

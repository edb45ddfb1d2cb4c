import { describe, expect, test } from "vitest";
import { describe as described, members } from "../../src/internal/members.ts";
import { codeOf } from "../code-of.ts";

const refused = (options: unknown) => {
  const read = () => members(options, "maker options", ["scope", "key"]);
  expect(codeOf(read)).toBe("CONFIG");
  return read;
};

describe("a member that is not known", () => {
  test.each(["skope", "a", "$x", "x-y", "abcdefghijklmnopqrstuvwx"])("is named: %s", (name) => {
    expect(refused({ [name]: 1 })).toThrow(
      `maker options: unknown option ${name}. The options are scope, key.`,
    );
  });

  // It could be a key, or what somebody typed, in the wrong place.
  test.each(["abcdefghijklmnopqrstuvwxy", "a b", " ab", "ab ", "ab\n", "\nab", "é", "", "a=", "=a"])(
    "is not shown where it looks like no name: %j",
    (name) => {
      const read = refused({ [name]: 1 });
      if (name === "") expect(read).toThrow("unknown option . The");
      else expect(read).toThrow(`unknown option with a name of ${name.length} characters`);
    },
  );
});

test.each([
  [undefined, "undefined"],
  [null, "null"],
  ["", "an empty string"],
  ["text", "a string of 4 characters"],
  [[1, 2], "an array of 2"],
  [{}, "an object"],
  [1, "a number"],
  [() => 1, "a function"],
])("%j is described as %s", (value, says) => {
  expect(described(value)).toBe(says);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    expect(refused(value)).toThrow(`maker options: found ${says}, expected an object with scope, key.`);
  }
});

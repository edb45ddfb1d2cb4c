import { describe, expect, test } from "vitest";
import { faultOf } from "../../src/internal/json-text.ts";

const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

describe("a member named twice is found", () => {
  test.each([
    ['{"a":1,"a":2}', 7],
    ['{"a":1 , "b":{} ,\n"a" :2}', 18],
    ['{"a":1,"\\u0061":2}', 7],
    ['{"":1,"":2}', 6],
    ['{"__proto__":1,"__proto__":2}', 15],
    ['{"a\\"":1,"a\\"":2}', 9],
    ['{"a\\\\":1,"a\\\\":2}', 9],
    ['{"a\\\\\\"":1,"a\\\\\\"":2}', 11],
    ['{"x":"\\\\","a":1,"a":2}', 16],
    ['[{"x":[{"k":1,"k":2}]}]', 14],
    ['{"a":{"a":1},"b":":","a":2}', 21],
  ])("in %s", (json, at) => {
    expect(faultOf(json)).toEqual({ fault: "duplicate", at });
    expect(json.slice(at)).toMatch(/^"/);
  });
});

describe("nothing is found", () => {
  test.each([
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
    '{"a":"a","b":"a\\":\\"a"}',
    '["a","a"]',
    '{"A":1,"a":2,"a ":3}',
    '"a"',
    "1",
    "",
    // No JSON: the parser's to refuse.
    "}}]]",
    '{"a',
    '{"a\\',
    '{"\\x":1,"\\y":2}',
    '"a":1,"a":2',
  ])("in %s", (json) => {
    expect(faultOf(json)).toBeUndefined();
  });
});

test("a text is nested too deep from one level more than allowed", () => {
  expect(faultOf(nested(5), 5)).toBeUndefined();
  expect(faultOf(nested(6), 5)).toEqual({ fault: "depth" });
  expect(faultOf(`{"a":${nested(5)}}`, 5)).toEqual({ fault: "depth" });
  expect(faultOf(`["${nested(9)}"]`, 5)).toBeUndefined();
  expect(faultOf("[]".repeat(9), 5)).toBeUndefined();
  expect(faultOf(nested(100_000))).toBeUndefined();
});

import { StepsealError } from "stepseal";
import { expect, it } from "vitest";
import { fromBase64, toBase64 } from "../../../src/adapters/upstash/text.ts";

it.each(["", "text", "ä 漢 🎉", "\ufeffbegins with a mark", '{"json":true}'])(
  "%j goes to base64 and back",
  (text) => {
    expect(fromBase64(toBase64(text), "It")).toBe(text);
  },
);

it("bytes that are no text come as the SDK would read them", () => {
  expect(fromBase64(Buffer.from([0x61, 0xff, 0x62]).toString("base64"), "It")).toBe("a\ufffdb");
});

it.each([undefined, null, 1, {}, "*", "a"])("%j is no text in base64", (value) => {
  const read = () => fromBase64(value, "The body");
  expect(read).toThrow(StepsealError);
  expect(read).toThrow(/^The body is no/);
});

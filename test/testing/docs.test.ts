import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

test("the example in docs/testing.md is the one that runs here", () => {
  expect(read("../../docs/testing.md")).toContain(read("./example.test.ts"));
});

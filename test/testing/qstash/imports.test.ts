import { expect, test } from "vitest";
import { importsOf, source } from "../../imports.ts";

test("nothing of Node is loaded before a QStash is made", () => {
  const { packages } = importsOf(source("testing/index.ts"));
  expect(packages.filter((name) => name.startsWith("node:"))).toEqual([]);
});

import { readFileSync } from "node:fs";
import * as workflow from "@upstash/workflow";
import { expect, test, vi } from "vitest";
import * as testing from "../../../src/testing/index.ts";
import { blocksOf, runExample } from "../../examples.ts";
import { importsOf, source } from "../../imports.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

test("the example in docs/testing.md is the one that runs here", () => {
  expect(read("../../../docs/testing.md")).toContain(read("./example.test.ts"));
});

test("the example on createTestQstash runs, and prints what it says", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  const comment = read("../../../src/testing/qstash/qstash.ts").replaceAll(/^ *\* ?/gm, "");
  const [code = ""] = blocksOf(comment);
  const printed = await runExample(code, { "@upstash/workflow": workflow, "stepseal/testing": testing });
  vi.restoreAllMocks();
  expect(printed).toEqual(['"Hello Marguerite"', "true"]);
  for (const line of printed) expect(code).toContain(`// ${line}`);
});

test("nothing of Node is loaded before a QStash is made", () => {
  const { packages } = importsOf(source("testing/index.ts"));
  expect(packages.filter((name) => name.startsWith("node:"))).toEqual([]);
});

import { readdirSync, readFileSync } from "node:fs";
import * as inngest from "inngest";
import * as stepseal from "stepseal";
import * as adapter from "stepseal/inngest";
import * as compat from "stepseal/inngest/compat";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { blocksOf, runExample } from "../../../examples.ts";
import { KEY } from "../harness.ts";
import { PASSPHRASE } from "./fleet.ts";

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");

const MODULES = { inngest, stepseal, "stepseal/inngest": adapter, "stepseal/inngest/compat": compat };
const SOURCES = "src/adapters/inngest/compat";
const examples = [
  { name: "docs/migrating.md", text: read("docs/migrating.md") },
  ...readdirSync(new URL(`../../../../${SOURCES}`, import.meta.url)).map((file) => ({
    name: file,
    text: read(`${SOURCES}/${file}`).replaceAll(/^ \* ?/gm, ""),
  })),
].flatMap(({ name, text }) => blocksOf(text).map((code, n) => ({ name: `${name}, ${n + 1}`, code })));

beforeEach(() => {
  vi.stubEnv("ENCRYPTION_KEY", PASSPHRASE);
  vi.stubEnv("STEPSEAL_KEY", KEY);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test("docs/migrating.md shows what each stage deploys", () => {
  expect(examples.filter(({ name }) => name.startsWith("docs/migrating.md"))).toHaveLength(5);
});

test.each(examples)("an example runs, and prints what it says: $name", async ({ code }) => {
  const said = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
  expect(await runExample(code, MODULES)).toEqual(said);
});

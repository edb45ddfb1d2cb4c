import { readdirSync, readFileSync } from "node:fs";
import * as http from "node:http";
import express from "express";
import { describe, expect, test } from "vitest";
import * as transport from "../../src/transport/index.ts";
import { blocksOf, runExample } from "../examples.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** What examples may import. */
const MODULES: Readonly<Record<string, unknown>> = {
  "stepseal/transport": transport,
  "node:http": http,
  express: { default: express, __esModule: true },
};

const examples = [
  ...blocksOf(read("docs/transport.md")).map((code, index) => ({
    name: `docs/transport.md, ${index + 1}`,
    code,
  })),
  ...readdirSync(new URL("../../src/transport", import.meta.url)).flatMap((file) => {
    const text = read(`src/transport/${file}`).replaceAll(/^ \* ?/gm, "");
    return blocksOf(text).map((code, index) => ({ name: `${file}, ${index + 1}`, code }));
  }),
];

/** What the comments beside an example say that it prints: `console.log(…); // 200`, `// refused MISMATCH`. */
const promised = (code: string): string[] =>
  [...code.matchAll(/^[^/]*(?:console\.log\(.*\)|.*\));? \/\/ (?!leave)(.*)$/gm)].map(
    ([, text = ""]) => text,
  );

describe("an example", () => {
  test("stands on every function that is exported", () => {
    const all = examples.map(({ code }) => code).join("\n");
    const missing = Object.keys(transport).filter((name) => !new RegExp(`\\b${name}\\b`).test(all));
    expect(missing).toEqual([]);
    expect(examples.length).toBeGreaterThan(15);
  });

  test.each(examples)("runs, and prints what it says: $name", async ({ code }) => {
    const printed = await runExample(code, MODULES);
    const plain = (text: string): string => text.replaceAll(/["']/g, "");
    expect(printed.map(plain)).toEqual(promised(code).map(plain));
  });
});

test("the Redis store of the document is the one that is tested", () => {
  expect(read("docs/transport.md")).toContain(read("examples/transport/redis-replay-store.ts"));
});

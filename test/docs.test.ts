import { readdirSync, readFileSync } from "node:fs";
import * as http from "node:http";
import express from "express";
import * as inngest from "inngest";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as adapter from "../src/adapters/inngest/index.ts";
import * as core from "../src/index.ts";
import * as transport from "../src/transport/index.ts";
import { runExample } from "./examples.ts";
import { RECIPE_MODULES, VAULT_ENV, vault } from "./recipes.ts";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

/** What examples may import. */
const MODULES: Readonly<Record<string, unknown>> = {
  ...RECIPE_MODULES,
  stepseal: core,
  "stepseal/inngest": adapter,
  "stepseal/transport": transport,
  "node:http": http,
  inngest,
  express: { default: express, __esModule: true },
};

/** Examples stand in documents, and on what the folders export. */
const SETS = [
  {
    name: "stepseal",
    exports: core,
    documents: ["docs/keys.md", "docs/rotation.md"],
    folders: ["src", "src/internal", "src/keyring"],
  },
  {
    name: "stepseal/inngest",
    exports: adapter,
    documents: ["docs/inngest.md"],
    folders: ["src/adapters/inngest", "src/adapters/inngest/gate"],
  },
  {
    name: "stepseal/transport",
    exports: transport,
    documents: ["docs/transport.md"],
    folders: ["src/transport"],
  },
].map(({ documents, folders, ...set }) => ({
  ...set,
  examples: [
    ...documents.flatMap((path) => examplesIn(path, read(path))),
    ...folders.flatMap((folder) =>
      readdirSync(new URL(`../${folder}`, import.meta.url))
        .filter((file) => file.endsWith(".ts"))
        .flatMap((file) => {
          const path = `${folder}/${file}`;
          return examplesIn(path, read(path).replaceAll(/^ *\* ?/gm, ""));
        }),
    ),
  ],
}));

function examplesIn(path: string, text: string): { name: string; code: string }[] {
  return [...text.matchAll(/^( *)```ts\n([\s\S]*?)^\1```$/gm)].map(([, , code = ""], index) => ({
    name: `${path}, ${index + 1}`,
    code,
  }));
}

/**
 * What the comments of an example say that it prints: beside the call, `console.log(…); // 200`, `// refused MISMATCH`,
 * or on a line of their own, `// prints: 200`.
 */
function promised(code: string): string[] {
  const beside = /^[^/]*(?:console\.log\(.*\)|.*\));? \/\/ (?!leave)(.*)$/gm;
  const below = /^ *\/\/ prints: (.*)$/gm;
  return [...code.matchAll(beside), ...code.matchAll(below)]
    .sort((one, other) => one.index - other.index)
    .map(([, text = ""]) => text);
}

beforeEach(() => {
  vi.stubGlobal("fetch", vault);
  const env = { ...VAULT_ENV, STEPSEAL_KEY: core.generateKey() };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

describe.each(SETS)("an example of $name", ({ exports, examples }) => {
  test("stands on every function that is exported", () => {
    const all = examples.map(({ code }) => code).join("\n");
    const missing = Object.keys(exports).filter((name) => !new RegExp(`\\b${name}\\b`).test(all));
    expect(missing).toEqual([]);
    expect(examples.length).toBeGreaterThan(4);
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

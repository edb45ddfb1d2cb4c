import { readdirSync, readFileSync } from "node:fs";
import * as http from "node:http";
import * as workflow from "@upstash/workflow";
import * as svelte from "@upstash/workflow/svelte";
import express from "express";
import * as hono from "hono";
import * as inngest from "inngest";
import * as realtime from "inngest/realtime";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as adapter from "../src/adapters/inngest/index.ts";
import * as upstashCloudflare from "../src/adapters/upstash/cloudflare.ts";
import * as upstashExpress from "../src/adapters/upstash/express.ts";
import * as upstashHono from "../src/adapters/upstash/hono.ts";
import * as upstash from "../src/adapters/upstash/index.ts";
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
  "stepseal/upstash": upstash,
  "stepseal/upstash/cloudflare": upstashCloudflare,
  "stepseal/upstash/express": upstashExpress,
  "stepseal/upstash/hono": upstashHono,
  "node:http": http,
  "$env/dynamic/private": process,
  "@upstash/workflow": workflow,
  "@upstash/workflow/svelte": svelte,
  hono,
  inngest,
  "inngest/realtime": realtime,
  express: { default: express, __esModule: true },
};

/** What the platform gives its users. No example of docs.test.ts reaches it: test/adapters/upstash/docs.test.ts runs those. */
const QSTASH_ENV = { QSTASH_TOKEN: "qstash-token", QSTASH_CURRENT_SIGNING_KEY: "sig_current" } as const;

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
    documents: ["docs/engines/inngest.md"],
    folders: ["src/adapters/inngest", "src/adapters/inngest/gate"],
  },
  {
    name: "stepseal/transport",
    exports: transport,
    documents: ["docs/transport.md"],
    folders: ["src/transport"],
  },
  {
    name: "stepseal/upstash",
    exports: upstash,
    documents: ["docs/engines/upstash.md"],
    folders: ["src/adapters/upstash"],
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
  const env = { ...VAULT_ENV, ...QSTASH_ENV, STEPSEAL_KEY: core.generateKey() };
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

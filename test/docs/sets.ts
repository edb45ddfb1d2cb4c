import * as crypto from "node:crypto";
import { readdirSync } from "node:fs";
import * as http from "node:http";
import * as workflow from "@upstash/workflow";
import * as svelte from "@upstash/workflow/svelte";
import express from "express";
import * as hono from "hono";
import * as inngest from "inngest";
import * as edge from "inngest/edge";
import * as realtime from "inngest/realtime";
import * as inngestV3 from "inngest-v3";
import * as edgeV3 from "inngest-v3/edge";
import * as core from "stepseal";
import * as gate from "stepseal/inngest";
import * as compat from "stepseal/inngest/compat";
import * as gateV3 from "stepseal/inngest-v3";
import * as testing from "stepseal/testing";
import * as transport from "stepseal/transport";
import * as upstash from "stepseal/upstash";
import * as cloudflare from "stepseal/upstash/cloudflare";
import * as forExpress from "stepseal/upstash/express";
import * as forHono from "stepseal/upstash/hono";
import { type Block, blocksOf, ROOT, read } from "./markdown.ts";
import { RECIPE_MODULES } from "./recipes.ts";

// Which test runs which code of the documents: all of it is listed here, and ledger.test.ts fails for what is not.

/** What examples may import. */
const MODULES: Readonly<Record<string, unknown>> = {
  ...RECIPE_MODULES,
  stepseal: core,
  "stepseal/inngest": gate,
  "stepseal/inngest/compat": compat,
  "stepseal/inngest-v3": gateV3,
  "stepseal/testing": testing,
  "stepseal/transport": transport,
  "stepseal/upstash": upstash,
  "stepseal/upstash/cloudflare": cloudflare,
  "stepseal/upstash/express": forExpress,
  "stepseal/upstash/hono": forHono,
  "node:crypto": crypto,
  "node:http": http,
  "$env/dynamic/private": process,
  "@upstash/workflow": workflow,
  "@upstash/workflow/svelte": svelte,
  hono,
  inngest,
  "inngest/edge": edge,
  "inngest/realtime": realtime,
  express: { default: express, __esModule: true },
};

/** Whole files that documents show, which run where they stand: tests, and what tests import. */
const COPIES: readonly string[] = [
  "test/testing/example.test.ts",
  "test/testing/qstash/example.test.ts",
  "examples/transport/redis-replay-store.ts",
];

/** The file that a block shows. */
export function copyOf(code: string): string | undefined {
  return COPIES.find((path) => read(path) === code);
}

function filesIn(folder: string): string[] {
  return readdirSync(new URL(folder, ROOT))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `${folder}/${file}`);
}

/** A source whose doc comments are Markdown, line for line. */
function comments(path: string): string {
  return read(path).replaceAll(/^ *\* ?/gm, "");
}

export interface ExampleSet {
  readonly name: string;
  /** Each function of these has to stand in an example. */
  readonly exports: object;
  readonly documents: readonly string[];
  /** Of sources, whose doc comments hold examples. */
  readonly folders: readonly string[];
  readonly modules: Readonly<Record<string, unknown>>;
  readonly examples: readonly Block[];
}

/** TypeScript blocks that examples.test.ts runs, each with what it prints. */
export const SETS: readonly ExampleSet[] = [
  {
    name: "stepseal",
    exports: core,
    documents: ["README.md", "docs/keys.md", "docs/rotation.md", "docs/troubleshooting.md"],
    folders: ["src", "src/internal", "src/keyring"],
  },
  {
    name: "stepseal/inngest",
    exports: gate,
    documents: ["docs/engines/inngest.md"],
    folders: ["src/adapters/inngest", "src/adapters/inngest/gate"],
  },
  {
    name: "stepseal/inngest-v3",
    exports: gateV3,
    documents: ["docs/engines/inngest-v3.md"],
    folders: ["src/adapters/inngest-v3"],
    modules: { ...MODULES, inngest: inngestV3, "inngest/edge": edgeV3 },
  },
  {
    name: "stepseal/inngest/compat",
    exports: compat,
    documents: ["docs/migrating.md"],
    folders: ["src/adapters/inngest/compat"],
  },
  {
    name: "stepseal/testing",
    exports: testing,
    documents: ["docs/testing.md"],
    folders: ["src/testing", "src/testing/qstash"],
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
].map((set) => ({
  modules: MODULES,
  ...set,
  examples: [
    ...set.documents.flatMap((path) => blocksOf(path)),
    ...set.folders.flatMap((folder) => filesIn(folder).flatMap((path) => blocksOf(path, comments(path)))),
  ].filter(({ language, code }) => language === "ts" && copyOf(code) === undefined),
}));

/** Documents whose `console` blocks test/cli/docs.test.ts runs, comparing what they print. */
export const SESSIONS: readonly string[] = ["docs/cli.md"];

/** Lines of `sh` blocks that are not run here, and why. All others are `npx stepseal …`, which test/cli/docs.test.ts runs. */
export const NOT_RUN: Readonly<Record<string, string>> = {
  "npm install stepseal": "would install the published package",
  "npm ci": "installs, and starts what runs this, or test/docs/readme.test.ts",
  "npm test": "runs this",
  "npm run": "is run by .ci/run, or by hand",
  "bash .ci/run": "runs this",
  "export STEPSEAL_KEY=ssk1_…": "sets a variable, to a key that is the reader's",
  "aws kms encrypt": "needs an account; test/docs/recipes.ts stands in for KMS where its result is read",
  "gcloud kms encrypt": "needs an account; test/docs/recipes.ts stands in for KMS where its result is read",
  "vault kv put": "needs a server; test/docs/recipes.ts stands in for Vault where its result is read",
};

/** The commands of an `sh` block, without comments, a line each. */
export function commandsOf(code: string): readonly string[] {
  return code
    .replaceAll("\\\n", "")
    .split("\n")
    .map((line) => line.replace(/ +# .*$|^# .*$/, "").trim())
    .filter((line) => line !== "");
}

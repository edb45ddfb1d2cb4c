import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin, type ViteUserConfig } from "vitest/config";

const from = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** `INNGEST=oldest`, `UPSTASH=oldest`: the oldest SDK that is supported stands in place of the newest. */
const v4 = process.env.INNGEST === "oldest" ? "inngest-oldest" : "inngest";
const upstash = process.env.UPSTASH === "oldest" ? "upstash-workflow-oldest" : "@upstash/workflow";

const OURS = [
  { find: "stepseal/inngest/compat", replacement: from("src/adapters/inngest/compat/index.ts") },
  { find: "stepseal/inngest-v3", replacement: from("src/adapters/inngest-v3/index.ts") },
  { find: "stepseal/testing", replacement: from("src/testing/index.ts") },
  { find: "stepseal/transport", replacement: from("src/transport/index.ts") },
  { find: "stepseal/upstash/cloudflare", replacement: from("src/adapters/upstash/cloudflare.ts") },
  { find: "stepseal/upstash/express", replacement: from("src/adapters/upstash/express.ts") },
  { find: "stepseal/upstash/hono", replacement: from("src/adapters/upstash/hono.ts") },
  { find: "stepseal/upstash", replacement: from("src/adapters/upstash/index.ts") },
  { find: /^@upstash\/workflow(\/.*)?$/, replacement: `${upstash}$1` },
];
const CORE = { find: "stepseal", replacement: from("src/index.ts") };

/** The adapter for SDK v3 imports "inngest" as an app with v3 does, whatever stands beside it here. */
const v3ForItsAdapter = (importer: RegExp): Plugin => ({
  name: "inngest-v3",
  enforce: "pre",
  async resolveId(source, by) {
    // By the name that the alias above it may have given it.
    if ((source !== "inngest" && source !== v4) || by === undefined || !importer.test(by)) return null;
    return this.resolve("inngest-v3", by, { skipSelf: true });
  },
});

const test = {
  // For what hangs: a slow machine is no failure.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  setupFiles: process.env.SECRETS === "1" ? [from("test/secrets/watch.ts")] : [],
  dangerouslyIgnoreUnhandledErrors: false,
};

/** What the names of packages stand for. The mutation tests have it from here. */
export const names: Pick<ViteUserConfig, "plugins" | "resolve"> = {
  plugins: [v3ForItsAdapter(/\/src\/adapters\/inngest-v3\//)],
  resolve: {
    alias: [
      ...OURS,
      { find: "stepseal/inngest", replacement: from("src/adapters/inngest/index.ts") },
      CORE,
      { find: /^inngest(\/.*)?$/, replacement: `${v4}$1` },
    ],
  },
};

/** Where SDK v3 stands in place of v4, in v4's words. */
const AS_V4 = "test/adapters/inngest-v3/as-v4";

/** Those where SDK v3 stands in place of v4: what is promised of v4 is asked of v3 by the same tests. */
export const namesForV3: Pick<ViteUserConfig, "plugins" | "resolve"> = {
  plugins: [v3ForItsAdapter(/\/src\//)],
  resolve: {
    alias: [
      ...OURS,
      { find: "stepseal/inngest", replacement: from("src/adapters/inngest-v3/index.ts") },
      CORE,
      { find: /^inngest$/, replacement: from(`${AS_V4}/index.ts`) },
      {
        find: "inngest/experimental/durable-endpoints",
        replacement: from(`${AS_V4}/durable-endpoints.ts`),
      },
      { find: /^inngest\/(edge|remix|experimental)$/, replacement: from(`${AS_V4}/$1.ts`) },
    ],
  },
};

/** Tests of hooks that v3 does not have, and of the formats of the official middleware. */
export const V4_ONLY = [
  "test/adapters/inngest/sdk-assumptions.test.ts",
  "test/adapters/inngest/other-middleware.test.ts",
  "test/security/hostile-official.test.ts",
];

export default defineConfig({
  test: {
    // Some tests wait for the SDK, which tries again after seconds: one worker more than there are cores keeps these busy.
    maxWorkers: availableParallelism() + 1,
    // For `npm run fuzz -- --coverage`: what of src the tests reach.
    coverage: { provider: "v8", include: ["src/**/*.ts"], exclude: ["src/testing/**"], reporter: ["text"] },
    projects: [
      { ...names, test: { ...test, name: "stepseal", include: ["test/**/*.test.ts"] } },
      {
        ...namesForV3,
        test: {
          ...test,
          name: "inngest-v3",
          env: { INNGEST_SDK: "v3" },
          include: ["test/security/*.test.ts", "test/adapters/inngest/*.test.ts"],
          exclude: V4_ONLY,
        },
      },
    ],
  },
});

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const from = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** `INNGEST=oldest`, `UPSTASH=oldest`: the oldest SDK that is supported stands in place of the newest. */
const inngest = process.env.INNGEST === "oldest" ? "inngest-oldest" : "inngest";
const upstash = process.env.UPSTASH === "oldest" ? "upstash-workflow-oldest" : "@upstash/workflow";

export default defineConfig({
  resolve: {
    alias: [
      { find: "stepseal/inngest/compat", replacement: from("src/adapters/inngest/compat/index.ts") },
      { find: "stepseal/inngest", replacement: from("src/adapters/inngest/index.ts") },
      { find: "stepseal/testing", replacement: from("src/testing/index.ts") },
      { find: "stepseal/transport", replacement: from("src/transport/index.ts") },
      { find: "stepseal/upstash/cloudflare", replacement: from("src/adapters/upstash/cloudflare.ts") },
      { find: "stepseal/upstash/express", replacement: from("src/adapters/upstash/express.ts") },
      { find: "stepseal/upstash/hono", replacement: from("src/adapters/upstash/hono.ts") },
      { find: "stepseal/upstash", replacement: from("src/adapters/upstash/index.ts") },
      { find: "stepseal", replacement: from("src/index.ts") },
      { find: /^inngest(\/.*)?$/, replacement: `${inngest}$1` },
      { find: /^@upstash\/workflow(\/.*)?$/, replacement: `${upstash}$1` },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    // For what hangs: a slow machine is no failure.
    testTimeout: 120_000,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const from = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: {
      "stepseal/inngest": from("src/adapters/inngest/index.ts"),
      "stepseal/testing": from("src/testing/index.ts"),
      "stepseal/transport": from("src/transport/index.ts"),
      stepseal: from("src/index.ts"),
    },
  },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});

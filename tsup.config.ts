import { defineConfig } from "tsup";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    inngest: "src/adapters/inngest/index.ts",
    "inngest-compat": "src/adapters/inngest/compat/index.ts",
    testing: "src/testing/index.ts",
    transport: "src/transport/index.ts",
  },
  format: "esm",
  target: "node20",
  platform: "neutral",
  dts: true,
  clean: true,
  sourcemap: true,
  splitting: true,
  external: ["inngest"],
});

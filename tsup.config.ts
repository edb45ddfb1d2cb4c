import { defineConfig } from "tsup";

const library = {
  index: "src/index.ts",
  inngest: "src/adapters/inngest/index.ts",
  "inngest-compat": "src/adapters/inngest/compat/index.ts",
  "inngest-v3": "src/adapters/inngest-v3/index.ts",
  testing: "src/testing/index.ts",
  transport: "src/transport/index.ts",
  upstash: "src/adapters/upstash/index.ts",
  "upstash-cloudflare": "src/adapters/upstash/cloudflare.ts",
  "upstash-express": "src/adapters/upstash/express.ts",
  "upstash-hono": "src/adapters/upstash/hono.ts",
};

export default defineConfig({
  // The command line shares the core's chunks, and no entry of the library reaches it.
  entry: { ...library, cli: "src/cli/main.ts" },
  format: "esm",
  target: "node20",
  platform: "neutral",
  dts: { entry: library },
  clean: true,
  sourcemap: true,
  splitting: true,
  external: ["inngest", /^@upstash\//, /^node:/],
});

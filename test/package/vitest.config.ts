import { defineConfig } from "vitest/config";

/** Tests of the packed package: they need a build, install packages, and take a minute. */
export default defineConfig({
  test: { include: ["test/package/*.packed.ts"], testTimeout: 300_000, hookTimeout: 300_000 },
});

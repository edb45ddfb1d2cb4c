import { defineConfig } from "vitest/config";

/** Tests of the packed package. They need a build and a registry of packages, and compile for minutes. */
export default defineConfig({
  test: { include: ["test/package/*.packed.ts"], testTimeout: 600_000, hookTimeout: 600_000 },
});

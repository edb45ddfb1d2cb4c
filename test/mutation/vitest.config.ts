import { defineConfig } from "vitest/config";
import { names } from "../../vitest.config.ts";
import { PARTS } from "./parts.ts";

/** The tests of one part, under the names that all tests have. */
export default defineConfig({
  ...names,
  test: { include: [...PARTS[process.env.MUTATE ?? ""]!.tests], testTimeout: 120_000 },
});

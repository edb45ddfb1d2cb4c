import { defineConfig } from "vitest/config";
import type { Reporter } from "vitest/node";
import { names } from "../../vitest.config.ts";
import { PARTS } from "./parts.ts";

/** Stryker leaves out without a word a test file that does not load: in its copy of the project, something is missing. */
const allLoad: Reporter = {
  onTestModuleCollected(module) {
    const [error] = module.errors();
    if (error !== undefined) throw new Error(`${module.moduleId} does not load: ${error.message}`);
  },
};

/** The tests of one part, under the names that all tests have. */
export default defineConfig({
  ...names,
  test: { include: [...PARTS[process.env.MUTATE ?? ""]!.tests], testTimeout: 120_000, reporters: [allLoad] },
});

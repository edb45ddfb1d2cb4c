import { relative } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type Reporter, type TestSpecification } from "vitest/node";
import { names } from "../../vitest.config.ts";
import { PARTS } from "./parts.ts";

/** Stryker leaves out without a word a test file that does not load: in its copy of the project, something is missing. */
const allLoad: Reporter = {
  onTestModuleCollected(module) {
    const [error] = module.errors();
    if (error !== undefined) throw new Error(`${module.moduleId} does not load: ${error.message}`);
  },
};

/** A mutant is killed by the first test that fails, so what takes long comes last. */
class ShortestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const duration = ({ project, moduleId }: TestSpecification): number =>
      this.ctx.cache.getFileTestResults(`${project.name}:${relative(this.ctx.config.root, moduleId)}`)
        ?.duration ?? 0;
    return [...files].sort((a, b) => duration(a) - duration(b));
  }
}

/** The tests of one part, under the names that all tests have. */
export default defineConfig({
  ...names,
  test: {
    include: [...PARTS[process.env.MUTATE ?? ""]!.tests],
    testTimeout: 120_000,
    reporters: [allLoad],
    // Each mutant has a process of its own, in which the SDKs are loaded once for all files, and not for each.
    isolate: false,
    sequence: { sequencer: ShortestFirst },
  },
});

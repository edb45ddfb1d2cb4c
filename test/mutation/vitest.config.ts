import { relative } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type Reporter, type TestSpecification } from "vitest/node";
import { names, namesForV3, V4_ONLY } from "../../vitest.config.ts";
import { KILLED, PARTS } from "./parts.ts";

/** Stryker leaves out without a word a test file that does not load: in its copy of the project, something is missing. */
const allLoad: Reporter = {
  onTestModuleCollected(module) {
    const error = module.errors().find(({ message }) => message !== KILLED);
    if (error !== undefined) throw new Error(`${module.moduleId} does not load: ${error.message}`);
  },
};

/**
 * A mutant is killed by the first test that fails, so what takes long comes last. The longest time counts that a file ever
 * took: after a mutant was killed early, it took none.
 */
class ShortestFirst extends BaseSequencer {
  static readonly #longest = new Map<string, number>();

  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const longest = ShortestFirst.#longest;
    for (const { project, moduleId } of files) {
      const name = `${project.name}:${relative(this.ctx.config.root, moduleId)}`;
      const { duration = 0 } = this.ctx.cache.getFileTestResults(name) ?? {};
      longest.set(moduleId, Math.max(longest.get(moduleId) ?? 0, duration));
    }
    return files.toSorted((a, b) => longest.get(a.moduleId)! - longest.get(b.moduleId)!);
  }
}

const { tests, testsOfBoth } = PARTS[process.env.MUTATE ?? ""]!;

const test = {
  // No test here takes a second: what takes this long has hung, and has noticed the mutant.
  testTimeout: 10_000,
  // Each mutant has a process of its own, in which the SDKs are loaded once for all files, and not for each.
  isolate: false,
  setupFiles: ["test/mutation/each-file.ts"],
};

/** The tests of one part, under the names that all tests have. */
export default defineConfig({
  test: {
    reporters: [allLoad],
    sequence: { sequencer: ShortestFirst },
    projects:
      testsOfBoth === undefined
        ? [{ ...names, test: { ...test, include: [...tests] } }]
        : [
            {
              ...namesForV3,
              test: {
                ...test,
                name: "inngest-v3",
                include: [...tests],
                env: { INNGEST_SDK: "v3" },
                exclude: V4_ONLY,
              },
            },
            { ...names, test: { ...test, name: "stepseal", include: [...testsOfBoth] } },
          ],
  },
});

/** A part of the code that is mutated by itself, with the tests that are about it. Paths from the top of the project. */
export interface Part {
  readonly mutate: readonly string[];
  readonly tests: readonly string[];
  /** Of SDK v3, which stands in v4's place in `tests`: those in which both are. */
  readonly testsOfBoth?: readonly string[];
  /** Of a hundred mutants, how many must be killed. */
  readonly threshold: number;
}

/** Why a test file was not loaded: one before it has killed the mutant. */
export const KILLED = "a test before this one has failed";

/**
 * Without those that take long, which would be asked of each mutant that nothing else notices: every value, every leak, every
 * way to forge a step, every deploy. What survives here, they may notice.
 */
const INNGEST = [
  "test/adapters/inngest/!(docs|differential|differential-values|introduce|parallel|rolling-deploy|sdk-assumptions).test.ts",
  "test/adapters/inngest/gate/*.test.ts",
  "test/security/!(forged-step|hardness|hostile-invocations|leak).test.ts",
] as const;

export const PARTS: Readonly<Record<string, Part>> = {
  core: {
    mutate: [
      "src/!(value-sealer).ts",
      "src/internal/!(as-error|base64).ts",
      "src/keyring/*.ts",
      "src/engines/!(kernel-code).ts",
    ],
    // Without those that read the sources or the docs, and the property tests, which may kill a mutant by luck, and not
    // the next time.
    tests: [
      "test/!(docs|demo|messages).test.ts",
      "test/internal/**/*.test.ts",
      "test/keyring/**/*.test.ts",
      "test/vectors/**/*.test.ts",
    ],
    threshold: 88,
  },
  transport: {
    mutate: ["src/transport/**/*.ts"],
    // Without 5000 requests at once, which take half of the time.
    tests: ["test/transport/!(imports|load).test.ts", "test/unknown-options.test.ts"],
    threshold: 91,
  },
  upstash: {
    mutate: ["src/adapters/upstash/**/*.ts", "src/internal/as-error.ts"],
    tests: ["test/adapters/upstash/!(docs).test.ts", "test/adapters/*.test.ts"],
    threshold: 90,
  },
  inngest: {
    mutate: [
      "src/adapters/*.ts",
      "src/adapters/inngest/*.ts",
      "src/adapters/inngest/gate/!(option-schemas).ts",
    ],
    tests: [...INNGEST, "test/adapters/*.test.ts"],
    threshold: 90,
  },
  compat: {
    mutate: [
      "src/adapters/inngest/compat/*.ts",
      "src/adapters/inngest/gate/option-schemas.ts",
      "src/legacy/*.ts",
      "src/value-sealer.ts",
      "src/internal/base64.ts",
    ],
    tests: ["test/adapters/inngest/compat/!(docs|migration).test.ts", "test/legacy/*.test.ts"],
    threshold: 89,
  },
  "inngest-v3": {
    mutate: ["src/adapters/inngest-v3/**/*.ts"],
    tests: INNGEST,
    testsOfBoth: ["test/adapters/inngest-v3/*.test.ts"],
    threshold: 93,
  },
};

/**
 * Changes the code in one place at a time and asks whether a test fails of it. Exits with 1 where fewer mutants are
 * killed than the threshold of the part asks for.
 *
 *     npm run mutate                                 # every part, one after the other
 *     npm run mutate -- core                         # one of them
 *     npm run mutate -- core src/cipher.ts           # files of it
 *
 * What was found before is kept in reports, and asked again only where the code or its tests have changed.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { PARTS } from "./parts.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const [name, ...files] = process.argv.slice(2);
if (name !== undefined && !(name in PARTS)) throw new Error(`the parts are ${Object.keys(PARTS).join(", ")}`);

if (!existsSync(here("node_modules"))) {
  const { status } = spawnSync("npm", ["ci"], { stdio: "inherit", cwd: here(".") });
  if (status !== 0) throw new Error("what mutates could not be installed: npm ci in test/mutation failed");
}
/** Not one of the project's packages, so that its types are not known here. */
const stryker: string = "@stryker-mutator/core";
const { Stryker } = await import(stryker);

process.chdir(here("../.."));
// Mutants are asked thousands of times: never the long form of a test.
delete process.env.SLOW;
for (const part of name === undefined ? Object.keys(PARTS) : [name]) {
  const { mutate, threshold } = PARTS[part]!;
  // For vitest.config.ts, which is read in another process.
  process.env.MUTATE = part;
  const reports = `test/mutation/reports/${part}`;
  await new Stryker({
    mutate: files.length > 0 ? files : [...mutate, "!src/**/index.ts"],
    testRunner: "vitest",
    vitest: { configFile: "test/mutation/vitest.config.ts", related: false },
    plugins: ["@stryker-mutator/vitest-runner", here("prose.js")],
    ignorers: ["prose"],
    // What is reckoned once, when a module is loaded, would need all tests anew in a process of its own.
    ignoreStatic: true,
    coverageAnalysis: "perTest",
    // One core is for what drives them.
    concurrency: Math.max(1, availableParallelism() - 1),
    incremental: true,
    incrementalFile: `${reports}.incremental.json`,
    // Not the docs: a test file that cannot read what it needs does not load, and is left out without a word.
    ignorePatterns: ["test/mutation/reports"],
    reporters: ["clear-text", "progress-append-only", "json", "html"],
    clearTextReporter: { logTests: false, allowColor: false, reportTests: false },
    jsonReporter: { fileName: `${reports}.json` },
    htmlReporter: { fileName: `${reports}.html` },
    // Of some files, the score is told and not judged: it is that of the part.
    thresholds: { high: 100, low: threshold, break: files.length > 0 ? null : threshold },
    timeoutMS: 15_000,
    dryRunTimeoutMinutes: 20,
    tempDirName: ".stryker-tmp",
    allowConsoleColors: false,
  }).runMutationTest();
}

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Sealed } from "../conformance/crossing.ts";
import { bundle, type GroupName } from "./bundle.ts";
import { type Finding, failuresOf, inColumns, pageOf, tallyOf } from "./findings.ts";
import type { Report } from "./report.ts";
import { allRuntimes, type Runtime } from "./runtimes.ts";

// Asks the conformance suite of the built package in every runtime, and compares what it finds with docs/runtimes.md.
// `--update` writes the page instead.

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const ROOT = here("../../");
const PAGE = `${ROOT}docs/runtimes.md`;
const [BEGIN, END] = ["<!-- found -->\n\n", "\n\n<!-- end of found -->"] as const;
/** Where every binary is to be had. Elsewhere what is absent is named and skipped. */
const isComplete = process.platform === "linux" && process.arch === "x64";

install();
build();
const runtimes = allRuntimes();
const present = runtimes.filter(({ absent }) => absent === undefined);
const findings: Finding[] = [];
const sealed: Record<string, readonly Sealed[]> = {};
for (const runtime of present) {
  const reports = new Map<GroupName, Awaited<ReturnType<typeof ask>>>();
  for (const group of ["package", "engines", "inngest", "upstash"] as const) {
    reports.set(group, await ask(runtime, group));
  }
  findings.push({ runtime, reports });
  const report = reports.get("package");
  if (report !== undefined && "sealed" in report) sealed[runtime.name] = report.sealed ?? [];
  console.log(`${runtime.name} ${runtime.version}: done`);
}
for (const { runtime, reports } of findings) {
  (reports as Map<GroupName, unknown>).set("crossing", await ask(runtime, "crossing"));
}
tell();

/** What a runtime makes of a group of checks. */
async function ask(runtime: Runtime, group: GroupName): Promise<Report | { readonly notLoaded: string }> {
  const file = await bundle(group, runtime.form, sealed);
  try {
    return await runtime.run(file);
  } catch (error) {
    return { notLoaded: (error as Error).message.trim() };
  }
}

function tell(): void {
  const rows = findings.map((finding) => {
    const { passed, failed, cannot } = tallyOf(finding);
    return [finding.runtime.name, finding.runtime.version, ...[passed, failed, cannot].map(String)];
  });
  console.log(`\n${inColumns([["runtime", "version", "passed", "failed", "cannot"], ...rows])}\n`);
  for (const { name, absent } of runtimes)
    if (absent !== undefined) console.log(`SKIPPED ${name}: ${absent}.`);
  const problems = findings.flatMap(failuresOf);
  if (isComplete && present.length < runtimes.length) problems.push("a runtime is absent on Linux on x64");
  problems.push(...compareWithPage());
  for (const problem of problems) console.log(`FAILED ${problem}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

function compareWithPage(): string[] {
  const page = readFileSync(PAGE, "utf8");
  const [from, to] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)];
  const found = pageOf(findings);
  if (process.argv.includes("--update")) {
    writeFileSync(PAGE, page.slice(0, from) + found + page.slice(to));
    return [];
  }
  const said = page.slice(from, to).split("\n");
  const missing = found.split("\n").filter((line) => !said.includes(line));
  const asked = new Set(findings.map(({ runtime }) => runtime.name));
  const stale = said.filter((line) => asked.has(line.split(" | ")[0]!.slice(2)) && !found.includes(line));
  return [
    ...missing.map((line) => `docs/runtimes.md does not say: ${line}`),
    ...stale.map((line) => `docs/runtimes.md says what was not found: ${line}`),
  ];
}

/** Installs the runtimes where this lock file was not what was installed last. */
function install(): void {
  const lock = readFileSync(here("package-lock.json"), "utf8");
  const mark = here("node_modules/.installed");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  console.log("Installing the runtimes: about 1 GB.");
  execFileSync("npm", ["ci"], { cwd: here("."), stdio: "inherit" });
  writeFileSync(mark, lock);
}

/** Builds the package where a source is younger than what was built. */
function build(): void {
  const built = `${ROOT}dist/index.js`;
  const sources = ["src", "package.json", "tsup.config.ts"].flatMap((path) =>
    statSync(ROOT + path).isDirectory()
      ? readdirSync(ROOT + path, { recursive: true }).map((file) => `${ROOT}${path}/${String(file)}`)
      : [ROOT + path],
  );
  const youngest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs >= youngest) return;
  execFileSync("npm", ["run", "build"], { cwd: ROOT, stdio: "inherit" });
}

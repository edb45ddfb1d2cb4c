import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { manifest, read } from "./subpaths.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly command?: readonly string[] } };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = ".github/workflows";
const FILES = readdirSync(new URL(`../../${FOLDER}`, import.meta.url));
const workflow = (file: string): Workflow => parse(read(`${FOLDER}/${file}`));

/** The commands of a job, for each command of its matrix. */
const commandsOf = ({ steps, strategy }: Job): string[] =>
  steps.flatMap(({ run = "" }) =>
    (strategy?.matrix.command ?? [""]).map((one) => run.replace(/\$\{\{ matrix\.command \}\}/, one)),
  );

/** The scripts of package.json that a text runs. */
const scriptsIn = (text: string): string[] =>
  [...text.matchAll(/\bnpm (?:run (?:--silent )?)?([\w:-]+)/g)]
    .map(([, name = ""]) => name)
    .filter((name) => !NPM.has(name));

/** What npm does itself. */
const NPM: ReadonlySet<string> = new Set(["ci", "pack", "publish"]);

describe.each(FILES)("%s", (file) => {
  const { jobs, permissions } = workflow(file);

  test("runs scripts that are there", () => {
    const scripts = Object.values(jobs).flatMap((job) => commandsOf(job).flatMap(scriptsIn));
    expect(scripts.filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([]);
  });

  test("takes each action by its commit, with the version beside it", () => {
    const uses = read(`${FOLDER}/${file}`).match(/uses: .*/g) ?? [];
    expect(uses.length).toBe(
      Object.values(jobs).flatMap(({ steps }) => steps.filter((step) => step.uses)).length,
    );
    for (const line of uses) expect(line).toMatch(/^uses: actions\/[a-z-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("may read, and no more", () => {
    expect(Object.values(permissions ?? { all: "write" }).filter((level) => level !== "read")).toEqual([]);
  });
});

test("of a release, one job may publish and runs nothing of the project, and another may attach files", () => {
  const { jobs } = workflow("release.yml");
  const granted = Object.entries(jobs).map(([name, job]) => [name, job.permissions]);
  expect(Object.fromEntries(granted)).toEqual({
    build: { contents: "read" },
    publish: { "id-token": "write" },
    attach: { contents: "write" },
  });
  expect(commandsOf(jobs.publish!).filter(Boolean)).toEqual([
    "npm publish ./stepseal-*.tgz --provenance --access public",
  ]);
});

test("what .ci/run runs is there", () => {
  const scripts = scriptsIn(read(".ci/run"));
  expect(scripts).toContain("lint");
  expect(scripts.filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([]);
});

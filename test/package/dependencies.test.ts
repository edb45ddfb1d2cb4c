import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { manifest, read } from "./subpaths.ts";

/** Every package that an install brings by itself, and the record of why it is one. */
const RECORDED: Readonly<Record<string, string>> = {
  "@noble/ciphers": "0001-runtime-dependencies",
  "@noble/hashes": "0001-runtime-dependencies",
  zod: "0001-runtime-dependencies",
  canonicalize: "0004-transport-dependencies",
  jose: "0004-transport-dependencies",
  "cli-progress": "0006-command-line-dependencies",
  commander: "0006-command-line-dependencies",
  picocolors: "0006-command-line-dependencies",
  read: "0006-command-line-dependencies",
};

test("each dependency has a record, and one exact version", () => {
  expect(Object.keys(manifest.dependencies).sort()).toEqual(Object.keys(RECORDED).sort());
  for (const [name, record] of Object.entries(RECORDED)) {
    expect(read(`docs/decisions/${record}.md`)).toContain(`\`${name}\``);
    expect(manifest.dependencies[name]).toMatch(/^\d+\.\d+\.\d+$/);
  }
});

test("the bill of materials lists what an install brings, and nothing else", () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const printed = execFileSync("npm", ["run", "--silent", "sbom"], { cwd: root, encoding: "utf8" });
  const bill = JSON.parse(printed) as {
    readonly specVersion: string;
    readonly metadata: { readonly component: { readonly purl: string } };
    readonly components: readonly { readonly name: string; readonly version: string }[];
  };
  expect(bill.metadata.component.purl).toBe(`pkg:npm/stepseal@${manifest.version}`);
  expect(bill.components.map(({ name, version }) => `${name}@${version}`).sort()).toEqual(installed());
});

/** The tree of dependencies, as Node finds the packages that are installed here. */
function installed(): string[] {
  const all = new Set<string>();
  const visit = (path: string): void => {
    const { dependencies = {} } = JSON.parse(readFileSync(path, "utf8")) as Installed;
    for (const name of Object.keys(dependencies)) {
      const found = manifestOf(name, path);
      const { version } = JSON.parse(readFileSync(found, "utf8")) as Installed;
      if (all.has(`${name}@${version}`)) continue;
      all.add(`${name}@${version}`);
      visit(found);
    }
  };
  visit(fileURLToPath(new URL("../../package.json", import.meta.url)));
  return [...all].sort();
}

interface Installed {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifestOf(name: string, from: string): string {
  const folders = createRequire(from).resolve.paths(name) ?? [];
  const found = folders.map((folder) => join(folder, name, "package.json")).find(existsSync);
  if (found === undefined) throw new Error(`${name} is not installed`);
  return found;
}

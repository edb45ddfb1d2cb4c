import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const source = (path: string): URL => new URL(`../../src/${path}`, import.meta.url);

/** What a file imports, itself or through others: packages by name, files by address. */
function importsOf(file: URL, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(file.href)) return seen;
  seen.add(file.href);
  const code = readFileSync(fileURLToPath(file), "utf8");
  for (const [, name = ""] of code.matchAll(/^(?:import|export|\})[^;]*? from "([^"]+)";$/gm)) {
    if (name.endsWith(".ts")) importsOf(new URL(name, file), seen);
    else seen.add(name);
  }
  return seen;
}

test("nothing of the command line is in what an app imports", () => {
  expect([...importsOf(source("cli/main.ts"))]).toContain("commander");
  for (const entry of ["index.ts", "adapters/inngest/index.ts", "testing/index.ts", "transport/index.ts"]) {
    const all = [...importsOf(source(entry))];
    expect(all.filter((name) => name.includes("/src/cli/"))).toEqual([]);
    for (const name of ["commander", "picocolors", "cli-progress", "read"]) expect(all).not.toContain(name);
  }
});

import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import vitest from "../../vitest.config.ts";
import { BUILT, manifest, read, SUBPATHS } from "./subpaths.ts";

const sources = Object.fromEntries(SUBPATHS.map(({ name, source }) => [name, source]));

test("what is built is what package.json exports, and the command", () => {
  expect(SUBPATHS.length).toBeGreaterThan(5);
  expect(BUILT.slice().sort()).toEqual([...Object.values(sources), "src/cli/main.ts"].sort());
  expect(manifest.bin).toEqual({ stepseal: "dist/cli.js" });
  for (const { code, types } of SUBPATHS) expect(types).toBe(code.replace(/\.js$/, ".d.ts"));
});

test("each source says which subpath it is", () => {
  const named = SUBPATHS.map(({ source }) => [/^ \* @module (\S+)$/m.exec(read(source))?.[1], source]);
  expect(Object.fromEntries(named)).toEqual(sources);
});

test("each has a budget", () => {
  const budgets: { name: string; path: string }[] = JSON.parse(read(".size-limit.json"));
  expect(Object.fromEntries(budgets.map(({ name, path }) => [name, `./${path}`]))).toEqual(
    Object.fromEntries(SUBPATHS.map(({ name, code }) => [name, code])),
  );
});

test("the types of the sources are found by the names of the subpaths", () => {
  const { paths } = JSON.parse(read("tsconfig.json")).compilerOptions as { paths: Record<string, string[]> };
  expect(paths).toEqual(
    Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, [`./${source}`]])),
  );
});

test("tests import the sources by the names of the subpaths, the longer name first", () => {
  const [project] = (vitest as { test: { projects: unknown[] } }).test.projects;
  const { alias } = (project as { resolve: { alias: { find: string | RegExp; replacement: string }[] } })
    .resolve;
  const ours = alias.flatMap(({ find, replacement }) =>
    typeof find === "string" && /^stepseal\b/.test(find) ? [{ find, replacement }] : [],
  );
  const root = fileURLToPath(new URL("../../", import.meta.url));
  expect(
    Object.fromEntries(ours.map(({ find, replacement }) => [find, replacement.replace(root, "")])),
  ).toEqual(sources);
  // An alias stands for what begins with it and a slash, too.
  for (const { name } of SUBPATHS) {
    expect(ours.find(({ find }) => name === find || name.startsWith(`${find}/`))?.find).toBe(name);
  }
});

test("the documents name each subpath, and none that is not there", () => {
  const documents = readdirSync(new URL("../../docs", import.meta.url), { encoding: "utf8", recursive: true })
    .filter((path) => path.endsWith(".md") && !/^(api|decisions)\//.test(path))
    .map((path) => read(`docs/${path}`));
  const text = [read("README.md"), ...documents].join("\n");
  // As code, or in code. Labels of derived keys have a version in them.
  const named = [...text.matchAll(/["`](stepseal(?:\/[a-z\d-]+)*)["`]/g)].map(([, name = ""]) => name);
  const subpaths = new Set(named.filter((name) => !name.startsWith("stepseal/v1")));
  expect([...subpaths].sort()).toEqual(Object.keys(sources).sort());
});

import { existsSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { prose, ROOT, read } from "./markdown.ts";

const text = prose(read("CONTRIBUTING.md"));

/** What stands between backticks and is a path of the project, from its root. */
const paths = [...text.matchAll(/`((?:src|test|kernel|examples|benchmarks|docs|\.ci)(?:\/[\w.-]+)*)`/g)].map(
  ([, path = ""]) => path,
);

test("each path that CONTRIBUTING.md names is there", () => {
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
});

test("each folder and each file at the top of src is named, and each folder of test", () => {
  const named = new Set(paths);
  const folders = (root: string): string[] =>
    readdirSync(new URL(root, ROOT), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(ROOT.pathname.length));
  const top = readdirSync(new URL("src", ROOT)).map((name) => `src/${name}`);
  const tests = readdirSync(new URL("test", ROOT), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `test/${name}`);
  expect([...folders("src"), ...top, ...tests].filter((path) => !named.has(path))).toEqual([]);
});

test("each tool that package.json has is in a decision", () => {
  const { devDependencies, overrides } = JSON.parse(read("package.json")) as Record<
    string,
    Record<string, string>
  >;
  const decisions = readdirSync(new URL("docs/decisions", ROOT))
    .map((file) => read(`docs/decisions/${file}`))
    .join("\n");
  const names = Object.keys({ ...devDependencies, ...overrides });
  expect(names.filter((name) => !decisions.includes(`\`${name}\``))).toEqual([]);
});

import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { anchorsOf, DOCUMENTS, EXAMPLES, linksOf, ROOT, read } from "./markdown.ts";

const links = [...DOCUMENTS, ...EXAMPLES].flatMap((document) =>
  linksOf(read(document)).map((target) => ({ document, target })),
);
const isRelative = (target: string): boolean => !/^[a-z]+:/.test(target);

/** What of a link does not resolve, if anything. */
function broken({ document, target }: (typeof links)[number]): string | undefined {
  const [path = "", anchor] = target.split("#");
  const file = new URL(path, new URL(document, ROOT));
  if (path !== "" && !existsSync(file)) return `${document}: there is no ${target}`;
  if (anchor === undefined) return undefined;
  const name = path === "" ? document : file.pathname.slice(ROOT.pathname.length);
  return anchorsOf(read(name)).has(anchor) ? undefined : `${document}: no heading is ${target}`;
}

test("each relative link leads to a file, and each anchor to a heading", () => {
  expect(links.length).toBeGreaterThan(60);
  expect(links.filter(({ target }) => isRelative(target)).flatMap((link) => broken(link) ?? [])).toEqual([]);
});

test("a link that leads nowhere is noticed", () => {
  expect(broken({ document: "README.md", target: "docs/nowhere.md" })).toBeDefined();
  expect(broken({ document: "docs/keys.md", target: "rotation.md#nowhere" })).toBeDefined();
  expect(broken({ document: "docs/keys.md", target: "rotation.md#states" })).toBeUndefined();
});

test("each page is linked from the README", () => {
  const linked = new Set(linksOf(read("README.md")).map((target) => target.split("#")[0]));
  const pages = DOCUMENTS.filter((path) => path.startsWith("docs/") && !path.startsWith("docs/decisions/"));
  expect(pages.filter((path) => !linked.has(path))).toEqual([]);
});

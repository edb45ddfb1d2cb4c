import { readdirSync, readFileSync } from "node:fs";

/** The root of the project. */
export const ROOT: URL = new URL("../../", import.meta.url);

export const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");

/** API reference pages, which are made of the doc comments and checked by what makes them. */
const GENERATED = "docs/api/";

/** Every Markdown file that a reader gets to see, by path. */
export const DOCUMENTS: readonly string[] = [
  ...readdirSync(ROOT).filter((file) => file.endsWith(".md")),
  ...readdirSync(new URL("docs", ROOT), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file.replaceAll("\\", "/")}`)
    .filter((path) => !path.startsWith(GENERATED)),
].sort();

/** Those of the examples, whose code has tests of its own. */
export const EXAMPLES: readonly string[] = readdirSync(new URL("examples", ROOT), {
  recursive: true,
  encoding: "utf8",
})
  .map((file) => `examples/${file.replaceAll("\\", "/")}`)
  .filter((path) => path.endsWith(".md") && !path.includes("/node_modules/"));

/** A fenced block. */
export interface Block {
  /** `docs/keys.md:12`, the line of its first fence. */
  readonly at: string;
  readonly document: string;
  readonly language: string;
  readonly code: string;
}

/** The fenced blocks of a Markdown text, without the white space that a list puts before their lines. */
export function blocksOf(document: string, text: string = read(document)): readonly Block[] {
  return [...text.matchAll(/^( *)```(.*)\n([\s\S]*?)^\1```$/gm)].map((found) => {
    const [, indent = "", language = "", code = ""] = found;
    const line = text.slice(0, found.index).split("\n").length;
    return {
      at: `${document}:${line}`,
      document,
      language,
      code: code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    };
  });
}

/** A text without its fenced blocks. */
export const prose = (text: string): string => text.replaceAll(/^( *)```.*\n[\s\S]*?^\1```$/gm, "");

/** What a heading is reached by: GitHub's rule. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of prose(text).matchAll(/^#{1,6} +(.*)$/gm)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
      .replaceAll(" ", "-");
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Targets of links and images, without those that stand in code. */
export function linksOf(text: string): readonly string[] {
  const bare = prose(text).replaceAll(/`[^`\n]*`/g, "");
  return [...bare.matchAll(/\]\(([^()\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(
    ([, inline, reference]) => inline ?? reference ?? "",
  );
}

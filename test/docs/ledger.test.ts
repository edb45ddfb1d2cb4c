import { describe, expect, test } from "vitest";
import { program } from "../../src/cli/program.ts";
import { type Block, blocksOf, DOCUMENTS, prose, read } from "./markdown.ts";
import { commandsOf, copyOf, NOT_RUN, SESSIONS, SETS } from "./sets.ts";

const blocks = DOCUMENTS.flatMap((path) => blocksOf(path));
const inSets = SETS.flatMap(({ name, examples }) => examples.map(({ at }) => [at, name] as const));

const reasonFor = (command: string): string | undefined =>
  Object.keys(NOT_RUN).find((beginning) => command.startsWith(beginning));

/** What runs a block, or why nothing does. Nothing at all is what this file is there to notice. */
function runners({ at, document, language, code }: Block): readonly string[] {
  switch (language) {
    case "ts": {
      const copy = copyOf(code);
      if (copy !== undefined) return [`is ${copy}`];
      return inSets.filter(([where]) => where === at).map(([, name]) => `examples.test.ts, ${name}`);
    }
    case "console":
      return SESSIONS.includes(document) ? ["test/cli/docs.test.ts"] : [];
    case "sh": {
      const isCovered = (command: string) =>
        command.startsWith("npx stepseal ") || reasonFor(command) !== undefined;
      return commandsOf(code).every(isCovered) ? ["test/cli/docs.test.ts, and NOT_RUN"] : [];
    }
    case "json":
      return ["parsed below"];
    case "text":
      return ["is no code"];
    default:
      return [];
  }
}

describe("each block of the documents", () => {
  test.each(blocks)("is run by one test, or listed with the reason: $at", (block) => {
    expect(runners(block)).toHaveLength(1);
  });

  test("begins with a fence that has an end, and there are many", () => {
    for (const path of DOCUMENTS) {
      const fences = read(path).match(/^ *```/gm) ?? [];
      expect(fences.length, path).toBe(2 * blocksOf(path).length);
    }
    expect(blocks.length).toBeGreaterThan(50);
  });

  test("of JSON is JSON", () => {
    for (const { language, code, at } of blocks) {
      if (language === "json") expect(() => JSON.parse(code), at).not.toThrow();
    }
  });
});

test("nothing is listed that no document has", () => {
  const commands = blocks.filter(({ language }) => language === "sh").flatMap(({ code }) => commandsOf(code));
  const used = new Set(commands.map(reasonFor));
  expect(Object.keys(NOT_RUN).filter((beginning) => !used.has(beginning))).toEqual([]);
});

describe("a command that a sentence names", () => {
  const known = new Map(
    program().commands.map((command) => [
      command.name(),
      new Set(command.options.flatMap(({ short, long }) => [short, long])),
    ]),
  );
  const named = DOCUMENTS.flatMap((path) =>
    [...prose(read(path)).matchAll(/`npx stepseal ([a-z]+)([^`]*)`/g)].map(([, name = "", rest = ""]) => ({
      path,
      name,
      // Not those of a command in it, `<(sops -d ring.json)`.
      options: rest.replaceAll(/<\(.*?\)/g, "").match(/(?<= )--?[a-z][a-z-]*/g) ?? [],
    })),
  );

  test.each(named)("is one that there is: $path, $name", ({ name, options }) => {
    expect([...known.keys()]).toContain(name);
    expect(options.filter((option) => !known.get(name)?.has(option))).toEqual([]);
  });
});

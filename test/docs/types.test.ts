import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";
import { type Block, blocksOf, DOCUMENTS, ROOT } from "./markdown.ts";
import { SETS } from "./sets.ts";

const root = fileURLToPath(ROOT);

/** The compiler's options of the project, but for what asks that each value is used. */
const { options, errors } = ts.getParsedCommandLineOfConfigFile(
  `${root}tsconfig.json`,
  { noUnusedLocals: false, noUnusedParameters: false, incremental: false },
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
)!;

const inV3 = new Set(SETS.find(({ name }) => name === "stepseal/inngest-v3")!.examples.map(({ at }) => at));
const fromSources = SETS.flatMap(({ examples }) => examples);
const fromDocuments = DOCUMENTS.flatMap((path) => blocksOf(path)).filter(({ language }) => language === "ts");
const all = [...new Map([...fromDocuments, ...fromSources].map((block) => [block.at, block])).values()];

/** Compiles blocks as files beside this one. @returns what is wrong with them */
function problems(blocks: readonly Block[], paths: ts.MapLike<string[]>): string[] {
  const files = new Map(blocks.map((block, n) => [`${root}test/docs/block-${n}.ts`, block]));
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  // Each is a module of its own, whether it imports anything or not.
  const text = (path: string): string | undefined =>
    files.has(path) ? `${files.get(path)?.code}\nexport {};\n` : undefined;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => text(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const code = text(path);
    return code === undefined
      ? getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, code, version);
  };
  const program = ts.createProgram({
    rootNames: [...files.keys(), `${root}test/docs/modules.d.ts`],
    options: { ...options, paths: { ...options.paths, ...paths } },
    host,
  });
  return [...files].flatMap(([path, { at }]) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText, start = 0 }) => {
        const { line } = file!.getLineAndCharacterOfPosition(start);
        return `${at}, line ${line + 1} of it: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
      },
    );
  });
}

test("each TypeScript block of the documents and of the doc comments compiles", () => {
  expect(errors).toEqual([]);
  expect(all.length).toBeGreaterThan(60);
  expect(
    problems(
      all.filter(({ at }) => !inV3.has(at)),
      {},
    ),
  ).toEqual([]);
});

test("those for SDK v3 compile with v3", () => {
  expect(inV3.size).toBeGreaterThan(0);
  const v3 = {
    inngest: ["./node_modules/inngest-v3/index.d.ts"],
    "inngest/edge": ["./node_modules/inngest-v3/edge.d.ts"],
  };
  expect(
    problems(
      all.filter(({ at }) => inV3.has(at)),
      v3,
    ),
  ).toEqual([]);
});

test("a block with a fault does not", () => {
  const block = {
    at: "nowhere:1",
    document: "nowhere",
    language: "ts",
    code: 'import { seal } from "stepseal";\n',
  };
  expect(problems([block], {})).toEqual([
    expect.stringContaining("nowhere:1, line 1 of it: Module '\"stepseal\"' has no exported member"),
  ]);
});

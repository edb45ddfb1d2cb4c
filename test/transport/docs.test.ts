import { readdirSync, readFileSync } from "node:fs";
import * as http from "node:http";
import { inspect } from "node:util";
import express from "express";
import ts from "typescript";
import { describe, expect, test, vi } from "vitest";
import * as transport from "../../src/transport/index.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** What examples may import. */
const MODULES: Readonly<Record<string, unknown>> = {
  "stepseal/transport": transport,
  "node:http": http,
  express: { default: express, __esModule: true },
};

const blocksOf = (text: string): string[] =>
  [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);

const examples = [
  ...blocksOf(read("docs/transport.md")).map((code, index) => ({
    name: `docs/transport.md, ${index + 1}`,
    code,
  })),
  ...readdirSync(new URL("../../src/transport", import.meta.url)).flatMap((file) => {
    const text = read(`src/transport/${file}`).replaceAll(/^ \* ?/gm, "");
    return blocksOf(text).map((code, index) => ({ name: `${file}, ${index + 1}`, code }));
  }),
];

/** What the comments beside an example say that it prints: `console.log(…); // 200`, `// refused MISMATCH`. */
const promised = (code: string): string[] =>
  [...code.matchAll(/^[^/]*(?:console\.log\(.*\)|.*\));? \/\/ (?!leave)(.*)$/gm)].map(
    ([, text = ""]) => text,
  );

describe("an example", () => {
  test("stands on every function that is exported", () => {
    const all = examples.map(({ code }) => code).join("\n");
    const missing = Object.keys(transport).filter((name) => !new RegExp(`\\b${name}\\b`).test(all));
    expect(missing).toEqual([]);
    expect(examples.length).toBeGreaterThan(15);
  });

  test.each(examples)("runs, and prints what it says: $name", async ({ code }) => {
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    });
    const printed: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((...args: unknown[]) => {
      printed.push(args.map((arg) => (typeof arg === "string" ? arg : inspect(arg))).join(" "));
    });
    try {
      const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
      await new AsyncFunction("require", "exports", outputText)((name: string) => MODULES[name], {});
    } finally {
      log.mockRestore();
    }
    const plain = (text: string): string => text.replaceAll(/["']/g, "");
    expect(printed.map(plain)).toEqual(promised(code).map(plain));
  });
});

test("the Redis store of the document is the one that is tested", () => {
  expect(read("docs/transport.md")).toContain(read("examples/transport/redis-replay-store.ts"));
});

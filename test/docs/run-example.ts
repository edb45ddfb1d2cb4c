import { inspect } from "node:util";
import ts from "typescript";
import { vi } from "vitest";

/**
 * Compiles a block and runs it.
 *
 * @param exports gets what the block exports
 * @returns what it printed, a line each
 */
export async function runExample(
  code: string,
  modules: Readonly<Record<string, unknown>>,
  exports: object = {},
): Promise<string[]> {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const printed: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...args: unknown[]) => {
    printed.push(args.map((arg) => (typeof arg === "string" ? arg : inspect(arg))).join(" "));
  });
  try {
    const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
    await new AsyncFunction("require", "exports", outputText)((name: string) => modules[name], exports);
  } finally {
    log.mockRestore();
  }
  return printed;
}

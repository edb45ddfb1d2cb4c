import * as core from "stepseal";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { read } from "./markdown.ts";
import { VAULT_ENV, vault } from "./recipes.ts";
import { runExample } from "./run-example.ts";
import { SETS } from "./sets.ts";

/** What platforms give their users. No example here reaches one: those of Upstash run in test/adapters/upstash/docs.test.ts. */
const PLATFORM_ENV = { QSTASH_TOKEN: "qstash-token", QSTASH_CURRENT_SIGNING_KEY: "sig_current" } as const;

/**
 * What the comments of an example say that it prints: beside the call, `console.log(…); // 200`, on a line of their own,
 * `// prints: 200`, or where a hook prints it, `// refused MISMATCH`.
 */
function promised(code: string): string[] {
  const patterns = [
    /console\.log\(.*\); \/\/ (.*)$/gm,
    /^ *\/\/ prints: (.*)$/gm,
    /\); \/\/ (refused .*)$/gm,
  ];
  return patterns
    .flatMap((pattern) => [...code.matchAll(pattern)])
    .sort((one, other) => one.index - other.index)
    .map(([, text = ""]) => text);
}

const realFetch = fetch;
/** What is not this machine is Vault's. */
const local: typeof fetch = (url, init) =>
  String(url).startsWith("http://127.0.0.1:") ? realFetch(url, init) : vault(String(url), init ?? {});

beforeEach(() => {
  vi.stubGlobal("fetch", local);
  const env = {
    ...VAULT_ENV,
    ...PLATFORM_ENV,
    STEPSEAL_KEY: core.generateKey(),
    ENCRYPTION_KEY: "a passphrase of the official middleware",
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  // SDK v3 and v4 keep what they execute under one name, each in its own form.
  Reflect.deleteProperty(globalThis, Symbol.for("inngest:als"));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

describe.each(SETS)("an example of $name", ({ exports, examples, modules }) => {
  test("stands on every function that is exported", () => {
    const all = examples.map(({ code }) => code).join("\n");
    const missing = Object.keys(exports).filter((name) => !new RegExp(`\\b${name}\\b`).test(all));
    expect(missing).toEqual([]);
  });

  test("and in the changelog", () => {
    const changes = read("CHANGELOG.md");
    expect(Object.keys(exports).filter((name) => !changes.includes(`\`${name}\``))).toEqual([]);
  });

  test.each(examples)("runs, and prints what it says: $at", async ({ code }) => {
    const printed = await runExample(code, modules);
    const plain = (text: string): string => text.replaceAll(/["']/g, "");
    expect(printed.map(plain)).toEqual(promised(code).map(plain));
  });
});

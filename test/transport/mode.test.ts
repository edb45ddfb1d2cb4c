import { Inngest } from "inngest";
import { Inngest as Inngest3 } from "inngest-v3";
import { afterEach, describe, expect, test, vi } from "vitest";
import { resolveMode } from "../../src/transport/index.ts";
import { codeOf } from "../code-of.ts";
import { MODE_CASES } from "./mode-cases.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Everything that either SDK looks at, so that the environment of the test run says nothing. */
const NAMES = new Set([
  ...MODE_CASES.flatMap(({ env }) => Object.keys(env)),
  ...["INNGEST_BASE_URL", "INNGEST_DEVSERVER_URL"],
]);

function setEnvironment(env: Readonly<Record<string, string>>): void {
  for (const name of NAMES) vi.stubEnv(name, env[name]);
}

/** The mode of a client of the real SDK in this environment. */
function realMode(sdk: 3 | 4): string {
  if (sdk === 4) return new Inngest({ id: "app" }).setEnvVars().mode;
  try {
    // biome-ignore lint/complexity/useLiteralKeys: private to TypeScript
    return new Inngest3({ id: "app" })["mode"].type;
  } catch {
    return "error";
  }
}

describe.each(MODE_CASES)("in the environment $env", ({ env, v4, v3, ours }) => {
  test("the real SDKs answer as recorded", () => {
    setEnvironment(env);
    expect([realMode(4), realMode(3)]).toEqual([v4, v3]);
  });

  test.each([
    [4, v4, ours?.v4],
    [3, v3, ours?.v3],
  ] as const)("ours answers as v%i does, or stricter", (sdk, theirs, stricter) => {
    const expected = stricter ?? theirs;
    const resolve = (): string => resolveMode(env, { sdk });
    if (expected === "CONFIG") expect(codeOf(resolve)).toBe("CONFIG");
    else expect(resolve()).toBe(expected);
    // The default is the environment of the process.
    setEnvironment(env);
    if (expected !== "CONFIG") expect(resolveMode(undefined, { sdk })).toBe(expected);
  });
});

test("isDev decides alone, in production too", () => {
  expect(resolveMode({ NODE_ENV: "production", INNGEST_DEV: "1" }, { isDev: true })).toBe("dev");
  expect(resolveMode({ INNGEST_DEV: "1" }, { isDev: false })).toBe("cloud");
  expect(resolveMode({ INNGEST_DEV: "off" }, { isDev: false, sdk: 3 })).toBe("cloud");
  // What is no boolean says nothing, as to the SDKs.
  expect(resolveMode({}, { isDev: "false" as never })).toBe("cloud");
});

test("a signing key of production is named, not shown, and code can still say that development is meant", () => {
  const env = { INNGEST_DEV: "1", INNGEST_SIGNING_KEY: "signkey-prod-12345678" };
  expect(() => resolveMode(env)).toThrow(/INNGEST_SIGNING_KEY says that this is production.*isDev: true/);
  expect(() => resolveMode(env)).not.toThrow("12345678");
  expect(resolveMode(env, { isDev: true })).toBe("dev");
  expect(resolveMode(env, { isDev: false })).toBe("cloud");
});

test("another version of the SDK is an error", () => {
  expect(codeOf(() => resolveMode({}, { sdk: 2 as never }))).toBe("CONFIG");
});

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as core from "stepseal";
import * as gate from "stepseal/inngest";
import * as compat from "stepseal/inngest/compat";
import * as testing from "stepseal/testing";
import * as transport from "stepseal/transport";
import * as upstash from "stepseal/upstash";
import { expect, test } from "vitest";
import { codeOf } from "./code-of.ts";
import { source } from "./imports.ts";
import { key } from "./keyring/roots.ts";

const files = readdirSync(source(""), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(join(source("").pathname, path), "utf8"));

/** Exported functions with a name that no message could hold by chance. */
const functions = files.flatMap((code) =>
  [...code.matchAll(/^export (?:async )?function ([a-z]+[A-Z]\w*)/gm)].map(([, name]) => name!),
);
const callable = new Set(
  [core, gate, compat, testing, transport, upstash].flatMap((entry) => Object.keys(entry)),
);

/** Texts with a space in them, without what is computed. */
const messages = files
  .map((code) => code.replaceAll(/^\s*(?:\*|\/[*/]).*$/gm, ""))
  .flatMap((code) => [...code.matchAll(/"(?:[^"\\\n]|\\.)*"|`[^`]*`/g)].map(([text]) => text))
  .map((text) => text.replaceAll(/\$\{[^}]*\}/g, ""))
  .filter((text) => text.includes(" "));

test("no message tells to call a function that cannot be imported", () => {
  expect(messages.length).toBeGreaterThan(200);
  const internal = functions.filter((name) => !callable.has(name));
  expect(internal.length).toBeGreaterThan(100);
  const isNamed = (name: string): boolean => messages.some((text) => new RegExp(`\\b${name}\\b`).test(text));
  expect(internal.filter(isNamed)).toEqual([]);
});

test("the limit of a value's size is told with the option that raises it, which does", () => {
  const keyring = core.createKeyring({ key: key("one") });
  const claims = { kind: "custom" } as const;
  const value = "x".repeat(5000);
  const small = core.createSealer({ keyring, maxPlaintextBytes: 100 });
  const large = core.createSealer({ keyring, maxPlaintextBytes: 10_000, compress: true });
  const tight = core.createSealer({ keyring, maxInflatedBytes: 1000 });
  for (const [code, option, call] of [
    ["TOO_LARGE", "maxPlaintextBytes", () => small.seal(value, claims)],
    [
      "TOO_LARGE",
      "maxPlaintextBytes",
      () => small.open(core.createSealer({ keyring }).seal(value, claims), claims),
    ],
    ["INFLATE_LIMIT", "maxInflatedBytes", () => tight.open(large.seal(value, claims), claims)],
  ] as const) {
    expect(codeOf(call)).toBe(code);
    expect(call).toThrow(new RegExp(`createSealer.*${option}|${option}.*createSealer`));
  }
  expect(large.open(large.seal(value, claims), claims)).toBe(value);
});

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as transport from "../../src/transport/index.ts";

const source = (path: string): URL => new URL(`../../src/${path}`, import.meta.url);

/** The packages that a file loads, itself or through others, without those it loads later. */
function packagesOf(file: URL, seen = new Set<string>()): Set<string> {
  if (seen.has(file.href)) return new Set();
  seen.add(file.href);
  const found = new Set<string>();
  const code = readFileSync(fileURLToPath(file), "utf8");
  for (const [, name = ""] of code.matchAll(/^(?:import|export|\})(?! type)[^;]*? from "([^"]+)";$/gm)) {
    if (name.startsWith(".")) for (const one of packagesOf(new URL(name, file), seen)) found.add(one);
    else found.add(name);
  }
  return found;
}

test("jose is loaded by the first QStash request, and by nothing else", () => {
  expect([...packagesOf(source("transport/qstash.ts"))].join()).toContain("jose/");
  expect(packagesOf(source("transport/index.ts"))).toContain("canonicalize");
  for (const entry of ["transport/index.ts", "adapters/inngest/index.ts", "testing/index.ts", "index.ts"]) {
    expect([...packagesOf(source(entry))].join()).not.toContain("jose");
  }
});

test("the Inngest scheme loads @noble/hashes alone, and the gate needs nothing else of this layer", () => {
  expect(
    [...packagesOf(source("transport/inngest.ts"))].every((name) => name.startsWith("@noble/hashes/")),
  ).toBe(true);
  expect([...packagesOf(source("adapters/inngest/index.ts"))]).not.toContain("canonicalize");
});

test("the exports are these", () => {
  expect(Object.keys(transport).sort()).toEqual([
    "SignatureError",
    "createSigner",
    "createVerifier",
    "expressHandler",
    "memoryReplayStore",
    "nodeHandler",
    "resolveMode",
    "secureEndpoint",
    "signedFetch",
  ]);
});

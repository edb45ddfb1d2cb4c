import { expect, test } from "vitest";
import * as transport from "../../src/transport/index.ts";
import { importsOf, source } from "../imports.ts";

const packagesOf = (path: string): readonly string[] => importsOf(source(path)).packages;

test("jose is loaded by the first QStash request, and by nothing else", () => {
  expect(packagesOf("transport/qstash.ts").join()).toContain("jose/");
  expect(packagesOf("transport/index.ts")).toContain("canonicalize");
  for (const entry of ["transport/index.ts", "adapters/inngest/index.ts", "testing/index.ts", "index.ts"]) {
    expect(packagesOf(entry).join()).not.toContain("jose");
  }
});

test("the Inngest scheme loads @noble/hashes alone, and the gate needs nothing else of this layer", () => {
  expect(packagesOf("transport/inngest.ts").every((name) => name.startsWith("@noble/hashes/"))).toBe(true);
  expect(packagesOf("adapters/inngest/index.ts")).not.toContain("canonicalize");
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

import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as sdk from "inngest";
import * as edge from "inngest/edge";
import * as core from "stepseal";
import * as adapter from "stepseal/inngest";
import * as testing from "stepseal/testing";
import * as transport from "stepseal/transport";
import * as upstash from "stepseal/upstash";
import { describe, expect, it, vi } from "vitest";
import * as cipher from "../../src/cipher.ts";
import * as codec from "../../src/codec.ts";
import { kernelEngine } from "../../src/engines/kernel.ts";
import { nativeEngine } from "../../src/engines/native.ts";
import { portableEngine } from "../../src/engines/portable.ts";
import * as envelope from "../../src/envelope.ts";
import * as keyring from "../../src/keyring/keyring.ts";
import type { Check } from "./check.ts";
import { conformance } from "./conformance.ts";
import { crossingChecks, sealForOthers } from "./crossing.ts";
import { engineChecks } from "./engines.ts";
import { inngestChecks } from "./inngest.ts";
import { upstashChecks } from "./upstash.ts";

/** The suite asked of the sources, here. `npm run test:runtimes` asks it of the package, on every runtime. */
const check: Check = (name, run) => {
  // Where zlib and a server are to be had, nothing may be lacking.
  it(name, async () => expect(await run()).toBeUndefined());
};

const engines = { kernelEngine, nativeEngine, portableEngine };

describe("stepseal and stepseal/transport", () => conformance({ core, transport }, check));
describe("engines", () => engineChecks({ core, cipher, engines, codec, envelope, keyring }, check));
describe("envelopes between runtimes", () => crossingChecks(core, "this one", sealForOthers(core), check));
describe("stepseal/inngest", () => inngestChecks({ core, adapter, sdk, edge, testing }, check));
describe("stepseal/upstash", () => upstashChecks({ adapter: upstash, testing, transport }, check));

it("draws no random bytes while it is loaded, which Workers forbid", async () => {
  vi.resetModules();
  const drawn = [
    vi.spyOn(crypto, "getRandomValues"),
    vi.spyOn(crypto, "randomUUID"),
    vi.spyOn(Math, "random"),
  ];
  await import("../../src/index.ts");
  await import("../../src/transport/index.ts");
  expect(drawn.map((spy) => spy.mock.calls.length)).toEqual([0, 0, 0]);
  const fresh = await import("../../src/index.ts");
  fresh.generateKey();
  expect(drawn[0]).toHaveBeenCalled();
  vi.restoreAllMocks();
});

it("imports nothing but itself and its data", async () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const entryPoints = ["conformance", "crossing", "engines", "inngest", "upstash"].map(
    (name) => `${root}test/conformance/${name}.ts`,
  );
  const { metafile } = await build({
    ...{ entryPoints, absWorkingDir: root, bundle: true, format: "esm", platform: "neutral" },
    ...{ write: false, metafile: true, outdir: "out", logLevel: "silent", packages: "external" },
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  expect(imports.filter(({ external }) => external)).toEqual([]);
  expect(imports.length).toBeGreaterThan(10);
  expect(
    Object.keys(metafile.inputs).filter((path) => !/^test\/(conformance|vectors|fixtures)\//.test(path)),
  ).toEqual([]);
});

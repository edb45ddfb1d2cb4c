import * as core from "stepseal";
import * as cipher from "../../../src/cipher.ts";
import * as codec from "../../../src/codec.ts";
import { kernelEngine } from "../../../src/engines/kernel.ts";
import { nativeEngine } from "../../../src/engines/native.ts";
import { portableEngine } from "../../../src/engines/portable.ts";
import * as envelope from "../../../src/envelope.ts";
import * as keyring from "../../../src/keyring/keyring.ts";
import { engineChecks, engineNames } from "../../conformance/engines.ts";
import { type Report, resultsOf } from "../report.ts";

const engines = { kernelEngine, nativeEngine, portableEngine };

export async function run(): Promise<Report> {
  const internals = { core, cipher, engines, codec, envelope, keyring };
  return {
    results: await resultsOf((check) => engineChecks(internals, check)),
    engines: engineNames(internals),
  };
}

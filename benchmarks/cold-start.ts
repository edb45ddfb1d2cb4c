import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { quantile } from "./paired.ts";

const PROCESSES = 15;

/** Import, first seal and first open in a process that is fresh, in milliseconds. */
export interface ColdStartResult {
  /** From a bundle of one file, as serverless platforms are deployed to. */
  readonly stepsealBundled: number;
  readonly officialBundled: number;
  /** From node_modules, a file for each module. */
  readonly stepseal: number;
  readonly official: number;
}

const stepseal = `
const start = performance.now();
const { createKeyring, createSealer } = await import(process.argv[1]);
const sealer = createSealer({ keyring: createKeyring({ key: process.argv[2] }) });
const claims = { kind: "custom" };
const value = sealer.open(sealer.seal({ a: 1 }, claims), claims);
console.log(performance.now() - start, value.a);`;

const official = `
const start = performance.now();
const { createRequire } = await import("node:module");
const { LibSodiumEncryptionService } = createRequire(process.argv[1])(process.argv[1]);
const service = new LibSodiumEncryptionService(process.argv[2]);
const value = await service.decrypt(await service.encrypt({ a: 1 }));
console.log(performance.now() - start, value.a);`;

/** All in turn, each time in a process of its own. */
export async function measureColdStart(key: string): Promise<ColdStartResult> {
  const folder = mkdtempSync(join(tmpdir(), "stepseal-bench-"));
  try {
    const dist = fileURLToPath(new URL("../dist/index.js", import.meta.url));
    const theirs = createRequire(new URL("./thirdparty/package.json", import.meta.url)).resolve(
      "@inngest/middleware-encryption/strategies/libSodium",
    );
    const scripts = {
      stepsealBundled: [stepseal, await bundle(dist, join(folder, "stepseal.mjs"), "esm")],
      officialBundled: [official, await bundle(theirs, join(folder, "official.cjs"), "cjs")],
      stepseal: [stepseal, dist],
      official: [official, theirs],
    } as const;
    const names = Object.keys(scripts) as (keyof ColdStartResult)[];
    const times = Object.fromEntries(names.map((name) => [name, [] as number[]]));
    for (let i = 0; i < PROCESSES; i++) {
      for (const name of names) {
        const [script, path] = scripts[name];
        times[name]?.push(millisecondsOf(script, path, key));
      }
    }
    return Object.fromEntries(
      names.map((name) => [name, quantile(times[name] ?? [], 0.5)]),
    ) as unknown as ColdStartResult;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bundle(entry: string, outfile: string, format: "esm" | "cjs"): Promise<string> {
  await build({
    entryPoints: [entry],
    outfile,
    format,
    bundle: true,
    minify: true,
    platform: "node",
    logLevel: "error",
  });
  return outfile;
}

function millisecondsOf(script: string, ...args: string[]): number {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--input-type=module", "-e", script, ...args],
    { encoding: "utf8" },
  );
  const [time, value] = stdout.split(" ");
  if (status !== 0 || Number(value) !== 1) throw new Error(`a process that is measured failed: ${stderr}`);
  return Number(time);
}

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { quantile } from "./paired.ts";

const PROCESSES = 15;

/** Import, first seal and first open in a process that is fresh, in milliseconds. */
export interface ColdStartResult {
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
const { LibSodiumEncryptionService } = createRequire(process.argv[1])("@inngest/middleware-encryption/strategies/libSodium");
const service = new LibSodiumEncryptionService(process.argv[2]);
const value = await service.decrypt(await service.encrypt({ a: 1 }));
console.log(performance.now() - start, value.a);`;

/** Both in turn, each time in a process of its own. */
export function measureColdStart(key: string): ColdStartResult {
  const times = { stepseal: [] as number[], official: [] as number[] };
  const dist = new URL("../dist/index.js", import.meta.url).href;
  const thirdparty = fileURLToPath(new URL("./thirdparty/package.json", import.meta.url));
  for (let i = 0; i < PROCESSES; i++) {
    times.stepseal.push(millisecondsOf(stepseal, dist, key));
    times.official.push(millisecondsOf(official, thirdparty, key));
  }
  return { stepseal: quantile(times.stepseal, 0.5), official: quantile(times.official, 0.5) };
}

function millisecondsOf(script: string, ...args: string[]): number {
  const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script, ...args], {
    encoding: "utf8",
  });
  const [time, value] = stdout.split(" ");
  if (status !== 0 || Number(value) !== 1) throw new Error("a process that is measured failed");
  return Number(time);
}

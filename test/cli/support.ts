import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsup";
import { afterAll, beforeAll } from "vitest";
import type { Kind } from "../../src/claims.ts";
import { createKeyring } from "../../src/keyring/keyring.ts";
import { createSealer } from "../../src/sealer.ts";
import { key } from "../keyring/roots.ts";
import { outputs } from "../secrets/outputs.ts";

/** Beside the packages that the command imports. */
const built = fileURLToPath(
  new URL(`../../node_modules/.cache/stepseal-cli-${process.pid}`, import.meta.url),
);

/** The command as one file, for this file of tests. */
export const cli: string = join(built, "main.js");

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
}

/** A folder for the files of a test, and the command, built once. */
export function useCli(): { folder: () => string; file: (name: string, content: string | Buffer) => string } {
  let folder = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "stepseal-cli-"));
    const entry = { main: fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url)) };
    await build({ entry, outDir: built, format: "esm", target: "node20", config: false, silent: true });
  }, 60_000);
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    rmSync(built, { recursive: true, force: true });
  });
  return {
    folder: () => folder,
    file: (name, content) => {
      const path = join(folder, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    },
  };
}

/** Runs the command with an environment that has nothing but what a test gives it. */
export function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return spawned(process.execPath, [cli, ...args], options);
}

/** Runs a line of a shell, in which `stepseal` is the command. */
export function runInShell(line: string, { env, input }: RunOptions = {}): Promise<Ran> {
  const script = `stepseal() { "$NODE" "$CLI" "$@"; }\n${line}`;
  const all = { NODE: process.execPath, CLI: cli, ...env };
  return spawned("sh", ["-c", script], { env: all, ...(input === undefined ? {} : { input }) });
}

function spawned(command: string, args: string[], { env = {}, input = "" }: RunOptions): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env } });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    // A command that does not read its input closes it.
    child.stdin.on("error", () => {});
    child.on("error", reject);
    child.on("close", (code) => {
      const ran = { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
      noteOutput(args, ran);
      resolve(ran);
    });
    child.stdin.end(input);
  });
}

/** Commands whose standard output is a new ring or the opened values: that is what they are for. */
const TELL_ALL: readonly string[] = ["keygen", "decrypt", "rotate", "retire"];

/** For `npm run test:secrets`. */
function noteOutput(args: readonly string[], { stdout, stderr }: Ran): void {
  outputs.add("command", stderr);
  if (!TELL_ALL.some((command) => args.some((arg) => arg.includes(command)))) outputs.add("command", stdout);
}

/** The environment of an app with one key. */
export function envOf(name: string): Record<string, string> {
  return { STEPSEAL_KEY: key(name) };
}

/** A value sealed under a key of a test. */
export function sealed(value: unknown, name = "old", claims: { kind?: Kind; run?: string } = {}): object {
  const sealer = createSealer({ keyring: createKeyring({ key: key(name) }) });
  return sealer.seal(value, { kind: "custom", ...claims });
}

/** The text of an envelope, `ss1.…`. */
export function sealedText(value: unknown, name = "old"): string {
  return (sealed(value, name) as { data: string }).data;
}

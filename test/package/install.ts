import { execFile } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CONSUMER = fileURLToPath(new URL("consumer", import.meta.url));

/** How a process ended, and what it printed. */
export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** The packed package: where it lies, and the files that are in it. */
export interface Packed {
  readonly tarball: string;
  readonly files: readonly string[];
}

/** Runs a program in a folder, as a shell of no test would. */
export function run(folder: string, command: string, ...args: readonly string[]): Promise<Ended> {
  const { NODE_ENV: _, NODE_OPTIONS: __, VITEST: ___, ...env } = process.env;
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd: folder, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== "number") reject(error);
      else resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}

/** As {@link run}, for a program that has to succeed. Returns what it printed. */
export async function succeed(folder: string, command: string, ...args: readonly string[]): Promise<string> {
  const { code, output } = await run(folder, command, ...args);
  if (code !== 0) throw new Error(`${[command, ...args].join(" ")} ended with ${code}:\n${output}`);
  return output;
}

/** Packs what was built last. */
export async function pack(into: string): Promise<Packed> {
  const printed = await succeed(ROOT, "npm", "pack", "--json", `--pack-destination=${into}`);
  const [packed] = JSON.parse(printed) as { filename: string; files: { path: string }[] }[];
  if (packed === undefined) throw new Error("npm pack made nothing");
  return { tarball: join(into, packed.filename), files: packed.files.map(({ path }) => path) };
}

/** An app that has installed the package and nothing else. */
export async function installAlone(folder: string, { tarball }: Packed): Promise<void> {
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await succeed(folder, "npm", "install", "--ignore-scripts", tarball);
}

/** The app in `consumer`, with the SDKs, and the package beside v3 of one of them in its folder `v3`. */
export async function installConsumer(folder: string, { tarball }: Packed): Promise<void> {
  cpSync(CONSUMER, folder, { recursive: true });
  await succeed(folder, "npm", "ci");
  await succeed(folder, "npm", "install", "--no-save", tarball);
  const modules = join(folder, "node_modules");
  cpSync(join(modules, "inngest-v3"), join(folder, "v3/node_modules/inngest"), { recursive: true });
  cpSync(join(modules, "stepseal"), join(folder, "v3/node_modules/stepseal"), { recursive: true });
}

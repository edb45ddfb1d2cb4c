import { execFile } from "node:child_process";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Form } from "./bundle.ts";
import type { Report } from "./report.ts";

/** A runtime as it is installed beside this file. */
export interface Runtime {
  readonly name: string;
  readonly version: string;
  readonly form: Form;
  /** Why it cannot be asked on this machine, where it cannot. */
  readonly absent?: string;
  /** Runs a bundle in it. Rejects where the bundle does not load, with what the runtime says. */
  run(file: string): Promise<Report>;
}

/** For what hangs: a slow machine is no failure. */
const TIMEOUT = 300_000;
/** Of the Workers. A later one may change what a Worker finds. */
const COMPATIBILITY_DATE = "2026-04-01";

const folder = (name: string): string => fileURLToPath(new URL(`node_modules/${name}/`, import.meta.url));

function versionOf(name: string): string | undefined {
  const file = `${folder(name)}package.json`;
  if (!existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** A package that is installed here and not with the project; its types are not there when the project is checked. */
async function installed(name: string): Promise<unknown> {
  return import(name);
}

function runtime(
  name: string,
  from: string,
  form: Form,
  run: (file: string, folder: string) => Promise<Report>,
): Runtime {
  const version = versionOf(from);
  return {
    ...{ name, version: version ?? "", form, run: (file) => run(file, folder(from)) },
    ...(version === undefined
      ? {
          absent: `${from} is not installed. Of the binaries, only those for Linux on x64 with glibc are tested; this is ${process.platform} on ${process.arch}`,
        }
      : {}),
  };
}

/** A program that imports files. */
function program(name: string, from: string, path: string, ...args: string[]): Runtime {
  return runtime(name, from, "files", async (file, folder) => {
    // npm gives this right only to what a package names as its commands.
    chmodSync(folder + path, 0o755);
    // Nothing of the caller's environment: it may hold keys, and options of Node.
    const env = { PATH: "/usr/bin:/bin", NO_COLOR: "1" };
    const options = { env, cwd: fileURLToPath(new URL("build/", import.meta.url)), timeout: TIMEOUT };
    const { stdout } = await promisify(execFile)(folder + path, [...args, file], {
      ...options,
      maxBuffer: 2 ** 28,
    });
    return JSON.parse(stdout) as Report;
  });
}

/** What is used of miniflare and of the Edge runtime. */
interface Miniflare {
  readonly ready: Promise<unknown>;
  dispatchFetch(url: string): Promise<Response>;
  dispose(): Promise<void>;
}
interface EdgeVM {
  evaluate(code: string): unknown;
}

function worker(name: string, ...compatibilityFlags: string[]): Runtime {
  const form = compatibilityFlags.length === 0 ? "worker" : "worker with Node";
  return runtime(name, "workerd", form, async (file) => {
    const { Log, LogLevel, Miniflare } = (await installed("miniflare")) as {
      Miniflare: new (options: object) => Miniflare;
      Log: new (level: number) => object;
      LogLevel: { NONE: number };
    };
    let said = "";
    const miniflare = new Miniflare({
      modules: [{ type: "ESModule", path: "worker.js", contents: readFileSync(file, "utf8") }],
      ...{ compatibilityDate: COMPATIBILITY_DATE, compatibilityFlags },
      log: new Log(LogLevel.NONE),
      handleRuntimeStdio(_: unknown, stderr: NodeJS.ReadableStream) {
        stderr.on("data", (chunk) => {
          said += String(chunk);
        });
      },
    });
    try {
      await miniflare.ready;
      const response = await miniflare.dispatchFetch("http://127.0.0.1/");
      if (response.status !== 200) throw new Error(`${await response.text()}\n${said}`);
      return (await response.json()) as Report;
    } catch (error) {
      throw new Error(said.trim() || (error as Error).message);
    } finally {
      // What did not start rejects here once more.
      await miniflare.dispose().catch(() => undefined);
    }
  });
}

async function inEdgeVm(file: string): Promise<Report> {
  const { EdgeVM } = (await installed("@edge-runtime/vm")) as { EdgeVM: new () => EdgeVM };
  const vm = new EdgeVM();
  vm.evaluate(readFileSync(file, "utf8"));
  return JSON.parse((await vm.evaluate("report()")) as string) as Report;
}

/** Every runtime that is asked, in the order of the table. */
export function allRuntimes(): Runtime[] {
  return [
    ...["20", "22", "24", "26"].map((major) => program(`Node ${major}`, `node${major}`, "bin/node")),
    program("Bun", "@oven/bun-linux-x64", "bin/bun"),
    // Variables for the SDKs, and a port of this machine for the platform of the tests.
    program(
      ...(["Deno", "@deno/linux-x64-glibc", "deno", "run", "--no-prompt", "--cached-only"] as const),
      ...["--allow-env", "--allow-net=127.0.0.1"],
    ),
    worker("workerd"),
    worker("workerd, nodejs_compat", "nodejs_compat"),
    runtime("Edge Runtime", "@edge-runtime/vm", "script", inEdgeVm),
  ];
}

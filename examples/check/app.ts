import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A running example. */
export interface App {
  readonly url: URL;
  stop(): Promise<void>;
}

/** What starts an example: with its environment, and with stepseal or without. */
export type Start = (env: Readonly<Record<string, string>>, sealed: boolean) => Promise<App>;

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The `paths` of what stepseal is: the sources of this repository, or what does nothing in their place. */
export const tsconfig = (sealed: boolean): string =>
  `${ROOT}${sealed ? "tsconfig.json" : "examples/without-stepseal/tsconfig.json"}`;

/** Starts an example that is a program for Node, as a user would. */
export function nodeApp(file: string): Start {
  return (env, sealed) =>
    started(process.execPath, ["--import", "tsx", `examples/${file}`], ROOT, {
      ...env,
      TSX_TSCONFIG_PATH: tsconfig(sealed),
    });
}

/** Starts a program that prints where it listens. */
export async function started(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<App> {
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env.PATH, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = once(child, "exit");
  try {
    const url = await Promise.race([addressOf(child), gone.then(() => undefined)]);
    if (url === undefined) throw new Error(`${args.at(-1)} ended before it listened`);
    return {
      url,
      stop: async () => {
        child.kill();
        await gone;
      },
    };
  } catch (error) {
    child.kill();
    throw error;
  }
}

function addressOf(child: ChildProcess): Promise<URL> {
  return new Promise((resolve) => {
    let printed = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      const [address] = /http:\/\/127\.0\.0\.1:\d+(?=\s)/.exec(printed) ?? [];
      if (address !== undefined) resolve(new URL(address));
    });
    // What an app logs may hold data; without a reader it would come to wait.
    child.stderr?.resume();
  });
}

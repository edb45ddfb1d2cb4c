import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { ReadStream } from "node:tty";
import { Option } from "commander";
import { read } from "read";
import { createKeyring, type Keyring } from "../keyring/keyring.ts";
import { splitList } from "../keyring/load.ts";
import { Failure, systemReason } from "./exit.ts";
import { STDIN } from "./inputs.ts";
import { permissionProblem, type RingText, readRing } from "./ring-text.ts";
import { warn } from "./terminal.ts";

/** Where a command takes its keys from; none of these holds a key itself. */
export interface KeyOptions {
  readonly keyring?: string;
  readonly runKeyFile?: string;
  readonly runKeyStdin?: boolean;
  readonly runKey?: boolean;
}

export function keyringOption(): Option {
  return new Option(
    "-k, --keyring <file>",
    "take the keys from a JSON keyring file, not from the environment",
  );
}

export function runKeyOptions(): Option[] {
  const all = ["keyring", "runKeyFile", "runKeyStdin", "runKey"];
  const others = (name: string): string[] => all.filter((other) => other !== name);
  return [
    new Option("--run-key", "ask for a run key on the terminal").conflicts(others("runKey")),
    new Option("--run-key-file <file>", "take run keys from a file").conflicts(others("runKeyFile")),
    new Option("--run-key-stdin", "take run keys from standard input").conflicts(others("runKeyStdin")),
  ];
}

/**
 * The ring that a command opens with.
 *
 * @throws {Failure} when run keys cannot be read
 * @throws {StepsealError} CONFIG
 */
export async function ringFor(options: KeyOptions, inputs: readonly string[]): Promise<Keyring> {
  if (options.runKeyStdin === true) {
    if (inputs.length === 0 || inputs.includes(STDIN)) {
      throw new Failure(
        "--run-key-stdin: standard input cannot give both the key and the data. Name a file.",
      );
    }
    return ringOfRuns(readRunKeys(0, "standard input"));
  }
  if (options.runKeyFile !== undefined) {
    warnOfPermissions(options.runKeyFile);
    return ringOfRuns(readRunKeys(options.runKeyFile, options.runKeyFile));
  }
  if (options.runKey === true) return ringOfRuns(await askForRunKey());
  return readRingWarning(options.keyring).ring;
}

/** Reads a ring, with a warning where its file is not private. */
export function readRingWarning(file: string | undefined): RingText {
  const ring = readRing(file);
  if (ring.file !== undefined) warnOfPermissions(ring.file);
  return ring;
}

function warnOfPermissions(path: string): void {
  const problem = permissionProblem(path);
  if (problem !== undefined) warn(problem);
}

function ringOfRuns(text: string): Keyring {
  return createKeyring({ runKeys: splitList(text) });
}

function readRunKeys(file: string | number, name: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure(`${name}: ${systemReason(error)}`);
  }
}

/** Asks on the terminal itself, since standard input may be the data, and shows nothing of what is typed. */
async function askForRunKey(): Promise<string> {
  const terminal = await open("/dev/tty").catch(() => undefined);
  if (terminal === undefined) {
    throw new Failure("--run-key: there is no terminal to ask on. Use --run-key-file or --run-key-stdin.");
  }
  const input = new ReadStream(terminal.fd);
  try {
    return await read({ prompt: "Run key: ", silent: true, input, output: process.stderr });
  } catch {
    throw new Failure("--run-key: no key was given.");
  } finally {
    input.destroy();
    process.stderr.write("\n");
  }
}

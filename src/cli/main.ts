#!/usr/bin/env node
import { CommanderError } from "commander";
import { StepsealError } from "../errors.ts";
import { EXIT, Failure } from "./exit.ts";
import { program } from "./program.ts";
import { problem } from "./terminal.ts";

// Whoever reads the output may stop: head does.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) =>
    process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed),
  );
}
// A signal ends a process without its exit listeners, which remove unfinished files.
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
] as const) {
  process.once(signal, () => process.exit(128 + number));
}

try {
  const args = process.argv.slice(2);
  refuseKeys(args);
  await program().parseAsync(args, { from: "user" });
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  // Commander has said what is wrong, or shown its help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.failed;
  if (error instanceof Failure) {
    problem(error.message);
    return error.exitCode;
  }
  if (error instanceof StepsealError) problem(error.message);
  // The message of any other error may quote what was read.
  else problem(`unexpected error (${error instanceof Error ? error.name : typeof error}). Please report it.`);
  return EXIT.failed;
}

/** Arguments stand in the list of processes and in the shell's history. */
function refuseKeys(args: readonly string[]): void {
  if (!args.some((arg) => arg.includes("ssk1_") || arg.includes("ssrk1_"))) return;
  throw new Failure(
    "A key is among the arguments, where others can see it. Put it into STEPSEAL_KEY or a file, and replace it if this machine has other users.",
  );
}

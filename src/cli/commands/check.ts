import { Command } from "commander";
import { StepsealError } from "../../errors.ts";
import type { KeyInfo } from "../../keyring/keyring.ts";
import { OVERRIDE } from "../../keyring/options.ts";
import { createSealer } from "../../sealer.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { type KeyOptions, keyringOption } from "../keys.ts";
import { permissionProblem, type RingText, readRing, ringFile } from "../ring-text.ts";
import { count, out, print, problem } from "../terminal.ts";

interface Checked {
  readonly ok: boolean;
  /** Where the keys are from. */
  readonly source: string;
  readonly keys: readonly KeyInfo[];
  /** A sentence each. */
  readonly problems: readonly string[];
}

/** `check`: whether the app would start with the keys it is given, and with which. */
export function check(): Command {
  return new Command("check")
    .summary("check the keys that the app would have")
    .description(
      "Reads the keys as the app would (STEPSEAL_KEY and STEPSEAL_KEY_FALLBACK, or STEPSEAL_KEYRING_FILE), seals and " +
        "opens a value, and prints kids and states. Shows no key.",
    )
    .addOption(keyringOption())
    .option("--json", 'print {"ok","source","keys":[{"kid","state"}],"problems"}')
    .addHelpText(
      "after",
      "\nExit codes: 0 the keys are good, 1 they work and something is wrong, 2 the app would not start.\n",
    )
    .action((options: KeyOptions & { json?: boolean }) => {
      const { checked, exitCode } = checkKeys(options.keyring);
      if (options.json === true) print(JSON.stringify(checked));
      else show(checked);
      process.exitCode = exitCode;
    });
}

function checkKeys(file: string | undefined): { checked: Checked; exitCode: ExitCode } {
  let source = "STEPSEAL_KEY";
  try {
    source = ringFile(file) ?? source;
    const text = readRing(file);
    const problems = problemsOf(text);
    const ok = problems.length === 0;
    return {
      checked: { ok, source, keys: text.ring.keys, problems },
      exitCode: ok ? EXIT.ok : EXIT.found,
    };
  } catch (error) {
    if (!(error instanceof StepsealError)) throw error;
    return { checked: { ok: false, source, keys: [], problems: [error.message] }, exitCode: EXIT.failed };
  }
}

function problemsOf({ ring, file, others }: RingText): string[] {
  const sealer = createSealer({ keyring: ring });
  sealer.open(sealer.seal(null, { kind: "custom" }), { kind: "custom" });
  const permissions = file === undefined ? undefined : permissionProblem(file);
  const overrides = Array.isArray(others[OVERRIDE]) ? others[OVERRIDE] : [];
  return [
    ...(permissions === undefined ? [] : [permissions]),
    ...overrides.map(
      (kid) =>
        `Key ${kid} is compromised and opens all the same: ${OVERRIDE} names it. Take it out when done.`,
    ),
  ];
}

function show({ keys, problems, source }: Checked): void {
  for (const { kid, state } of keys) print(`${kid}  ${state === "primary" ? out.green(state) : state}`);
  for (const line of problems) problem(line);
  if (keys.length > 0) print(out.dim(`${count(keys.length, "key")} from ${source}`));
}

import { Command, InvalidArgumentError, Option } from "commander";
import { isKid } from "../../keyring/run-key.ts";
import { EXIT, Failure } from "../exit.ts";
import { type KeyOptions, keyringOption, readRingWarning } from "../keys.ts";
import { withProgress } from "../progress.ts";
import { usesIn } from "../reports.ts";
import { type KeyText, writeRing } from "../ring-text.ts";
import { scan } from "../scan.ts";
import { count, note, problem } from "../terminal.ts";
import { problemsOf } from "./scan.ts";

interface RetireOptions extends KeyOptions {
  readonly report: readonly string[];
  readonly since?: Date;
  readonly destroy?: boolean;
}

/** `retire`: the ring without a key, where nothing needs it. */
export function retire(): Command {
  return new Command("retire")
    .summary("disable or destroy a key that nothing needs")
    .description(
      "Searches the paths for envelopes of the key and reads what processes report of it. Where both say that it is " +
        "unused, the key becomes disabled, which can be taken back, or with --destroy a tombstone without material. " +
        "Prints the lines of an env file, which hold the other keys; a keyring file is replaced, whole or not at all.",
    )
    .argument("<kid>", "the key, by its 16 hex digits", readKid)
    .argument("<paths...>", "files and folders with all the data that may need the key")
    .addOption(keyringOption())
    .addOption(
      new Option(
        "-r, --report <files...>",
        "JSON of ring.report(), a file for each process",
      ).makeOptionMandatory(),
    )
    .option("--since <date>", "do not count reported uses before that day", readDate)
    .option("--destroy", "leave a tombstone: kid and date")
    .addHelpText(
      "after",
      "\nExit codes: 0 retired, 1 still in use, 2 something could not be searched, or it is no key to retire.\n" +
        "\nExample:\n  npx stepseal retire 0123456789abcdef backups/ --report web.json worker.json > next.env\n",
    )
    .action(async (kid: string, paths: string[], options: RetireOptions) => {
      const ring = readRingWarning(options.keyring);
      const keys = retired(ring.keys, kid, options.destroy === true);
      const result = await withProgress((onProgress) => scan(paths, onProgress));
      const unsure = problemsOf(result);
      const uses = await usesIn(options.report, kid, options.since);
      const found = result.kids.find((entry) => entry.kid === kid);
      if (found !== undefined) {
        uses.unshift(
          `${count(found.envelopes, "envelope")} in ${count(found.files, "file")} need the key: stepseal rewrap seals them under the primary.`,
        );
      }
      for (const line of [...unsure, ...uses]) problem(line);
      if (unsure.length + uses.length > 0) {
        note(`Key ${kid} stays as it is.`);
        process.exitCode = result.problems.length > 0 ? EXIT.failed : EXIT.found;
        return;
      }
      await writeRing(ring, keys);
      note(
        options.destroy === true
          ? `Key ${kid} is destroyed in this ring. Nothing opens what it sealed, unless a copy of the key exists.`
          : `Key ${kid} is disabled. When nothing has asked for it for a while: stepseal retire --destroy`,
      );
    });
}

function retired(keys: readonly KeyText[], kid: string, destroy: boolean): KeyText[] {
  const key = keys.find((one) => one.kid === kid);
  if (key === undefined) throw new Failure(`The ring holds no key ${kid}.`);
  if (key.state === "primary") throw new Failure(`Key ${kid} is the primary, which seals. Rotate first.`);
  if (key.state === "destroyed") throw new Failure(`Key ${kid} is destroyed already.`);
  if (key.state === "disabled" && !destroy)
    throw new Failure(`Key ${kid} is disabled already. Give --destroy.`);
  if (key.state === "compromised" && !destroy) {
    throw new Failure(`Key ${kid} is compromised, and opens nothing as it is. Give --destroy.`);
  }
  const next: KeyText = destroy
    ? { kid, state: "destroyed", destroyedAt: new Date().toISOString().slice(0, 10) }
    : { ...key, state: "disabled" };
  return keys.map((one) => (one === key ? next : one));
}

function readKid(text: string): string {
  if (isKid(text)) return text;
  throw new InvalidArgumentError("It is no kid: 16 lower-case hex digits.");
}

function readDate(text: string): Date {
  const date = new Date(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new InvalidArgumentError("It is no date like 2026-01-31.");
}

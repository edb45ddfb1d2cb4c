import { Command, InvalidArgumentError, Option } from "commander";
import { isKid } from "../../internal/kid.ts";
import { EXIT, Failure } from "../exit.ts";
import { type KeyOptions, keyringOption, readRingWarning } from "../keys.ts";
import { needsOf } from "../needs.ts";
import { type KeyText, writeRing } from "../ring-text.ts";
import { note, print, problem } from "../terminal.ts";

interface RetireOptions extends KeyOptions {
  readonly report: readonly string[];
  readonly since?: Date;
  readonly destroy?: boolean;
  readonly json?: boolean;
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
    .option("--destroy", "leave a tombstone: the kid, and in a keyring file the date")
    .option(
      "--json",
      'print {"retired","kid","needs","problems","notes"}, and where it is retired "keys", and "env" or "file"',
    )
    .addHelpText(
      "after",
      "\nExit codes: 0 retired, 1 still in use, 2 something could not be searched, or it is no key to retire.\n" +
        "\nExample:\n  npx stepseal retire 0123456789abcdef backups/ --report web.json worker.json > next.env\n",
    )
    .action(async (kid: string, paths: string[], options: RetireOptions) => {
      const ring = readRingWarning(options.keyring);
      const keys = retired(ring.keys, kid, options.destroy === true);
      const { isSearched, ...found } = await needsOf(kid, paths, options.report, options.since);
      const { needs, problems, notes } = found;
      const isRetired = needs.length + problems.length === 0;
      const json = options.json === true ? { retired: isRetired, kid, ...found } : undefined;
      if (json === undefined) {
        for (const line of notes) note(line);
        for (const line of [...problems, ...needs]) problem(line);
      }
      if (!isRetired) {
        if (json === undefined) note(`Key ${kid} stays as it is.`);
        else print(JSON.stringify(json));
        process.exitCode = isSearched ? EXIT.found : EXIT.failed;
        return;
      }
      await writeRing(ring, keys, json);
      if (json === undefined) note(options.destroy === true ? destroyedAdvice(kid) : disabledAdvice(kid));
    });
}

const destroyedAdvice = (kid: string): string =>
  `Key ${kid} is destroyed in this ring. Nothing opens what it sealed, unless a copy of the key exists.`;
const disabledAdvice = (kid: string): string =>
  `Key ${kid} is disabled. When nothing has asked for it for a while: stepseal retire --destroy`;

function retired(keys: readonly KeyText[], kid: string, destroy: boolean): KeyText[] {
  const key = keys.find((one) => one.kid === kid);
  if (key === undefined) {
    throw new Failure(
      `The ring holds no key ${kid}. Nor does a ring hold a passphrase of Inngest's own middleware: docs/migrating.md tells when that may go.`,
    );
  }
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

import { stat } from "node:fs/promises";
import { Command } from "commander";
import type { Keyring } from "../../keyring/keyring.ts";
import { Complaints } from "../complaints.ts";
import { kidCounter, otherFormatComplaints } from "../counters.ts";
import { reseal } from "../envelopes.ts";
import { EXIT, Failure, systemReason } from "../exit.ts";
import { type Input, openInputs } from "../inputs.ts";
import { type KeyOptions, keyringOption, ringFor } from "../keys.ts";
import { type Output, toStdout } from "../output.ts";
import { replaceFile } from "../replace-file.ts";
import { search } from "../search.ts";
import { count, note, warn } from "../terminal.ts";

/** `rewrap`: the same data under the primary key. */
export function rewrap(): Command {
  return new Command("rewrap")
    .summary("seal envelopes again under the primary key")
    .description(
      "Opens every envelope that another key than the primary sealed and seals the same bytes under the primary, with " +
        "the same claims; all else stays byte for byte. Each file is replaced, whole or not at all, and one that has " +
        "nothing to rewrap is not touched. Standard input is written to standard output. For data that you store " +
        "yourself: steps of a run are bound to the sealed fields of the event that started it, as they were.",
    )
    .argument("[files...]", "files; - or none: standard input")
    .addOption(keyringOption())
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 an envelope stays as it is or is of another format, 2 an input cannot be read, or no keys.\n",
    )
    .action(async (files: string[], options: KeyOptions) => {
      const inputs = await openInputs(files);
      const ring = await ringFor(options, files);
      const complaints = new Complaints();
      for (const input of inputs) {
        const { path } = input;
        if (path !== undefined && !(await hasOtherKeys(input, ring, complaints))) {
          note(`${input.name}: nothing to rewrap`);
          continue;
        }
        const changed =
          path === undefined
            ? await resealIn(input, toStdout(), ring, complaints)
            : await replaceFile(path, (output) =>
                unlessChanged(path, () => resealIn(input, output, ring, complaints)),
              );
        note(`${input.name}: ${count(changed, "envelope")} rewrapped`);
      }
      complaints.end();
      process.exitCode = complaints.count > 0 ? EXIT.found : EXIT.ok;
    });
}

/** Whether there is something to rewrap. Where there is not, this is all that is read of the input. */
async function hasOtherKeys(input: Input, ring: Keyring, complaints: Complaints): Promise<boolean> {
  let found = false;
  const kids = kidCounter((kid) => {
    found ||= kid !== ring.primary;
  });
  const others = otherFormatComplaints(input.name, complaints);
  for await (const chunk of input.chunks()) {
    kids.feed(chunk);
    if (found) return true;
    others.feed(chunk);
  }
  kids.end();
  if (!found) others.end();
  return found;
}

async function resealIn(
  input: Input,
  output: Output,
  ring: Keyring,
  complaints: Complaints,
): Promise<number> {
  let changed = 0;
  let fields = 0;
  await search(
    input,
    complaints,
    async ({ data, bytes, place }) => {
      const sealed = reseal(data, ring);
      if (sealed === undefined) return output.write(bytes);
      const textEnd = place.before + data.length;
      const parts = [bytes.subarray(0, place.before), Buffer.from(sealed.text), bytes.subarray(textEnd)];
      await output.write(Buffer.concat(parts));
      changed++;
      if (sealed.claims.kind === "event.field" || sealed.claims.kind === "invoke.field") fields++;
    },
    (bytes) => output.write(bytes),
    () => output.flush(),
  );
  await output.flush();
  if (fields > 0) {
    warn(
      `${input.name}: ${count(fields, "field")} of events among them. Steps of the runs that such an event started are ` +
        "bound to its fields as they were, and are refused beside the new ones.",
    );
  }
  return changed;
}

/** Refuses to go on with a file that was written to meanwhile: what was added would be lost. */
async function unlessChanged<Result>(path: string, run: () => Promise<Result>): Promise<Result> {
  const look = async (): Promise<string> => {
    const { size, mtimeMs, ino } = await stat(path).catch((error: unknown) => {
      throw new Failure(`${path}: ${systemReason(error)}`);
    });
    return `${size} ${mtimeMs} ${ino}`;
  };
  const before = await look();
  const result = await run();
  if ((await look()) !== before)
    throw new Failure(`${path}: it was written to meanwhile, and stays as it is now.`);
  return result;
}

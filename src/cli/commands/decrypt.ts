import { Command } from "commander";
import { StepsealError } from "../../errors.ts";
import { Complaints } from "../complaints.ts";
import { openAnywhere } from "../envelopes.ts";
import { EXIT, Failure } from "../exit.ts";
import { openInputs } from "../inputs.ts";
import { type KeyOptions, keyringOption, ringFor, runKeyOptions } from "../keys.ts";
import { type Output, toStdout } from "../output.ts";
import { replaceFile } from "../replace-file.ts";
import { search } from "../search.ts";
import type { Place } from "../spelling.ts";
import { count, note } from "../terminal.ts";

interface DecryptOptions extends KeyOptions {
  readonly output?: string;
  readonly yes?: boolean;
}

/** `decrypt`: the same text with its envelopes opened. */
export function decrypt(): Command {
  const command = new Command("decrypt")
    .summary("open envelopes in text or JSON")
    .description(
      "Writes its input with every envelope replaced by the value in it, as JSON; all else stays byte for byte. " +
        "Streams input of any size. An envelope that does not open stays as it is and is told. Claims are " +
        "authenticated, but nothing is expected of them: that a value stands where it was sealed for is not checked.",
    )
    .argument("[files...]", "files; - or none: standard input")
    .addOption(keyringOption());
  for (const option of runKeyOptions()) command.addOption(option);
  return command
    .option("-o, --output <file>", "write to a file, whole or not at all, that its owner alone can read")
    .option("-y, --yes", "write plaintext to a terminal")
    .addHelpText(
      "after",
      "\nExit codes: 0 opened all, 1 an envelope stays as it is, or there is none, 2 an input cannot be read, or no keys.\n" +
        "\nExamples:\n  npx stepseal decrypt events.jsonl | jq .data\n" +
        "  npx stepseal decrypt --run-key-file run.key -o plain.json run.json\n",
    )
    .action(async (files: string[], options: DecryptOptions) => {
      if (options.output === undefined && process.stdout.isTTY === true && options.yes !== true) {
        throw new Failure(
          "Standard output is a terminal, which would show plaintext. Use a pipe or --output, or give --yes.",
        );
      }
      const inputs = await openInputs(files);
      const complaints = new Complaints();
      const ring = await ringFor(options, files);
      const openAll = async (output: Output): Promise<{ envelopes: number; opened: number }> => {
        const all = { envelopes: 0, opened: 0 };
        for (const input of inputs) {
          all.envelopes += await search(
            input,
            complaints,
            async ({ data, place }) => {
              await output.write(written(openAnywhere(data, ring).json, place));
              all.opened++;
            },
            (bytes) => output.write(bytes),
            () => output.flush(),
          );
        }
        await output.flush();
        return all;
      };
      const { output } = options;
      const { envelopes, opened } = await (output === undefined
        ? openAll(toStdout())
        : replaceFile(output, openAll));
      complaints.end();
      if (opened < envelopes) note(`${envelopes - opened} of ${count(envelopes, "envelope")} not opened.`);
      if (envelopes === 0) note("There are no envelopes of stepseal/v1.");
      process.exitCode = envelopes === 0 || complaints.count > 0 ? EXIT.found : EXIT.ok;
    });
}

function written(json: string, place: Place): Buffer {
  try {
    return Buffer.from(place.write(json));
  } catch (error) {
    // Escaped, it is longer than a string can be.
    if (!(error instanceof RangeError)) throw error;
    throw new StepsealError("TOO_LARGE", "The value is too long to be written in a string within a string.");
  }
}

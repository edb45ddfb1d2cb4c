import { Command } from "commander";
import { formatProblem } from "../counters.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { withProgress } from "../progress.ts";
import { type ScanResult, scan as scanPaths } from "../scan.ts";
import { count, out, print, problem, size } from "../terminal.ts";

/** `scan`: which keys the data at hand still needs. */
export function scan(): Command {
  return new Command("scan")
    .summary("count envelopes per key")
    .description(
      "Counts envelopes per kid in files, in folders with all they hold, and in standard input. Needs no key, and " +
        "reads anything that holds envelopes as text or in base64: JSON, logs, CSV, dumps of a database.",
    )
    .argument("[paths...]", "files and folders; - or none: standard input")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      "\nExit codes: 0 searched all, 1 also found envelopes of other formats, 2 something could not be searched.\n" +
        "\nExamples:\n  npx stepseal scan backups/\n  zcat dump.sql.gz | npx stepseal scan\n",
    )
    .action(async (paths: string[], { json }: { json?: boolean }) => {
      const result = await withProgress((onProgress) => scanPaths(paths, onProgress));
      if (json === true) print(JSON.stringify(result));
      else show(result);
      process.exitCode = exitCode(result);
    });
}

function show({ kids, files, bytes, envelopes, otherFormats, problems }: ScanResult): void {
  for (const kid of kids) {
    const inBase64 = kid.inBase64 === 0 ? "" : `, ${kid.inBase64} of them in base64`;
    print(`${kid.kid}  ${count(kid.envelopes, "envelope")} in ${count(kid.files, "file")}${inBase64}`);
  }
  print(out.dim(`${count(envelopes, "envelope")} in ${count(files, "file")}, ${size(bytes)}`));
  for (const [format, number] of Object.entries(otherFormats)) problem(formatProblem(format, number));
  for (const line of problems) problem(line);
}

function exitCode({ otherFormats, problems }: ScanResult): ExitCode {
  if (problems.length > 0) return EXIT.failed;
  return Object.keys(otherFormats).length > 0 ? EXIT.found : EXIT.ok;
}

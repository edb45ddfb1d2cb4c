import { formatProblem, isUnderPassphrase } from "./counters.ts";
import { withProgress } from "./progress.ts";
import { usesIn } from "./reports.ts";
import { type KidCount, scan } from "./scan.ts";
import { count } from "./terminal.ts";

/** Whether a key may go, as far as data and reports tell. Each is a sentence. */
interface Needs {
  /** What needs the key, or did when it was last told of. */
  readonly needs: readonly string[];
  /** What may need it: it could not be searched, or not be read. */
  readonly problems: readonly string[];
  /** What was met that needs other keys. */
  readonly notes: readonly string[];
  /** Whether all that was named could be searched. */
  readonly isSearched: boolean;
}

/**
 * Looks for what needs a key.
 *
 * @param paths files and folders with all the data that may
 * @param reports files of `Keyring.report()`, one of each process
 * @param since reported uses before are not counted
 * @throws {Failure} for a report that cannot be read
 */
export async function needsOf(
  kid: string,
  paths: readonly string[],
  reports: readonly string[],
  since: Date | undefined,
): Promise<Needs> {
  const uses = await usesIn(reports, kid, since);
  const result = await withProgress((onProgress) => scan(paths, onProgress));
  const found = result.kids.find((entry) => entry.kid === kid);
  const stored = found === undefined ? [] : [need(found)];
  const formats = Object.entries(result.otherFormats);
  return {
    needs: [...stored, ...uses],
    problems: [
      // A newer version may name its key in another way, or another place.
      ...formats
        .filter(([format]) => !isUnderPassphrase(format))
        .map(([format, number]) => formatProblem(format, number)),
      ...result.problems,
    ],
    notes: formats
      .filter(([format]) => isUnderPassphrase(format))
      .map(
        ([format, number]) =>
          `${count(number, "envelope")} of ${format}: sealed under a passphrase, and under no key of a ring.`,
      ),
    isSearched: result.problems.length === 0,
  };
}

function need({ envelopes, inBase64, files }: KidCount): string {
  const what = `${count(envelopes, "envelope")} in ${count(files, "file")} need the key: stepseal rewrap seals them under the primary`;
  if (inBase64 === 0) return `${what}.`;
  return `${what}, but for ${inBase64} in base64: end what they belong to, as runs in a dead-letter queue, or decode them first.`;
}

import { readFile } from "node:fs/promises";
import type { KeyReport } from "../keyring/keyring.ts";
import { Failure, systemReason } from "./exit.ts";
import { count } from "./terminal.ts";

/**
 * Why reports of `Keyring.report()` do not let a key go, a sentence each; none where they do.
 *
 * @param files each the JSON of one report
 * @param since uses before are not counted
 * @throws {Failure} for a file that is no report
 */
export async function usesIn(
  files: readonly string[],
  kid: string,
  since: Date | undefined,
): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) {
    const entry = (await readReport(file)).find((key) => key.kid === kid);
    if (entry === undefined) found.push(`${file}: says nothing of the key. Its process does not hold it.`);
    else if (isUsed(entry, since)) {
      const uses = `${count(entry.seals, "seal")}, ${count(entry.opens, "open")}`;
      found.push(
        `${file}: the key was used (${uses}), last on ${lastUse(entry)}. With --since DATE, uses before that day do not count.`,
      );
    }
  }
  return found;
}

function isUsed(entry: KeyReport, since: Date | undefined): boolean {
  if (entry.seals + entry.opens === 0) return false;
  const last = lastUse(entry);
  return since === undefined || last === "an unknown day" || new Date(last) >= since;
}

function lastUse({ lastSealedAt = "", lastOpenedAt = "" }: KeyReport): string {
  return (lastSealedAt > lastOpenedAt ? lastSealedAt : lastOpenedAt) || "an unknown day";
}

async function readReport(file: string): Promise<KeyReport[]> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new Failure(`${file}: ${systemReason(error)}`);
  });
  try {
    const report: unknown = JSON.parse(text);
    if (Array.isArray(report) && report.length > 0 && report.every(isEntry)) return report;
  } catch {
    // The parser's own message quotes the file.
  }
  throw new Failure(`${file}: it is no report. Save JSON.stringify(ring.report()) of each process.`);
}

function isEntry(value: unknown): value is KeyReport {
  if (typeof value !== "object" || value === null) return false;
  const {
    kid,
    seals,
    opens,
    lastSealedAt = "",
    lastOpenedAt = "",
  } = value as Partial<Record<keyof KeyReport, unknown>>;
  const isDate = (text: unknown): boolean =>
    text === "" || (typeof text === "string" && !Number.isNaN(Date.parse(text)));
  return (
    typeof kid === "string" &&
    Number.isSafeInteger(seals) &&
    Number.isSafeInteger(opens) &&
    isDate(lastSealedAt) &&
    isDate(lastOpenedAt)
  );
}

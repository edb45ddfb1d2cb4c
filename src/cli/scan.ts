import type { Dirent, Stats } from "node:fs";
import { type FileHandle, lstat, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { base64KidCounter, kidCounter, otherFormatCounter } from "./counters.ts";
import { Failure, systemReason } from "./exit.ts";
import { openInputs, STDIN, unsearchable } from "./inputs.ts";

/** What a scan found. */
export interface ScanResult {
  readonly files: number;
  readonly bytes: number;
  readonly envelopes: number;
  /** Most envelopes first. */
  readonly kids: readonly KidCount[];
  /** Envelopes of other formats, by name. */
  readonly otherFormats: Readonly<Record<string, number>>;
  /** What could not be searched, a sentence each. */
  readonly problems: readonly string[];
}

/** Where a key is needed. */
export interface KidCount {
  readonly kid: string;
  readonly envelopes: number;
  /** How many of them stand in base64, where no other command looks. */
  readonly inBase64: number;
  readonly files: number;
}

/** Told how much has been searched, in bytes, of how much there is. */
export type OnProgress = (done: number, total: number) => void;

interface ListedFile {
  readonly path: string;
  readonly bytes: number;
}

const READ_BYTES = 2 ** 22;

/**
 * Counts envelopes per kid in files, in folders with all they hold, and in standard input (`-`, or no path at all).
 * Symbolic links are followed where they are named, and told as a problem where they stand in a folder: what is not
 * searched must not pass for searched.
 *
 * @throws {Failure} for standard input that is a terminal
 */
export async function scan(paths: readonly string[], onProgress: OnProgress = () => {}): Promise<ScanResult> {
  const problems: string[] = [];
  const counts = new Map<string, { envelopes: number; inBase64: number; files: number }>();
  const otherFormats: Record<string, number> = {};
  const kidsHere = new Set<string>();
  const totals = { files: 0, bytes: 0, envelopes: 0 };
  const found = (kid: string): { inBase64: number } => {
    const entry = counts.get(kid) ?? { envelopes: 0, inBase64: 0, files: 0 };
    if (!kidsHere.has(kid)) entry.files++;
    kidsHere.add(kid);
    entry.envelopes++;
    totals.envelopes++;
    counts.set(kid, entry);
    return entry;
  };
  const searches = [
    kidCounter(found),
    base64KidCounter((kid) => found(kid).inBase64++),
    otherFormatCounter((format) => {
      otherFormats[format] = (otherFormats[format] ?? 0) + 1;
    }),
  ];

  const files: ListedFile[] = [];
  for (const path of paths.length === 0 ? [STDIN] : paths) {
    if (path !== STDIN) await list(path, await stat(path).catch(asError), files, problems);
    else files.push({ path, bytes: 0 });
  }
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path } of files) {
    kidsHere.clear();
    totals.files++;
    try {
      for await (const chunk of path === STDIN ? (await openInputs([]))[0]!.chunks() : readWhole(path)) {
        for (const search of searches) search.feed(chunk);
        totals.bytes += chunk.length;
        onProgress(totals.bytes, total);
      }
    } catch (error) {
      if (path === STDIN) throw error;
      problems.push(error instanceof Failure ? error.message : `${path}: ${systemReason(error)}`);
    }
    for (const search of searches) search.end();
  }
  return {
    ...totals,
    kids: [...counts]
      .map(([kid, entry]) => ({ kid, ...entry }))
      .sort((a, b) => b.envelopes - a.envelopes || (a.kid < b.kid ? -1 : 1)),
    otherFormats,
    problems,
  };
}

async function list(
  path: string,
  found: Stats | Dirent | Error,
  files: ListedFile[],
  problems: string[],
): Promise<void> {
  if (found instanceof Error) problems.push(`${path}: ${systemReason(found)}`);
  else if (found.isSymbolicLink())
    problems.push(`${path}: a symbolic link, not followed. Name where it leads.`);
  else if (found.isFile()) {
    const size = "size" in found ? found.size : ((await lstat(path).catch(() => undefined))?.size ?? 0);
    files.push({ path, bytes: size });
  } else if (found.isDirectory()) {
    const entries = await readdir(path, { withFileTypes: true }).catch(asError);
    if (entries instanceof Error) return void problems.push(`${path}: ${systemReason(entries)}`);
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) await list(join(path, entry.name), entry, files, problems);
  } else if ("size" in found && found.isFIFO()) files.push({ path, bytes: 0 });
  else problems.push(`${path}: neither a file nor a folder, not searched.`);
}

/** Reads a file through one buffer: each chunk is valid until the next. */
async function* readWhole(path: string): AsyncGenerator<Buffer> {
  const handle: FileHandle = await open(path);
  try {
    for (let isFirst = true; ; isFirst = false) {
      const { bytesRead } = await handle.read(memory, 0, READ_BYTES);
      if (bytesRead === 0) return;
      const chunk = memory.subarray(0, bytesRead);
      const reason = isFirst ? unsearchable(chunk) : undefined;
      if (reason !== undefined) throw new Failure(`${path}: ${reason}`);
      yield chunk;
    }
  } finally {
    await handle.close();
  }
}

const memory: Buffer = Buffer.allocUnsafe(READ_BYTES);

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

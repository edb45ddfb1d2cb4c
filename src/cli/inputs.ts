import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { Failure, systemReason } from "./exit.ts";

/** Something to read. */
export interface Input {
  /** As messages call it. */
  readonly name: string;
  /** Undefined for standard input. */
  readonly path: string | undefined;
  /** Reads it once. @throws {Failure} */
  readonly chunks: () => AsyncIterable<Buffer>;
}

export const STDIN = "-";
const CHUNK_BYTES = 2 ** 18;

/**
 * The files that a command names, or standard input. All of them are looked at before any is read, so that a
 * mistyped name is told before anything is written.
 *
 * @throws {Failure} for a file that is missing, a folder, or unreadable, or in which nothing could be found
 */
export async function openInputs(files: readonly string[]): Promise<Input[]> {
  const paths = files.length === 0 ? [STDIN] : files;
  if (paths.filter((path) => path === STDIN).length > 1) throw new Failure("Standard input is named twice.");
  if (paths.includes(STDIN) && process.stdin.isTTY === true) {
    throw new Failure("There is nothing to read. Name a file, or pipe something in.");
  }
  return Promise.all(
    paths.map(async (path) => {
      if (path === STDIN)
        return {
          name: "standard input",
          path: undefined,
          chunks: () => read("standard input", process.stdin),
        };
      await checkFile(path);
      return {
        name: path,
        path,
        chunks: () => read(path, createReadStream(path, { highWaterMark: CHUNK_BYTES })),
      };
    }),
  );
}

async function checkFile(path: string): Promise<void> {
  const fail = (error: unknown): never => {
    throw new Failure(`${path}: ${systemReason(error)}`);
  };
  const found = await stat(path).catch(fail);
  if (found.isDirectory()) throw new Failure(`${path}: it is a folder. Name its files.`);
  // A pipe gives what it has once, and ends when it is closed.
  if (!found.isFile()) return;
  const handle = await open(path).catch(fail);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    refuseUnsearchable(path, buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

async function* read(name: string, stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isFirst = true;
  try {
    for await (const chunk of stream) {
      if (isFirst) refuseUnsearchable(name, chunk);
      isFirst = false;
      yield chunk;
    }
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`${name}: ${systemReason(error)}`);
  }
}

function refuseUnsearchable(name: string, beginning: Uint8Array): void {
  const reason = unsearchable(beginning);
  if (reason !== undefined) throw new Failure(`${name}: ${reason}`);
}

/** Why nothing can be found in a file that begins so, though it may hold envelopes; undefined for any other. */
export function unsearchable(beginning: Uint8Array): string | undefined {
  const begins = (signature: readonly number[]): boolean =>
    signature.every((byte, i) => beginning[i] === byte);
  const compressed = COMPRESSED.find(([, signature]) => begins(signature));
  if (compressed !== undefined) {
    return `it is compressed (${compressed[0]}). Decompress it, and pipe it in: zcat FILE.gz | npx stepseal scan`;
  }
  if (begins([0xff, 0xfe]) || begins([0xfe, 0xff]))
    return "it is UTF-16. Convert it to UTF-8: iconv -f UTF-16 -t UTF-8";
  return undefined;
}

const COMPRESSED: readonly (readonly [string, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
];

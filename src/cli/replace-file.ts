import { randomBytes } from "node:crypto";
import { unlinkSync } from "node:fs";
import { open, realpath, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Failure, systemReason } from "./exit.ts";
import { type Output, toFile } from "./output.ts";

/** Read and written by its owner alone. */
const PRIVATE = 0o600;

const unfinished = new Set<string>();
process.once("exit", () => {
  for (const path of unfinished) {
    try {
      unlinkSync(path);
    } catch {
      // The process ends in any case.
    }
  }
});

/**
 * Writes a file whole or not at all: into a file beside it, which then takes its name. One that exists keeps its
 * mode and, where the system permits, its owner; a new one is its owner's alone. A symbolic link keeps pointing there.
 *
 * @throws {Failure} when it cannot be written; and whatever `fill` throws
 */
export async function replaceFile<Result>(
  path: string,
  fill: (output: Output) => Promise<Result>,
): Promise<Result> {
  const target = await realpath(path).catch(() => path);
  const old = await stat(target).catch(() => undefined);
  if (old !== undefined && !old.isFile())
    throw new Failure(`${path}: it is no regular file, so it is not replaced.`);
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
  const fail = (error: unknown): never => {
    throw error instanceof Failure
      ? error
      : new Failure(`${path}: cannot be written: ${systemReason(error)}`);
  };
  const handle = await open(temporary, "wx", PRIVATE).catch(fail);
  unfinished.add(temporary);
  try {
    if (old !== undefined) {
      await handle.chown(old.uid, old.gid).catch(() => undefined);
      await handle.chmod(old.mode);
    }
    const output = toFile(handle);
    const result = await fill(output);
    await output.flush();
    await handle.sync();
    await handle.close();
    await rename(temporary, target);
    return result;
  } catch (error) {
    await handle.close().catch(() => undefined);
    await unlink(temporary).catch(() => undefined);
    return fail(error);
  } finally {
    unfinished.delete(temporary);
  }
}

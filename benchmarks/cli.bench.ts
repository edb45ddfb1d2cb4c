/**
 * `scan`, `inspect` and `decrypt` of the built command on a file of 1 GB: speed and memory. The file is made in the
 * folder for temporary files, or in that of the first argument, and removed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { measure, writeEvents } from "./cli-process.ts";

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), "stepseal-bench-"));
try {
  const path = join(folder, "events.jsonl");
  const { key, envelopes, bytes } = writeEvents(path, 1e9);
  console.log(
    `node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${(bytes / 1e9).toFixed(2)} GB, ${envelopes} envelopes`,
  );
  for (const args of [["scan"], ["inspect", "--json"], ["decrypt"]]) {
    const { seconds, peakBytes } = await measure(cli, [...args, path], key);
    const rates = `${(bytes / 1e6 / seconds).toFixed(0)} MB/s  ${(envelopes / seconds).toFixed(0)} envelopes/s`;
    console.log(`${args.join(" ").padEnd(14)}  ${rates}  ${(peakBytes / 1e6).toFixed(0)} MB at most`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

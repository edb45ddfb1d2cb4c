import { spawn } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { createKeyring, createSealer, generateKey } from "stepseal";

/** Lines that are made; longer files repeat them. */
const LINES = 2000;

/**
 * Writes a file of events with an envelope each, in lines of about 1.6 kB.
 *
 * @param bytes how long it gets, to the next 3 MB
 * @param separator what stands between two events
 * @returns the key that opens them, how many there are, and how many bytes
 */
export function writeEvents(
  path: string,
  bytes: number,
  separator = "\n",
): { key: string; envelopes: number; bytes: number } {
  const key = generateKey();
  const sealer = createSealer({ keyring: createKeyring({ key }) });
  let block = "";
  for (let id = 0; id < LINES; id++) {
    const encrypted = sealer.seal(
      { card: "4111", note: "x".repeat(800) },
      { kind: "event.field", field: "encrypted" },
    );
    block += JSON.stringify({
      id,
      name: "shop/order",
      data: { total: id, text: "y".repeat(250), encrypted },
    });
    block += separator;
  }
  const chunk = Buffer.from(block);
  const file = openSync(path, "wx");
  let written = 0;
  let envelopes = 0;
  for (; written < bytes; written += chunk.length) {
    for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
    envelopes += LINES;
  }
  closeSync(file);
  return { key, envelopes, bytes: written };
}

/** What a run of the command took. */
export interface Measured {
  readonly seconds: number;
  /** Most memory that was resident at once, in bytes. */
  readonly peakBytes: number;
}

/** Tells on file descriptor 3. Where the system counts for this program alone, what its parent took is not in it. */
const TELL_PEAK = `
import { readFileSync, writeSync } from "node:fs";
process.on("exit", () => {
  let kilobytes = process.resourceUsage().maxRSS;
  try { kilobytes = Number(/^VmHWM:\\s*(\\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]); } catch {}
  writeSync(3, String(kilobytes * 1024));
});`;

/**
 * Runs the command line, and drops what it prints.
 *
 * @param cli path of the built command
 * @throws {Error} when its exit code is not 0
 */
export function measure(cli: string, args: readonly string[], key: string): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const tell = `--import=data:text/javascript,${encodeURIComponent(TELL_PEAK)}`;
    const started = performance.now();
    const child = spawn(process.execPath, [tell, cli, ...args], {
      env: { PATH: process.env.PATH, STEPSEAL_KEY: key },
      stdio: ["ignore", "ignore", "inherit", "pipe"],
    });
    let told = "";
    child.stdio[3]?.on("data", (chunk: Buffer) => {
      told += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      const seconds = (performance.now() - started) / 1000;
      if (code === 0) resolve({ seconds, peakBytes: Number(told) });
      else reject(new Error(`${args[0]}: exit code ${code}`));
    });
  });
}

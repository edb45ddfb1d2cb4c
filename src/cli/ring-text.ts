import { statSync } from "node:fs";
import { createKeyring, type KeyEntry, type Keyring, type KeyState } from "../keyring/keyring.ts";
import { keyringFromEnv, readRingFile, ringFileOf, splitList } from "../keyring/load.ts";
import { replaceFile } from "./replace-file.ts";
import { print } from "./terminal.ts";

/** A key with its text, which a ring does not give away; none for a destroyed key. */
export interface KeyText {
  readonly kid: string;
  readonly state: KeyState;
  readonly key?: string;
  readonly destroyedAt?: string;
}

/** A ring as it is written, for commands that write the next one. */
export interface RingText {
  readonly ring: Keyring;
  readonly keys: readonly KeyText[];
  /** Path of the keyring file; undefined for `STEPSEAL_KEY` and `STEPSEAL_KEY_FALLBACK`. */
  readonly file: string | undefined;
  /** Other members of the file. */
  readonly others: Readonly<Record<string, unknown>>;
}

/**
 * Reads the ring that the app would have, from the environment, or from a keyring file.
 *
 * @param file path of a keyring file; default: the environment, which may name one
 * @throws {StepsealError} CONFIG
 */
export function readRing(file: string | undefined): RingText {
  const path = ringFile(file);
  if (path === undefined) {
    const ring = keyringFromEnv();
    const { STEPSEAL_KEY = "", STEPSEAL_KEY_FALLBACK = "" } = process.env;
    const texts = [STEPSEAL_KEY.trim(), ...splitList(STEPSEAL_KEY_FALLBACK)];
    return { ring, file: path, others: {}, keys: ring.keys.map((key, i) => keyText(key, texts[i] ?? "")) };
  }
  const { ring, json } = readRingFile(path, file === undefined ? "STEPSEAL_KEYRING_FILE" : "file");
  const { keys, ...others } = json as { keys: readonly KeyEntry[] };
  return { ring, file: path, others, keys: keys.map((entry, i) => ({ kid: ring.keys[i]!.kid, ...entry })) };
}

/**
 * The keyring file that a command reads, where it reads one.
 *
 * @throws {StepsealError} CONFIG when the environment names a file and holds keys too
 */
export function ringFile(file: string | undefined): string | undefined {
  return file ?? ringFileOf(process.env);
}

/** Why a keyring file is not as private as its content; undefined where it is, or cannot be told. */
export function permissionProblem(path: string): string | undefined {
  // Windows has no such bits.
  if (process.platform === "win32") return undefined;
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o077) === 0) return undefined;
  const octal = (mode & 0o777).toString(8).padStart(3, "0");
  return `${path}: others than its owner have access to the keys in it (mode ${octal}). Fix: chmod 600 ${path}`;
}

/**
 * Writes a ring where it came from: replaces its keyring file, or prints the lines of an env file.
 *
 * @param json what is printed of it instead, as JSON: these members, kids and states, and the variables or the file
 * @throws {StepsealError} CONFIG when the keys are no ring
 * @throws {Failure} when the file cannot be written
 */
export async function writeRing(
  { file, others }: RingText,
  keys: readonly KeyText[],
  json: object | undefined,
): Promise<void> {
  const next = { ...others, keys: keys.map(entryOf) };
  createKeyring(next);
  if (file !== undefined) {
    const text = Buffer.from(`${JSON.stringify(next, null, 2)}\n`);
    await replaceFile(file, (output) => output.write(text));
  }
  const env = file === undefined ? environmentOf(keys) : undefined;
  if (json !== undefined) {
    const states = keys.map(({ kid, state }) => ({ kid, state }));
    print(JSON.stringify({ ...json, keys: states, ...(env === undefined ? { file } : { env }) }));
  } else for (const [name, value] of Object.entries(env ?? {})) print(`${name}=${value}`);
}

/** A ring as the variables that hold it. */
function environmentOf(keys: readonly KeyText[]): Record<string, string> {
  const primary = keys.find(({ state }) => state === "primary");
  const fallback = keys.filter((key) => key !== primary).map(fallbackItem);
  return { STEPSEAL_KEY: primary?.key ?? "", STEPSEAL_KEY_FALLBACK: fallback.join(",") };
}

function keyText({ kid, state }: { kid: string; state: KeyState }, item: string): KeyText {
  if (state === "destroyed") return { kid, state };
  const suffix = `:${state}`;
  return { kid, state, key: item.endsWith(suffix) ? item.slice(0, -suffix.length) : item };
}

function entryOf({ kid, state, key = "", destroyedAt }: KeyText): KeyEntry {
  if (state !== "destroyed") return { key, state };
  return destroyedAt === undefined ? { kid, state } : { kid, state, destroyedAt };
}

function fallbackItem({ kid, state, key }: KeyText): string {
  if (state === "decrypt-only") return key ?? "";
  return `${key ?? kid}:${state}`;
}

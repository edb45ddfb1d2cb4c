import type * as FileSystem from "node:fs";
import { StepsealError } from "../errors.ts";
import { type Environment, processEnv } from "../internal/environment.ts";
import { describe, members } from "../internal/members.ts";
import { builtin } from "../internal/runtime.ts";
import { looksLikeKey, MAKE_A_KEY } from "./key.ts";
import { assembleKeyring, isKeyring, type Keyring, type KeyringOptions } from "./keyring.ts";
import {
  OVERRIDE,
  type RingEntry,
  readKey,
  readKeyringOptions,
  readState,
  readTombstone,
} from "./options.ts";
import { parseRingJson } from "./ring-json.ts";

/** Where `loadKeyring` finds the keys: environment variables, a JSON file, or a function that fetches them. */
export type LoadOptions =
  | {
      /** Default: `process.env`. */
      env?: Environment;
    }
  | {
      /** Path of a JSON file `{ "keys": [{ "key": "ssk1_…", "state": "primary" }, …] }`. */
      file: string;
    }
  | {
      /** Fetches the keys from a secret manager or KMS; called once. */
      provider: () => KeyringOptions | Keyring | Promise<KeyringOptions | Keyring>;
      /** Longest wait for the provider, in milliseconds. Default 10 000. */
      timeoutMs?: number;
    };

const PASS_BINDINGS =
  "This runtime has no process.env. Load the key from its bindings: keyring: () => loadKeyring({ env })";
const DEFAULT_TIMEOUT_MS = 10_000;
/** A longer delay overflows `setTimeout`, which then fires at once. */
export const MAX_TIMEOUT_MS: number = 2 ** 31 - 1;

/**
 * Loads a ring from the environment, a JSON file or a provider. Await it once, before the first value is sealed.
 *
 * @param source `{ env? }` (the default: `STEPSEAL_KEY` and `STEPSEAL_KEY_FALLBACK`, or `STEPSEAL_KEYRING_FILE`), `{ file }`, or `{ provider, timeoutMs? }`
 * @throws {StepsealError} CONFIG when there is no key, a key or the ring is wrong, the file cannot be read, or the
 * provider fails or takes too long. Of a provider's own error only name and code are told: the rest may hold
 * what it fetched
 * @example
 * ```ts
 * import { generateKey, loadKeyring } from "stepseal";
 *
 * await loadKeyring({ env: { STEPSEAL_KEY: generateKey() } });
 * await loadKeyring({ provider: async () => ({ key: generateKey() }), timeoutMs: 5_000 });
 * ```
 */
export async function loadKeyring(source: LoadOptions = {}): Promise<Keyring> {
  const options = members(source, "loadKeyring options", ["env", "file", "provider", "timeoutMs"]);
  const given = ["env", "file", "provider"].filter((name) => options[name] !== undefined);
  if (given.length > 1) throw config(`loadKeyring options: found ${given.join(" and ")}. Give one of them.`);
  if (options.timeoutMs !== undefined && given[0] !== "provider") {
    throw config("loadKeyring options: timeoutMs belongs to provider. Remove it, or give a provider.");
  }
  for (const name of ["file", "provider"]) {
    if (name in options && options[name] === undefined) {
      throw config(`loadKeyring options: ${name}: found undefined. Give a value, or leave ${name} out.`);
    }
  }
  if (given[0] === "provider") return fromProvider(options.provider, options.timeoutMs);
  if (given[0] === "file") return readRingFile(options.file, "file").ring;
  return keyringFromEnv(options.env as Environment | undefined);
}

/**
 * Makes a ring from environment variables, synchronously: what `loadKeyring({ env })` does. Internal.
 *
 * | variable | holds |
 * |---|---|
 * | `STEPSEAL_KEY` | the primary key |
 * | `STEPSEAL_KEY_FALLBACK` | further keys, separated by commas or white space, each `key` (decrypt-only) or `key:state`; of a destroyed key `kid:destroyed` |
 * | `STEPSEAL_KEYRING_FILE` | instead of both: path of a JSON file `{ "keys": [{ "key", "state" }, …] }` |
 *
 * @param given default: `process.env`; where there is none (Workers), pass the bindings
 * @throws {StepsealError} CONFIG when no key is set, two sources are, or a key, a state or the file is wrong; the
 * message names the variable and position, and never shows a value
 */
export function keyringFromEnv(given?: Environment): Keyring {
  const env = given === undefined ? processEnv() : given;
  if (typeof env !== "object" || env === null) {
    throw config(`env: found ${describe(env)}, expected an object of environment variables.`);
  }
  const file = ringFileOf(env);
  if (file !== undefined) return readRingFile(file, "STEPSEAL_KEYRING_FILE").ring;
  const key = variable(env, "STEPSEAL_KEY");
  const fallback = splitList(variable(env, "STEPSEAL_KEY_FALLBACK") ?? "");
  if (key === undefined) {
    const without = fallback.length === 0 ? "" : ", though STEPSEAL_KEY_FALLBACK is: fallback keys only open";
    const noProcess = given === undefined && globalThis.process?.env === undefined;
    throw config(`STEPSEAL_KEY is not set${without}. ${noProcess ? PASS_BINDINGS : MAKE_A_KEY}`);
  }
  const primary = readKey(key, "primary", "STEPSEAL_KEY");
  return assembleKeyring([primary, ...readFallback(fallback)], "STEPSEAL_KEY");
}

/**
 * The path of the ring file that an environment names; undefined where the keys stand in variables. Internal.
 *
 * @throws {StepsealError} CONFIG when both are set
 */
export function ringFileOf(env: Environment): string | undefined {
  const file = variable(env, "STEPSEAL_KEYRING_FILE");
  if (file === undefined) return undefined;
  const key = variable(env, "STEPSEAL_KEY");
  const fallback = splitList(variable(env, "STEPSEAL_KEY_FALLBACK") ?? "");
  const other = key !== undefined ? "STEPSEAL_KEY" : fallback.length > 0 ? "STEPSEAL_KEY_FALLBACK" : "";
  if (other === "") return file;
  const empty = key?.trim() === "" ? " (STEPSEAL_KEY is empty)" : "";
  throw config(`${other} and STEPSEAL_KEYRING_FILE are both set${empty}. Unset one: a ring has one source.`);
}

function variable(env: Environment, name: string): string | undefined {
  const value: unknown = env[name];
  if (value === undefined || typeof value === "string") return value;
  throw config(`${name}: found ${describe(value)}, expected a string.`);
}

function readFallback(items: readonly string[]): RingEntry[] {
  return items.map((item, i) => {
    const where = `STEPSEAL_KEY_FALLBACK, key ${i + 1} of ${items.length}`;
    // hex: and base64: are no states; no key text holds another colon.
    const prefix = ["hex:", "base64:"].find((known) => item.startsWith(known)) ?? "";
    const colon = item.indexOf(":", prefix.length);
    if (colon < 0) return readKey(item, "decrypt-only", where);
    const key = item.slice(0, colon);
    const state = readState(item.slice(colon + 1), `${where}, state`);
    if (state === "destroyed") return readTombstone(key, undefined, where);
    if (state === "primary") {
      throw config(
        `${where}, state: found primary, which STEPSEAL_KEY is. Swap the two keys, or use standby.`,
      );
    }
    return readKey(key, state, where);
  });
}

/** The items of a list. None at all is no error: that is what a finished rotation leaves in the variable. */
export function splitList(text: string): string[] {
  const items: string[] = [];
  let item = "";
  for (const char of text) {
    if (char === "," || char.trim() === "") {
      if (item !== "") items.push(item);
      item = "";
    } else item += char;
  }
  if (item !== "") items.push(item);
  return items;
}

/**
 * Reads a ring file once: it may be a pipe, which gives what it has to the first reader. Internal.
 *
 * @param name what the path was given as, for errors
 * @returns the ring, and the JSON it was made of
 * @throws {StepsealError} CONFIG
 */
export function readRingFile(path: unknown, name: string): { ring: Keyring; json: unknown } {
  if (typeof path !== "string") {
    throw config(`${name}: found ${describe(path)}, expected the path of a file.`);
  }
  if (path.trim() === "") throw config(`${name}: is empty. Give the path of a ring file, or unset it.`);
  const where = `${name} (${path})`;
  const json = parseRingJson(readText(path, name), where);
  const { entries, overrides } = readKeyringOptions(json, `${where}: `, ["keys", OVERRIDE]);
  return { ring: assembleKeyring(entries, where, overrides), json };
}

function readText(path: string, name: string): string {
  // Asked for at run time, so that bundles for runtimes without a file system need no stand-in for it.
  const fs = builtin<typeof FileSystem>("node:fs");
  if (fs?.readFileSync === undefined) {
    throw config(
      `${name}: this runtime has no file system. Set STEPSEAL_KEY, or give loadKeyring a provider.`,
    );
  }
  try {
    return fs.readFileSync(path, "utf8");
  } catch (error) {
    // What is not a path is not repeated as one.
    if (path.trim().startsWith("{")) throw config(`${name}: holds JSON, not a path. Save it as a file.`);
    if (looksLikeKey(path)) throw config(`${name}: holds a key, not a path. Put a key in STEPSEAL_KEY.`);
    throw config(`${name} (${path}): cannot be read${identity(error)}. Check the path and the permissions.`);
  }
}

async function fromProvider(provider: unknown, timeoutMs: unknown = DEFAULT_TIMEOUT_MS): Promise<Keyring> {
  if (typeof provider !== "function") {
    throw config(`provider: found ${describe(provider)}, expected a function that returns keyring options.`);
  }
  if (!Number.isInteger(timeoutMs) || Number(timeoutMs) < 1 || Number(timeoutMs) > MAX_TIMEOUT_MS) {
    throw config(`timeoutMs: expected a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}.`);
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const late = config(
      `provider: no answer after ${timeoutMs} ms. Check that it can reach its service, or raise timeoutMs.`,
    );
    timer = setTimeout(() => reject(late), Number(timeoutMs));
  });
  try {
    const answer: unknown = await Promise.race([callProvider(provider as () => unknown), timeout]);
    if (isKeyring(answer)) return answer;
    const { entries, overrides } = readKeyringOptions(answer, "provider: ");
    return assembleKeyring(entries, "provider", overrides);
  } finally {
    clearTimeout(timer);
  }
}

async function callProvider(provider: () => unknown): Promise<unknown> {
  try {
    return await provider();
  } catch (error) {
    if (error instanceof StepsealError) throw error;
    // Neither the message nor the error as cause: a JSON.parse of the fetched secret fails with a quote of it.
    throw config(
      `provider: failed${identity(error)}. Catch and log the error inside the provider to see more.`,
    );
  }
}

/** The name and code of an error, where they look like names: `AccessDeniedException`, `ENOENT`. */
function identity(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const labels = [error.name, (error as { code?: unknown }).code].filter(
    (label): label is string => typeof label === "string" && label.length <= 40 && /^\w+$/.test(label),
  );
  return labels.length === 0 ? "" : ` (${labels.join(", ")})`;
}

function config(message: string): StepsealError {
  return new StepsealError("CONFIG", message);
}

import { StepsealError } from "../errors.ts";
import { decodeBase62, encodeBase62 } from "../internal/base62.ts";
import { encodeBase64url, readBase64url } from "../internal/base64url.ts";
import { isKid, KID_DIGITS } from "../internal/kid.ts";
import { encodeUtf8, isWellFormed, readUtf8 } from "../internal/utf8.ts";
import { CHECK_DIGITS, checkDigits } from "./checksum.ts";

/** The key of one run under one root key. It opens, and could seal, the values of that run and no other. */
export interface RunKey {
  /** Of the root key it is derived from: 16 lower-case hex digits. */
  readonly kid: string;
  readonly run: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

const RUN_KEY_PREFIX = "ssrk1_";
/** Where the run begins: after the prefix, the kid and a `_`. */
const RUN_AT = RUN_KEY_PREFIX.length + KID_DIGITS + 1;
const KEY_BYTES = 32;
const KEY_DIGITS = 43;
/** What stands after the run: a `_`, the key and the checksum. */
const TAIL = 1 + KEY_DIGITS + CHECK_DIGITS;
/** Claims are 4 KiB together at most: no value has a longer run. */
const MAX_RUN_BYTES = 4096;
const ANOTHER = "Ask whoever holds the root key for ring.runKey(run) again, and copy the whole text.";

/**
 * Writes a run key as text: `ssrk1_<kid>_<run in base64url>_<key in 43 base62 digits><checksum in 6>`, the checksum
 * as in `formatKey` over all before it. Secret scanners find it with
 * `\bssrk1_[0-9a-f]{16}_[0-9A-Za-z_-]*_[0-9A-Za-z]{49}\b`. Internal.
 */
export function formatRunKey({ kid, run, key }: RunKey): string {
  const name = encodeBase64url(encodeUtf8(run));
  const text = `${RUN_KEY_PREFIX}${kid}_${name}_${encodeBase62(key, KEY_DIGITS)}`;
  return text + checkDigits(text);
}

/**
 * Reads a run key as `Keyring.runKey` writes it; white space around it is ignored. Internal.
 *
 * @param where what holds it, as its user knows it; begins every message
 * @throws {StepsealError} CONFIG for any other text, whose value no message shows
 */
export function parseRunKey(text: unknown, where: string): RunKey {
  if (typeof text !== "string") {
    throw config(
      `${where}: found ${text === null ? "null" : typeof text}, expected a run key as a string. ${ANOTHER}`,
    );
  }
  const trimmed = text.trim();
  if (trimmed.startsWith("ssk1_")) {
    throw config(
      `${where}: found a root key, which opens every run, expected a run key (ssrk1_…). Make one of it: createKeyring({ key }).runKey(run).`,
    );
  }
  if (!trimmed.startsWith(RUN_KEY_PREFIX)) {
    throw config(
      `${where}: found ${trimmed.length} characters that do not begin with ${RUN_KEY_PREFIX}. ${ANOTHER}`,
    );
  }
  const body = trimmed.slice(0, -CHECK_DIGITS);
  // The checksum first: after it, a text that does not parse was made by something else than `formatRunKey`.
  if (checkDigits(body) !== trimmed.slice(-CHECK_DIGITS)) {
    throw config(
      `${where}: the last 6 of ${trimmed.length} characters, a checksum, do not fit the others: the run key is cut or mistyped. ${ANOTHER}`,
    );
  }
  const kid = trimmed.slice(RUN_KEY_PREFIX.length, RUN_AT - 1);
  const run = decodeRun(trimmed.slice(RUN_AT, -TAIL));
  const key = decodeBase62(body.slice(-KEY_DIGITS), KEY_BYTES);
  const parts = `${trimmed[RUN_AT - 1]}${trimmed.at(-TAIL)}`;
  if (!isKid(kid) || parts !== "__" || run === undefined || key === undefined) {
    throw config(
      `${where}: found ${trimmed.length} characters with a good checksum and another layout than ssrk1_<kid>_<run>_<key>. ${ANOTHER}`,
    );
  }
  return { kid, run, key };
}

/**
 * Refuses what is no id of a run. An empty one is well-formed in an envelope, but as an argument it is a variable
 * that was never set.
 *
 * @throws {StepsealError} CONFIG
 */
export function checkRun(run: unknown): asserts run is string {
  if (typeof run === "string" && isRun(run)) return;
  const found = typeof run === "string" ? `${run.length} characters` : run === null ? "null" : typeof run;
  throw config(
    `runKey: run: found ${found}, expected the id of a run: well-formed text of 1 to ${MAX_RUN_BYTES} bytes.`,
  );
}

function isRun(run: string): boolean {
  return run !== "" && isWellFormed(run) && encodeUtf8(run).length <= MAX_RUN_BYTES;
}

function decodeRun(text: string): string | undefined {
  const bytes = readBase64url(text);
  const run = bytes && readUtf8(bytes);
  return run !== undefined && isRun(run) ? run : undefined;
}

function config(message: string): StepsealError {
  return new StepsealError("CONFIG", message);
}

import { StepsealError } from "../errors.ts";
import { base62Digit, decodeBase62, encodeBase62 } from "../internal/base62.ts";
import { readBase64url } from "../internal/base64url.ts";
import { isHex } from "../internal/bytes.ts";
import { CHECK_DIGITS, checkDigits } from "./checksum.ts";
import { weakness } from "./weak.ts";

/** Length of a root key in bytes. */
const ROOT_BYTES = 32;
const PREFIX = "ssk1_";
/** 62^43 is the first power of 62 above 2^256. */
const ROOT_DIGITS = 43;
const TEXT_LENGTH = PREFIX.length + ROOT_DIGITS + CHECK_DIGITS;

/** The end of every message whose fix is a new key. */
export const MAKE_A_KEY = "Make a key with: npx stepseal keygen";

// No regular expression in this folder reads a key: engines keep the last input of one in `RegExp.input`.

/**
 * Makes a new root key in its text form, `ssk1_` followed by 49 letters and digits.
 *
 * The 32 bytes come from `crypto.getRandomValues`. The text needs no quoting in a shell, YAML or dotenv file, and
 * secret scanners find it with `\bssk1_[0-9A-Za-z]{49}\b`.
 *
 * @returns 54 characters; keep them secret
 * @example
 * ```ts
 * import { createKeyring, generateKey } from "stepseal";
 *
 * const ring = createKeyring({ key: generateKey() });
 * ```
 */
export function generateKey(): string {
  const root = new Uint8Array(ROOT_BYTES);
  do crypto.getRandomValues(root);
  while (weakness(root) !== undefined);
  const text = formatKey(root);
  root.fill(0);
  return text;
}

/**
 * Writes a root key in its text form: `ssk1_`, 43 base62 digits, and 6 more that check all before them (the first
 * 4 bytes of their SHA-256). Internal. Does not judge how the bytes were made; `parseKey` does.
 *
 * @param root 32 bytes
 * @returns 54 characters that hold the key; keep them secret
 * @throws {StepsealError} CONFIG when `root` is not 32 bytes
 */
export function formatKey(root: Uint8Array): string {
  if (!(root instanceof Uint8Array) || root.length !== ROOT_BYTES) {
    const found = root instanceof Uint8Array ? `${root.length} bytes` : "something else";
    throw new StepsealError("CONFIG", `root: found ${found}, expected a Uint8Array of 32 bytes.`);
  }
  const text = PREFIX + encodeBase62(root, ROOT_DIGITS);
  return text + checkDigits(text);
}

/**
 * Reads a root key: `ssk1_…` as `generateKey` writes it, `hex:` and 64 hex digits, or `base64:` and 32 bytes in
 * either base64 alphabet, padded or not. White space around it is ignored. Nothing else is a key, a passphrase
 * least of all, and neither are bytes that cannot be random. Internal.
 *
 * @param text the key
 * @param where what holds the key, as its user knows it: `STEPSEAL_KEY`, `keys[2].key`; begins every message
 * @returns 32 bytes, which the caller wipes after use
 * @throws {StepsealError} CONFIG for any other text; the message says where, what was found and the fix, and
 * never shows the value
 */
export function parseKey(text: string, where: string): Uint8Array {
  if (typeof text !== "string") {
    throw invalid(
      where,
      `found ${text === null ? "null" : typeof text}, expected a key as a string`,
      MAKE_A_KEY,
    );
  }
  const trimmed = text.trim();
  if (trimmed === "") throw invalid(where, "is empty", MAKE_A_KEY);
  const root = decode(trimmed, where);
  const reason = weakness(root);
  if (reason === undefined) return root;
  root.fill(0);
  throw invalid(where, `the key ${reason}`, MAKE_A_KEY);
}

/**
 * Whether a text given as something else, a path say, may be a key, whole or damaged: a message must not repeat it.
 * Long texts without a dot or a separator count, which no key in hex has and few paths lack.
 */
export function looksLikeKey(text: string): boolean {
  const trimmed = text.trim();
  if (["ssk1_", "ssrk1_", "hex:", "base64:"].some((prefix) => trimmed.startsWith(prefix))) return true;
  const isOneWord = ![".", "/", "\\"].some((mark) => trimmed.includes(mark));
  return (isOneWord && trimmed.length >= ROOT_BYTES) || decodeBase64(trimmed) !== undefined;
}

function decode(text: string, where: string): Uint8Array {
  if (text.startsWith(PREFIX)) return decodeSsk1(text, where);
  if (text.startsWith("hex:")) return decodeHex(text.slice(4), where);
  if (text.startsWith("base64:")) {
    const body = text.slice(7);
    const root = decodeBase64(body);
    if (root !== undefined) return root;
    throw invalid(
      where,
      `found ${characters(body.length)} after base64:, expected the canonical base64 of 32 bytes (44 characters, or 43 without padding)`,
      strayFix(body) ?? "Copy the whole key again.",
    );
  }
  throw invalid(
    where,
    `found ${characters(text.length)} that begin with none of ssk1_, hex: and base64:; a passphrase is not a key`,
    strayFix(text) ?? MAKE_A_KEY,
  );
}

function decodeSsk1(text: string, where: string): Uint8Array {
  if (text.length !== TEXT_LENGTH) {
    throw invalid(
      where,
      `found ${characters(text.length)}, expected ${TEXT_LENGTH} (ssk1_ and 49 letters and digits)`,
      strayFix(text) ?? "Copy the whole key again.",
    );
  }
  for (let i = PREFIX.length; i < TEXT_LENGTH; i++) {
    if (base62Digit(text.charCodeAt(i)) < 0) {
      throw invalid(
        where,
        `character ${i + 1} of ${TEXT_LENGTH} is no letter or digit`,
        "Copy the key again.",
      );
    }
  }
  const body = text.slice(0, -CHECK_DIGITS);
  const root = decodeBase62(body.slice(PREFIX.length), ROOT_BYTES);
  if (root === undefined || checkDigits(body) !== text.slice(-CHECK_DIGITS)) {
    throw invalid(
      where,
      "the last 6 of 54 characters, a checksum, do not fit the others: one is mistyped, or two changed places",
      "Copy the key again.",
    );
  }
  return root;
}

function decodeHex(body: string, where: string): Uint8Array {
  if (body.length !== ROOT_BYTES * 2 || !isHex(body)) {
    throw invalid(
      where,
      `found ${characters(body.length)} after hex:, expected 64 hex digits`,
      strayFix(body) ?? "Copy the whole key again.",
    );
  }
  const root = new Uint8Array(ROOT_BYTES);
  for (let i = 0; i < ROOT_BYTES; i++) root[i] = Number.parseInt(body.slice(i * 2, i * 2 + 2), 16);
  return root;
}

/** Reads canonical base64 of 32 bytes, or undefined. Platform decoders accept stray bits and characters. */
function decodeBase64(text: string): Uint8Array | undefined {
  const digits = text.length === 44 && text.endsWith("=") ? text.slice(0, -1) : text;
  if (digits.length !== 43) return undefined;
  return readBase64url(digits.replaceAll("+", "-").replaceAll("/", "_"));
}

/** The fix for what is most often wrong around a key. */
function strayFix(text: string): string | undefined {
  if (text.startsWith("ssrk1_")) {
    return "This is a run key, which opens one run and seals nothing: createKeyring({ runKeys }) takes it.";
  }
  if (text.startsWith('"') || text.startsWith("'")) return "Remove the quotes around the key.";
  if (text.includes(",") || text.includes(" ") || text.includes("\n")) {
    return "Give one key here; further keys belong in STEPSEAL_KEY_FALLBACK or `fallbackKeys`.";
  }
  if (text.includes(":")) {
    return "Remove what follows the colon; a state is written in STEPSEAL_KEY_FALLBACK or in `keys` alone.";
  }
  return undefined;
}

function characters(count: number): string {
  return count === 1 ? "1 character" : `${count} characters`;
}

function invalid(where: string, problem: string, fix: string): StepsealError {
  return new StepsealError("CONFIG", `${where}: ${problem}. ${fix}`);
}

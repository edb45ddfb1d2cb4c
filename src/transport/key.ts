import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { StepsealError } from "../errors.ts";
import { encodeUtf8 } from "../internal/utf8.ts";

/** Separates key ids from any other use of a hash of the key. */
const ID_LABEL = "stepseal/v1/signing-key\0";
const ID_BYTES = 4;
const PREFIX = "signkey-";

/** A signing key as it is used. Never leaves `src/transport`: what is shown of it is its id. */
export interface SigningKey {
  /** 8 hex digits: the beginning of a hash of the key. */
  readonly id: string;
  /** The text that keys the HMAC, as UTF-8. */
  readonly secret: Uint8Array;
}

// No regular expression in this file reads a key: engines keep the last input of one in `RegExp.input`.

/**
 * An Inngest signing key: the HMAC is keyed with its text without the `signkey-<env>-` prefix (inngest,
 * helpers/strings.js).
 *
 * @param where the option or variable that holds the key; begins every message
 * @throws {StepsealError} CONFIG for no text, white space around it, or a prefix with nothing after it
 */
export function inngestKey(text: string, where: string): SigningKey {
  check(text, where);
  if (splitPrefix(text).rest === "") throw invalid(where, "nothing follows its prefix");
  return uncheckedInngestKey(text);
}

/** The key that an SDK makes of any text: to do again what it did. */
export function uncheckedInngestKey(text: string): SigningKey {
  return signingKey(splitPrefix(text).rest);
}

/**
 * A QStash signing key: the HMAC is keyed with its whole text (@upstash/qstash, receiver.ts).
 *
 * @throws {StepsealError} CONFIG as for `inngestKey`
 */
export function qstashKey(text: string, where: string): SigningKey {
  check(text, where);
  return signingKey(text);
}

/** `signkey-<env>-`, where the key has it, and what follows. The environment is of letters, digits and `_`. */
export function splitPrefix(text: string): { prefix: string; rest: string } {
  const end = text.startsWith(PREFIX) ? text.indexOf("-", PREFIX.length) + 1 : 0;
  const isWord = end > PREFIX.length + 1 && [...text.slice(PREFIX.length, end - 1)].every(isWordCharacter);
  return isWord ? { prefix: text.slice(0, end), rest: text.slice(end) } : { prefix: "", rest: text };
}

function isWordCharacter(char: string): boolean {
  return (
    (char >= "0" && char <= "9") ||
    (char >= "A" && char <= "Z") ||
    (char >= "a" && char <= "z") ||
    char === "_"
  );
}

function check(text: unknown, where: string): asserts text is string {
  if (typeof text !== "string") throw invalid(where, `found ${typeof text}, expected a text`);
  if (text === "") throw invalid(where, "is empty");
  // The platforms use a key as it stands, so trimming it here would verify nothing.
  if (text.trim() !== text) throw invalid(where, "has white space around it");
}

function signingKey(text: string): SigningKey {
  const hash = sha256(encodeUtf8(ID_LABEL + text));
  return { id: bytesToHex(hash.subarray(0, ID_BYTES)), secret: encodeUtf8(text) };
}

function invalid(where: string, problem: string): StepsealError {
  return new StepsealError(
    "CONFIG",
    `${where}: ${problem}. Copy the key from the platform's dashboard again.`,
  );
}

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { StepsealError } from "./errors.ts";
import { encodeBase64url } from "./internal/base64url.ts";
import { members, namesOf } from "./internal/members.ts";
import { checkScopeOption } from "./internal/sealer-options.ts";
import { encodeUtf8, isWellFormed, lengthPrefixed } from "./internal/utf8.ts";
import { indexKey, type Keyring } from "./keyring/keyring.ts";

/** Options of {@link createBlindIndex}. */
export interface BlindIndexOptions {
  readonly keyring: Keyring;
  /**
   * The key of the ring to make tokens under: 16 lower-case hex digits. Default: the primary, so that tokens change
   * with a rotation. Name one where they have to stay, and keep that key in the ring as a decrypt-only one.
   */
  readonly kid?: string;
  /** As that of a sealer: tokens of one scope say nothing of those of another. */
  readonly scope?: string;
}

/** What can be indexed. A number and the text of it have different tokens. */
export type Indexable = string | number | boolean;

/**
 * Makes a token that stands for a value: 22 characters of base64url, the same for the same value and label, and for
 * no other value. See {@link createBlindIndex}.
 *
 * @param label what the value is (`"customer"`): equal values under two labels have unrelated tokens
 * @throws {StepsealError} `CONFIG` for a label that is no non-empty string; `FORMAT` for a value that has no token
 */
export type BlindIndex = (value: Indexable, label: string) => string;

const OPTIONS = namesOf<BlindIndexOptions>({ keyring: true, kid: true, scope: true });
/** Enough that no two values of a field meet by chance: 2^64 of them for even odds. */
const TOKEN_BYTES = 16;

/**
 * Makes a function for tokens by which a platform can match and group on a secret value, without learning it: put the
 * token beside the sealed field, and use it in expressions and keys. Whoever sees tokens learns which are equal, and
 * so how often each value occurs; nobody can tell values from tokens, or make tokens, without the key.
 *
 * `token = first 16 bytes of HMAC-SHA256(HKDF-Expand(PRK, "stepseal/v1/blind-index", 32), scope, label, value)`, the
 * whole of it in docs/envelope-v1.md.
 *
 * @throws {StepsealError} `UNKNOWN_KEY`, `KEY_DISABLED`, `KEY_COMPROMISED`, `KEY_DESTROYED` for a kid that the ring
 * cannot use; `CONFIG` for a ring or scope that is none, and an unknown option
 *
 * @example
 * ```ts
 * import { createBlindIndex, createKeyring, generateKey } from "stepseal";
 *
 * const blindIndex = createBlindIndex({ keyring: createKeyring({ key: generateKey() }) });
 * const event = {
 *   name: "shop/order.placed",
 *   data: { customer: blindIndex("ada@example.com", "customer"), encrypted: { email: "ada@example.com" } },
 * };
 * // concurrency: { key: "event.data.customer", limit: 1 }
 * ```
 */
export function createBlindIndex(options: BlindIndexOptions): BlindIndex {
  members(options, "createBlindIndex options", OPTIONS);
  const { keyring, kid, scope } = options;
  if (scope !== undefined) checkScopeOption(scope);
  const key = indexKey(keyring, kid);
  const scopePart = lengthPrefixed(scope ?? "");
  return (value, label) => {
    if (!isName(label)) {
      throw new StepsealError(
        "CONFIG",
        "blindIndex: label must be a non-empty string that says what the value is",
      );
    }
    const mac = hmac.create(sha256, key);
    const digest = mac.update(scopePart).update(lengthPrefixed(label)).update(encodeValue(value)).digest();
    return encodeBase64url(digest, 0, TOKEN_BYTES);
  };
}

/** The value's JSON text as UTF-8: for these types it is one for each value. */
function encodeValue(value: Indexable): Uint8Array {
  const type = typeof value;
  const indexable =
    type === "boolean" ||
    (type === "number" && Number.isFinite(value)) ||
    (typeof value === "string" && isWellFormed(value));
  if (indexable) return encodeUtf8(JSON.stringify(value));
  throw new StepsealError(
    "FORMAT",
    `blindIndex: found ${value === null ? "null" : `a ${type}`} without a token; give well-formed text, a finite number or a boolean`,
  );
}

function isName(text: unknown): text is string {
  return typeof text === "string" && text !== "" && isWellFormed(text);
}

/**
 * Every way stepseal fails, as a stable code.
 *
 * | code | meaning | worth a retry |
 * |---|---|---|
 * | `UNKNOWN_KEY` | sealed under a key this ring does not hold | yes: another deploy may hold it |
 * | `KEY_DISABLED` `KEY_COMPROMISED` `KEY_DESTROYED` | the ring knows the key and refuses it | no |
 * | `CONTEXT` | sealed for another place, by what it says of itself | no |
 * | `CORRUPT` | altered, truncated or made up | no |
 * | `UNSUPPORTED` | a suite, flag or claim this version does not know | no |
 * | `FORMAT` | not an envelope, or not canonically encoded | no |
 * | `PLAINTEXT_REJECTED` | plaintext stands where ciphertext is expected | no |
 * | `TOO_LARGE` `INFLATE_LIMIT` | over the limit for plaintext, or for what compressed data may grow to | no |
 * | `LEGACY_NO_KEY` | an older format, and no key for it is configured | no |
 * | `CONFIG` | an option, key or environment variable is missing or wrong, or keys do not load | of keys that do not load: the adapters answer so that the platform tries again |
 * | `REFUSED` | data would leave on a path that is not sealed | no |
 */
export type StepsealErrorCode =
  | "UNKNOWN_KEY"
  | "KEY_DISABLED"
  | "KEY_COMPROMISED"
  | "KEY_DESTROYED"
  | "CONTEXT"
  | "CORRUPT"
  | "UNSUPPORTED"
  | "FORMAT"
  | "PLAINTEXT_REJECTED"
  | "TOO_LARGE"
  | "INFLATE_LIMIT"
  | "LEGACY_NO_KEY"
  | "CONFIG"
  | "REFUSED";

/**
 * The one error class of stepseal. Branch on `code`; messages may change.
 *
 * No message, property or cause ever holds plaintext, key material or ciphertext: names, kids, lengths and
 * positions only.
 *
 * @example
 * ```ts
 * import { createKeyring, StepsealError } from "stepseal";
 *
 * try {
 *   createKeyring({ key: "not a key" });
 * } catch (error) {
 *   if (error instanceof StepsealError) console.log(error.code); // "CONFIG"
 * }
 * ```
 */
export class StepsealError extends Error {
  override readonly name = "StepsealError";
  readonly code: StepsealErrorCode;
  /** The kid of the envelope or key concerned: 16 lower-case hex digits. */
  readonly kid: string | undefined;

  constructor(code: StepsealErrorCode, message: string, options: { kid?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.kid = options.kid;
  }
}

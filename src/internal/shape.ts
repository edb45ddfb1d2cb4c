import type { Envelope } from "../envelope.ts";
import { StepsealError } from "../errors.ts";
import { isKid, KID_DIGITS } from "./kid.ts";

const PREFIX = "ss1.";
/** Where the kid and the body begin in `ss1.<kid>.<body>`. */
export const KID_TEXT_AT: number = PREFIX.length;
export const BODY_TEXT_AT: number = KID_TEXT_AT + KID_DIGITS + 1;

/**
 * Whether a value has the shape of a stepseal envelope. Cheap, and no promise that it opens.
 *
 * @example
 * ```ts
 * import { isSealed } from "stepseal";
 *
 * console.log(isSealed({ plain: true })); // false
 * ```
 */
export function isSealed(value: unknown): value is Envelope {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.hasOwn(value, "__ENCRYPTED__") &&
    Object.hasOwn(value, "__STRATEGY__") &&
    Object.hasOwn(value, "data") &&
    (value as Envelope).__ENCRYPTED__ === true &&
    (value as Envelope).__STRATEGY__ === "stepseal/v1" &&
    typeof (value as Envelope).data === "string"
  );
}

/**
 * The text of an envelope, `ss1.<kid>.<body>`, with a well-formed kid.
 *
 * @throws {StepsealError} PLAINTEXT_REJECTED for what is no envelope of any format, LEGACY_NO_KEY for one of
 * Inngest's own middleware, UNSUPPORTED for another version of this format, FORMAT for anything else
 */
export function readData(value: unknown): string {
  if (!isSealed(value)) throw notSealed(value);
  const { data } = value;
  if (
    !data.startsWith(PREFIX) ||
    data[BODY_TEXT_AT - 1] !== "." ||
    !isKid(data.slice(KID_TEXT_AT, BODY_TEXT_AT - 1))
  ) {
    throw new StepsealError(
      "FORMAT",
      "The envelope does not begin with ss1.<16 lower-case hex digits> and a dot.",
    );
  }
  return data;
}

/** Says what a value is that is no envelope of this format. */
function notSealed(value: unknown): StepsealError {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "__ENCRYPTED__")) {
    return new StepsealError("PLAINTEXT_REJECTED", "Plaintext stands where a sealed value is expected.");
  }
  const strategy = (value as { __STRATEGY__?: unknown }).__STRATEGY__;
  if (strategy === undefined || strategy === "inngest/libsodium") {
    return new StepsealError(
      "LEGACY_NO_KEY",
      "The value was sealed by Inngest's own middleware, and no passphrase is configured to open it.",
    );
  }
  if (typeof strategy === "string" && strategy !== "stepseal/v1" && strategy.startsWith("stepseal/")) {
    return new StepsealError(
      "UNSUPPORTED",
      "The value was sealed in another version of the format than stepseal/v1. Update stepseal where it is opened.",
    );
  }
  return new StepsealError(
    "FORMAT",
    "The value is marked as encrypted and is not an envelope of stepseal/v1.",
  );
}

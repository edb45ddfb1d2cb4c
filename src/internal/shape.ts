import type { Envelope } from "../envelope.ts";
import { StepsealError } from "../errors.ts";

const STRATEGY = "stepseal/v1";
const PREFIX = "ss1.";

/** Where the kid and the body begin in `data`. */
export const KID_TEXT_AT = PREFIX.length;
export const BODY_TEXT_AT = KID_TEXT_AT + 16 + 1;

const LABEL = Uint8Array.from(STRATEGY, (char) => char.charCodeAt(0));
export const KID_AT: number = LABEL.length;
export const BODY_AT: number = KID_AT + 8;

/**
 * Whether a value has the shape of an envelope of this format: a plain object with its three fields as own
 * properties and no others, the strategy `stepseal/v1`, and `data` that begins as it must.
 *
 * Tells envelopes from other values, and no more: a forged one has the shape too. Never throws for JSON values.
 *
 * @example
 * ```ts
 * import { isSealed } from "stepseal";
 *
 * isSealed({ __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data: "ss1.0123456789abcdef.AQ" }); // true
 * isSealed({ plain: "value" }); // false
 * ```
 */
export function isSealed(value: unknown): value is Envelope {
  if (!isMarked(value) || value.__STRATEGY__ !== STRATEGY) return false;
  return isExact(value) && typeof value.data === "string" && value.data.startsWith(PREFIX);
}

/**
 * The `data` of an envelope, with prefix and kid checked.
 *
 * @throws {StepsealError} FORMAT for anything else; UNSUPPORTED for an envelope of another strategy
 */
export function readData(value: unknown): string {
  if (!isMarked(value)) throw format(`found ${describe(value)} without the marker __ENCRYPTED__: true`);
  if (value.__STRATEGY__ !== STRATEGY) {
    if (!Object.hasOwn(value, "__STRATEGY__")) throw format("the field __STRATEGY__ is missing");
    if (typeof value.__STRATEGY__ !== "string") throw format("the field __STRATEGY__ is not a string");
    const legacy = value.__STRATEGY__ === "inngest/libsodium" ? " (it is inngest/libsodium)" : "";
    throw new StepsealError(
      "UNSUPPORTED",
      `The value is encrypted by another strategy than ${STRATEGY}${legacy}. Open it with what sealed it.`,
    );
  }
  if (!isExact(value)) throw format("its fields are not exactly __ENCRYPTED__, __STRATEGY__ and data");
  const { data } = value;
  if (typeof data !== "string") throw format("the field data is not a string");
  if (!data.startsWith(PREFIX)) throw format(`the field data does not begin with ${PREFIX}`);
  for (let i = KID_TEXT_AT; i < BODY_TEXT_AT - 1; i++) {
    if (hexDigit(data.charCodeAt(i)) < 0) throw format("its kid is not 16 lower-case hex digits");
  }
  if (data[BODY_TEXT_AT - 1] !== ".") throw format("no dot follows its kid");
  return data;
}

/**
 * Writes what the authenticated data begins with: the label and the 8 bytes of the kid.
 *
 * @param text holds the kid, 16 lower-case hex digits, from `at` on
 */
export function writeLabel(out: Uint8Array, text: string, at: number): void {
  for (let i = 0; i < KID_AT; i++) out[i] = LABEL[i]!;
  for (let i = 0; i < 8; i++) {
    out[KID_AT + i] =
      (hexDigit(text.charCodeAt(at + 2 * i)) << 4) | hexDigit(text.charCodeAt(at + 2 * i + 1));
  }
}

type Marked = { readonly __STRATEGY__?: unknown; readonly data?: unknown };

function isMarked(value: unknown): value is Marked {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__ENCRYPTED__") && (value as { __ENCRYPTED__: unknown }).__ENCRYPTED__ === true;
}

/** A plain object with three own properties, among them those two; nothing that serialises as something else. */
function isExact(value: Marked): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Object.prototype, of whatever realm: the one prototype that has none.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return false;
  if (Reflect.ownKeys(value).length !== 3 || "toJSON" in value) return false;
  return Object.hasOwn(value, "__STRATEGY__") && Object.hasOwn(value, "data");
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 102 ? code - 87 : -1;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a value of type ${typeof value}`;
}

function format(problem: string): StepsealError {
  return new StepsealError("FORMAT", `Not a ${STRATEGY} envelope: ${problem}.`);
}

import type { Claims } from "../../../claims.ts";
import { StepsealError } from "../../../errors.ts";
import type { Expected } from "../../../expected.ts";
import { kidOf, type ValueSealer } from "../../../value-sealer.ts";
import { isObject, own } from "./event.ts";
import type { ResolvedOptions } from "./options.ts";

/**
 * Names that may stay readable on a sealed error: classes of the language and of the SDK. Any other name is the
 * user's, and travels inside.
 */
const PUBLIC_NAMES: ReadonlySet<unknown> = new Set([
  "Error",
  "AggregateError",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
  "NonRetriableError",
  "RetryAfterError",
  "StepError",
]);

/** An error as the SDK serialises it: `{name, message, stack, code?, cause?, __serialized: true}`. */
export type WireError = Record<string, unknown>;

/**
 * What leaves in place of a serialised error: a readable name, a fixed message, and the whole of it sealed in
 * `cause`, the one member that the platform's server keeps as it is.
 */
export function sealWireError(
  error: unknown,
  claims: Claims,
  sealer: ValueSealer,
  mode: ResolvedOptions["errors"],
): WireError {
  if (mode === "plaintext" && isObject(error)) return error;
  const name = own(error, "name");
  const shell = { name: PUBLIC_NAMES.has(name) ? name : "Error", stack: "", __serialized: true };
  if (mode === "redact") return { ...shell, message: "Redacted by stepseal" };
  const cause = sealer.seal(error, claims);
  const kid = kidOf(cause);
  return { ...shell, message: `Sealed by stepseal${kid === undefined ? "" : ` (key ${kid})`}`, cause };
}

/** The sealed form of an error, or undefined where the error is not sealed. */
function sealedErrorOf(error: unknown, sealer: ValueSealer): unknown {
  const cause = own(error, "cause");
  return sealer.recognises(cause) ? cause : undefined;
}

/** What the SDK restores of an error. Other members of the wire's error are the platform's own, and stay. */
const RESTORED = ["name", "message", "stack", "code", "cause"] as const;

/**
 * Opens a sealed error. The SDK keeps its own reference to the object and ignores a new one, so the error is opened in
 * place, by what is returned: once all else of the input is open, too, since an input may be opened again with newer keys.
 *
 * @param more members that were sent and that the platform keeps here, beside those of an error
 * @returns what puts the original's members into `error`; undefined where the error was not sealed
 */
export function openWireError(
  error: unknown,
  expected: (claims: Claims) => Expected,
  sealer: ValueSealer,
  more: readonly string[] = [],
): (() => void) | undefined {
  const envelope = sealedErrorOf(error, sealer);
  if (envelope === undefined || !isObject(error)) return undefined;
  const original = sealer.open(envelope, expected);
  if (!isObject(original)) throw new StepsealError("FORMAT", "a sealed error does not hold an error");
  return () => {
    for (const key of [...RESTORED, ...more]) {
      // Ours left with an empty stack. Where the platform left it out, it would have left out this one, too.
      const dropped = key === "stack" && original.stack === "" && error.stack === undefined;
      const present = Object.hasOwn(original, key) && !dropped;
      if (present) error[key] = original[key];
      else delete error[key];
    }
  };
}

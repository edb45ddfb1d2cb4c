import fc from "fast-check";
import { StepsealError, type StepsealErrorCode } from "stepseal";
import { SignatureError, type SignatureErrorCode } from "stepseal/transport";

const isLong = process.env.SLOW === "1";

/**
 * Checks a property: in ordinary runs on the same inputs each time; with SLOW=1 on FUZZ_RUNS others, from FUZZ_SEED or
 * from a seed that a failure names.
 *
 * @param runs of an ordinary run; a long one has a hundred times as many, where FUZZ_RUNS does not say
 */
export function fuzz(
  property: fc.IProperty<unknown> | fc.IAsyncProperty<unknown>,
  runs = 200,
): Promise<void> {
  const { FUZZ_RUNS, FUZZ_SEED } = process.env;
  const long = {
    numRuns: FUZZ_RUNS === undefined ? runs * 100 : Math.ceil((Number(FUZZ_RUNS) * runs) / 200),
    ...(FUZZ_SEED !== undefined && { seed: Number(FUZZ_SEED) }),
  };
  return Promise.resolve(fc.assert(property, isLong ? long : { seed: 20, numRuns: runs }));
}

/** For a test: a long run takes as long as it takes. */
export const TIMEOUT: number = isLong ? 3_600_000 : 120_000;

const CODES: Readonly<Record<StepsealErrorCode | SignatureErrorCode, true>> = {
  UNKNOWN_KEY: true,
  KEY_DISABLED: true,
  KEY_COMPROMISED: true,
  KEY_DESTROYED: true,
  CONTEXT: true,
  CORRUPT: true,
  UNSUPPORTED: true,
  FORMAT: true,
  PLAINTEXT_REJECTED: true,
  TOO_LARGE: true,
  INFLATE_LIMIT: true,
  LEGACY_NO_KEY: true,
  CONFIG: true,
  REFUSED: true,
  MISSING: true,
  MALFORMED: true,
  EXPIRED: true,
  FROM_FUTURE: true,
  MISMATCH: true,
  WRONG_DESTINATION: true,
  BODY_ALTERED: true,
  REPLAYED: true,
  NO_KEYS: true,
  UNSUPPORTED_ALGORITHM: true,
  REPLAY_UNAVAILABLE: true,
};

/** What a call came to: its result, or the code that it was refused with. */
export type Outcome<Value> = { readonly value: Value } | { readonly code: string };

/** What stands in what is sealed, and in no message. */
export const MARKER = "mk80-only-whoever-has-the-key";

/**
 * Calls, and lets nothing pass but a result or an error of ours that has a known code and tells nothing.
 *
 * @param secrets that no message may hold, beside the marker
 */
export function outcomeOf<Value>(call: () => Value, secrets: readonly string[] = []): Outcome<Value> {
  try {
    return { value: call() };
  } catch (error) {
    return { code: codeOf(error, secrets) };
  }
}

/** As `outcomeOf`, of a call that is asynchronous. */
export async function outcomeOfAsync<Value>(
  call: () => Promise<Value>,
  secrets: readonly string[] = [],
): Promise<Outcome<Value>> {
  try {
    return { value: await call() };
  } catch (error) {
    return { code: codeOf(error, secrets) };
  }
}

function codeOf(error: unknown, secrets: readonly string[]): string {
  if (!(error instanceof StepsealError) && !(error instanceof SignatureError)) throw error;
  const told = `${error.message} ${JSON.stringify(error)}`;
  // Nor a part of a secret.
  const isShown = (secret: string): boolean => {
    for (let at = 0; at + 8 <= secret.length; at += 8)
      if (told.includes(secret.slice(at, at + 8))) return true;
    return false;
  };
  if (error.cause !== undefined || told.length > 1000 || !Object.hasOwn(CODES, error.code)) throw error;
  if ([MARKER, ...secrets].some(isShown)) throw new Error("a message shows a secret", { cause: error });
  return error.code;
}

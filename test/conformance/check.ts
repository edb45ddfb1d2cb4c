/** What a runtime lacks, so that something cannot be done in it. */
export interface Lack {
  readonly what: string;
  /** In the implementation's own words, where it has some. */
  readonly why: string;
}

/** What a check comes to when it does not throw: undefined is a pass. */
export type Outcome = Lack | undefined;

/** Takes the checks of the suite, one by one, and runs them as the one who passes it sees fit. */
export type Check = (name: string, run: () => Outcome | Promise<Outcome>) => void;

/** A pass for a check that throws where it fails. */
export const passed: Outcome = undefined;

/** Throws unless two values are the same: primitives by `Object.is`, bytes, arrays and objects by what they hold. */
export function same(found: unknown, expected: unknown): Outcome {
  const where = difference(found, expected, "");
  if (where === undefined) return passed;
  throw new Error(
    `not as expected${where === "" ? "" : ` at ${where}`}: ${show(found)} for ${show(expected)}`,
  );
}

/** Throws unless a condition holds; `what` says what was to hold. */
export function holds(condition: boolean, what: string): Outcome {
  if (condition) return passed;
  throw new Error(`does not hold: ${what}`);
}

/** What a call throws, or rejects with; throws itself where it does neither. */
export async function thrownBy(
  call: () => unknown,
): Promise<{ readonly code?: unknown; readonly message: string }> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

/** Throws unless a call is refused with a code. */
export async function refuses(code: string, call: () => unknown): Promise<Outcome> {
  return same((await thrownBy(call)).code, code);
}

function difference(a: unknown, b: unknown, path: string): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return path;
  if (kindOf(a) !== kindOf(b)) return path;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  if (keys.length !== others.length) return path;
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return `${path}.${key}`;
    const within = difference(Reflect.get(a, key), Reflect.get(b, key), `${path}.${key}`);
    if (within !== undefined) return within;
  }
  return undefined;
}

/** A Buffer is bytes as a Uint8Array is. */
const kindOf = (value: object): string => Object.prototype.toString.call(value);

function show(value: unknown): string {
  if (typeof value === "string") return clip(JSON.stringify(value));
  if (typeof value !== "object" || value === null) return String(value);
  return clip(`${kindOf(value)} ${JSON.stringify(value)}`);
}

const clip = (text: string): string =>
  text.length <= 120 ? text : `${text.slice(0, 120)}… (${text.length})`;

/**
 * What stepseal says where a runtime has no zlib, without the key it says it of. Throws anything else again.
 *
 * @param code of the refusal: `CONFIG` of a sealer that is to compress, `UNSUPPORTED` of a value that is compressed
 */
export function withoutZlib(error: unknown, code: "CONFIG" | "UNSUPPORTED"): Outcome {
  const thrown = error as { readonly code?: unknown; readonly message: string };
  if (thrown.code !== code || !thrown.message.includes("node:zlib")) throw error;
  const what = code === "CONFIG" ? "compressing" : "opening what is compressed";
  return { what, why: thrown.message.replace(/ \(key \w+\)$/, "") };
}

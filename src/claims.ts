import { StepsealError } from "./errors.ts";
import { checkNames, checkObject, checkParent, wrongClaim } from "./internal/claim-checks.ts";
import {
  FIRST_STRING_TAG,
  KIND_CODES,
  KIND_TAG,
  KINDS,
  MAX_CLAIMS_BYTES,
  PARENT_BYTES,
  PARENT_TAG,
  STRINGS,
} from "./internal/claim-table.ts";
import { isWellFormed, readUtf8, writeUtf8 } from "./internal/utf8.ts";

/**
 * What a sealed value is: the place in the platform's data where it stands. `custom` is for values an app seals
 * for itself.
 */
export type Kind =
  | "event.field"
  | "invoke.field"
  | "step.input"
  | "step.output"
  | "step.error"
  | "fn.output"
  | "fn.error"
  | "signal"
  | "realtime"
  | "defer.input"
  | "metadata"
  | "custom";

/**
 * What an envelope says of its value: authenticated, readable by everyone, no secret.
 *
 * Strings are well-formed Unicode; all claims together take at most 4 KiB.
 */
export interface Claims {
  readonly kind: Kind;
  /** The sealer's scope: an environment or a tenant. The sealer writes it; callers do not. */
  readonly scope?: string;
  /** Composite function id, or workflow path. */
  readonly fn?: string;
  /** Run id. A value with it is sealed under the run's own key. */
  readonly run?: string;
  /** Hashed step id as the engine knows it, or step number and name. */
  readonly step?: string;
  /** Event name. */
  readonly event?: string;
  /** Key of the sealed field. */
  readonly field?: string;
  /** Signal name, channel and topic, or another name. */
  readonly name?: string;
  /** 32 bytes: digest of what the value is chained to. */
  readonly parent?: Uint8Array;
}

type Writable = { -readonly [Name in keyof Claims]: Claims[Name] };

/** Claims as tag, length and value, in ascending order of tags. See `writeClaims` for what it throws. */
export function encodeClaims(claims: Claims): Uint8Array {
  checkObject(claims, "claims");
  const out = new Uint8Array(MAX_CLAIMS_BYTES);
  return out.slice(0, writeClaims(claims, claims.scope, out, 0));
}

/**
 * Writes claims into `out` at `at`, where `MAX_CLAIMS_BYTES` must be free.
 *
 * @param scope stands in for `claims.scope`, which is not read
 * @returns where they end
 * @throws {StepsealError} CONFIG for an unknown kind or claim or a wrong type; FORMAT for a string that is no
 * well-formed Unicode and for more than 4 KiB in all
 */
export function writeClaims(claims: Claims, scope: string | undefined, out: Uint8Array, at: number): number {
  checkNames(claims, "claims");
  const limit = at + MAX_CLAIMS_BYTES;
  out[at] = KIND_TAG;
  out[at + 1] = 0;
  out[at + 2] = 1;
  out[at + 3] = KIND_CODES[claims.kind];
  let end = at + 4;
  for (let i = 0; i < STRINGS.length; i++) {
    const name = STRINGS[i]!;
    const text = i === 0 ? scope : claims[name];
    if (text === undefined) continue;
    if (typeof text !== "string")
      throw wrongClaim(`claims.${name}`, `is of type ${typeof text}`, "Give a string.");
    end = writeString(name, text, FIRST_STRING_TAG + i, out, end, limit);
  }
  if (claims.parent !== undefined) {
    checkParent(claims.parent, "claims");
    if (end + 3 + PARENT_BYTES > limit) throw overlong("parent");
    out[end] = PARENT_TAG;
    out[end + 1] = 0;
    out[end + 2] = PARENT_BYTES;
    out.set(claims.parent, end + 3);
    end += 3 + PARENT_BYTES;
  }
  return end;
}

function writeString(
  name: string,
  text: string,
  tag: number,
  out: Uint8Array,
  at: number,
  limit: number,
): number {
  const start = at + 3;
  if (start + text.length > limit) throw overlong(name);
  let end = start;
  // Ids are short and ASCII: a loop is done before a call into the runtime has begun.
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 127) {
      end = writeWide(name, text, out, start, limit);
      break;
    }
    out[end++] = unit;
  }
  const length = end - start;
  out[at] = tag;
  out[at + 1] = length >> 8;
  out[at + 2] = length & 255;
  return end;
}

function writeWide(name: string, text: string, out: Uint8Array, at: number, limit: number): number {
  if (!isWellFormed(text)) {
    throw new StepsealError(
      "FORMAT",
      `The claim ${name} has half of a surrogate pair and so no UTF-8 form. Use well-formed Unicode.`,
    );
  }
  const bytes = new Uint8Array(text.length * 3);
  const length = writeUtf8(text, bytes, 0);
  if (at + length > limit) throw overlong(name);
  out.set(bytes.subarray(0, length), at);
  return at + length;
}

/**
 * Reads claims, all of `bytes` or those `from` to `to`, back, strictly: what `encodeClaims` would not have written is refused.
 *
 * @throws {StepsealError} FORMAT for tags out of order, twice or cut short, bad lengths, bad UTF-8, no kind, or
 * more than 4 KiB; UNSUPPORTED for an unknown tag or kind
 */
export function decodeClaims(bytes: Uint8Array, from = 0, to: number = bytes.length): Claims {
  if (to - from > MAX_CLAIMS_BYTES) {
    throw malformed(`take ${to - from} bytes, more than ${MAX_CLAIMS_BYTES}`);
  }
  const claims: Partial<Writable> = {};
  let last = -1;
  let at = from;
  while (at < to) {
    const tag = bytes[at]!;
    if (at + 3 > to) throw malformed("end within a claim");
    if (tag <= last) throw malformed(`have tag ${tag} after tag ${last}: tags ascend, each at most once`);
    const start = at + 3;
    const end = start + ((bytes[at + 1]! << 8) | bytes[at + 2]!);
    if (end > to) throw malformed("end within a claim");
    readClaim(claims, tag, bytes, start, end);
    last = tag;
    at = end;
  }
  if (claims.kind === undefined) throw malformed("have no kind");
  return claims as Claims;
}

function readClaim(
  claims: Partial<Writable>,
  tag: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const length = end - start;
  if (tag === KIND_TAG) {
    if (length !== 1) throw malformed(`have a kind of ${length} bytes instead of 1`);
    const kind = KINDS.get(bytes[start]!);
    if (kind === undefined) throw unsupported(`kind ${bytes[start]}`);
    claims.kind = kind;
  } else if (tag === PARENT_TAG) {
    if (length !== PARENT_BYTES) {
      throw malformed(`have a parent of ${length} bytes instead of ${PARENT_BYTES}`);
    }
    claims.parent = new Uint8Array(bytes.subarray(start, end));
  } else {
    const name = STRINGS[tag - FIRST_STRING_TAG];
    if (name === undefined) throw unsupported(`a claim with tag ${tag}`);
    const text = readUtf8(bytes, start, end);
    if (text === undefined) throw malformed(`have a ${name} that is not well-formed UTF-8`);
    claims[name] = text;
  }
}

function overlong(name: string): StepsealError {
  return new StepsealError(
    "FORMAT",
    `The claims up to ${name} take more than ${MAX_CLAIMS_BYTES} bytes together. Use shorter names.`,
  );
}

function malformed(problem: string): StepsealError {
  return new StepsealError("FORMAT", `The claims of the envelope ${problem}.`);
}

function unsupported(what: string): StepsealError {
  return new StepsealError(
    "UNSUPPORTED",
    `The envelope has ${what}, which this version of stepseal does not know. Update stepseal where it is opened.`,
  );
}

import { StepsealError } from "../../errors.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import { isSealed } from "../../internal/shape.ts";
import { encodeUtf8, isWellFormed, readUtf8 } from "../../internal/utf8.ts";
import type { SealClaims, Sealer } from "../../sealer.ts";

// The platform carries texts: bodies, and in them more texts. What is sealed is a text, and what is opened is that very
// text, so that whatever reads it then reads what it would have read.

type Opening = Parameters<Sealer["openJson"]>[1];

/** Seals a text, or that there is none: the text of an envelope. */
export function sealText(sealer: Sealer, text: string | undefined, claims: SealClaims): string {
  return JSON.stringify(sealed(sealer, text, claims));
}

function sealed(sealer: Sealer, text: string | undefined, claims: SealClaims): object {
  if (text === undefined) return sealer.seal(undefined, claims);
  if (parse(text) === undefined) return sealer.seal(encodeUtf8(text), claims);
  // On the wire, half of a surrogate pair would become U+FFFD.
  return sealer.sealJson(isWellFormed(text) ? text : utf8(encodeUtf8(text)), claims);
}

/**
 * The envelope that a text is, or undefined for any other text. White space and byte order marks around it count for
 * nothing: where plaintext is accepted, they would make an envelope pass for some, which the SDK then reads as a value.
 */
export function envelopeIn(text: unknown): { readonly data: string } | undefined {
  if (typeof text !== "string") return undefined;
  const bare = text.trim();
  const value = bare.startsWith("{") ? parse(bare)?.value : undefined;
  return isSealed(value) ? value : undefined;
}

/**
 * Opens the text of an envelope.
 *
 * @returns the text that was sealed; undefined where that there was none
 * @throws {StepsealError} PLAINTEXT_REJECTED for any other text, naming `what`; and as `Sealer.open`
 */
export function openText(sealer: Sealer, text: unknown, expected: Opening, what: string): string | undefined {
  const envelope = envelopeIn(text);
  if (envelope === undefined) throw notSealed(what);
  const opened = sealer.openJson(envelope, expected);
  return opened instanceof Uint8Array ? utf8(opened) : opened;
}

export function notSealed(what: string): StepsealError {
  return new StepsealError("PLAINTEXT_REJECTED", `${what} is not sealed.`);
}

/** JSON as a value, or undefined for a text that is none. */
export function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** Whether a value is an object that JSON can hold. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text as the platform carries it. */
export function toBase64(text: string): string {
  return encodeBase64(encodeUtf8(text));
}

/**
 * What the platform carries as text, as leniently as the SDK reads it.
 *
 * @throws {StepsealError} FORMAT, naming `what`
 */
export function fromBase64(base64: unknown, what: string): string {
  if (typeof base64 !== "string") throw new StepsealError("FORMAT", `${what} is no text in base64.`);
  let binary: string;
  try {
    binary = atob(base64);
  } catch {
    throw new StepsealError("FORMAT", `${what} is no base64.`);
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return utf8(bytes);
}

/** Bytes as text, what is malformed as U+FFFD. */
function utf8(bytes: Uint8Array): string {
  return readUtf8(bytes) ?? new TextDecoder().decode(bytes);
}

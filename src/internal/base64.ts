import { StepsealError } from "../errors.ts";
import { decodedLength, encodeBase64url, readBase64url } from "./base64url.ts";

// Without regular expressions: texts can be long. See `decodeBase64url` for what is not canonical.

/** Bytes as padded base64 (RFC 4648, section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  const text = encodeBase64url(bytes).replaceAll("-", "+").replaceAll("_", "/");
  return text + "=".repeat((4 - (text.length % 4)) % 4);
}

/** How many bytes a padded base64 text holds, or a little more. */
export function base64Bytes(text: string): number {
  return decodedLength(text.length);
}

/**
 * Decodes padded base64, the one canonical text of each byte string and nothing else.
 *
 * @throws {StepsealError} FORMAT
 */
export function decodeBase64(text: string): Uint8Array {
  const digits = text.endsWith("==") ? text.slice(0, -2) : text.endsWith("=") ? text.slice(0, -1) : text;
  const isPlain = text.length % 4 === 0 && !text.includes("-") && !text.includes("_");
  const bytes = isPlain ? readBase64url(digits.replaceAll("+", "-").replaceAll("/", "_")) : undefined;
  if (bytes !== undefined) return bytes;
  throw new StepsealError("FORMAT", "The data of the sealed value is not canonical base64 with padding.");
}

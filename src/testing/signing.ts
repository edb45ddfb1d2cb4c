import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

/** How long a signature is good for, in seconds, before and after. */
const WINDOW = 300;

const withoutPrefix = (key: string): string => key.replace(/^signkey-\w+-/, "");

function mac(body: string, key: string, seconds: string): string {
  return bytesToHex(hmac(sha256, utf8ToBytes(withoutPrefix(key)), utf8ToBytes(body + seconds)));
}

/**
 * The `x-inngest-signature` of a body: `t=<unix seconds>&s=<hex HMAC-SHA256 of body and time>`.
 *
 * @param body the text as sent; canonical JSON for a request
 */
export function sign(body: string, key: string, seconds: number = Math.floor(Date.now() / 1000)): string {
  return `t=${seconds}&s=${mac(body, key, String(seconds))}`;
}

/** Why a signature does not hold, or undefined when it does. */
export function signatureFault(
  signature: string | null | undefined,
  body: string,
  key: string,
): string | undefined {
  if (!signature) return "it has no x-inngest-signature header";
  const fields = new URLSearchParams(signature);
  const seconds = fields.get("t") ?? "";
  const given = fields.get("s") ?? "";
  if (!/^\d+$/.test(seconds) || given === "") return "its x-inngest-signature header is malformed";
  if (Math.abs(Date.now() / 1000 - Number(seconds)) > WINDOW) return "its signature is over five minutes old";
  if (given !== mac(body, key, seconds)) return "its signature does not cover its body";
  return undefined;
}

/** The token of API calls: the key's prefix, then the hex SHA-256 of the hex-decoded key. */
export function apiToken(signingKey: string): string {
  const prefix = /^signkey-\w+-/.exec(signingKey)?.[0] ?? "";
  return prefix + bytesToHex(sha256(hexToBytes(withoutPrefix(signingKey))));
}

/** Whether the key can be used: hex digits after an optional `signkey-<env>-`. */
export function isSigningKey(key: string): boolean {
  const bare = withoutPrefix(key);
  return bare.length > 0 && bare.length % 2 === 0 && /^[0-9a-f]+$/i.test(bare);
}

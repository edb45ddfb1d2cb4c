import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { equalBytes } from "./trigger.ts";

const SIGNATURE_HEADER = "x-inngest-signature";

/**
 * Signs a rewritten response again, with the key that signed the one it replaces.
 *
 * The SDK signs before the response reaches the gate and does not say which of its keys verified the request, so
 * the old signature is made again with each; the key that makes it is the one. A response without a signature
 * (dev server, connect) gets none; one that no key explains was changed by another middleware, and is left.
 *
 * @param keys signing keys, `signkey-<env>-<hex>`
 * @param now time in milliseconds
 */
export function signAgain(
  headers: Readonly<Record<string, string>>,
  oldBody: string,
  newBody: string,
  keys: readonly (string | undefined)[],
  now: number,
): Record<string, string> {
  const name = Object.keys(headers).find((key) => key.toLowerCase() === SIGNATURE_HEADER);
  if (name === undefined) return { ...headers };
  const old = new URLSearchParams(headers[name]);
  const oldTime = old.get("t") ?? "";
  const oldSignature = utf8ToBytes(old.get("s") ?? "");
  for (const key of keys) {
    if (key === undefined || !equalBytes(utf8ToBytes(sign(key, oldBody, oldTime)), oldSignature)) continue;
    const time = String(Math.round(now / 1000));
    return { ...headers, [name]: `t=${time}&s=${sign(key, newBody, time)}` };
  }
  return { ...headers };
}

/** HMAC-SHA256 over body and time under the key's text without its `signkey-<env>-` prefix, in hex. */
function sign(signingKey: string, body: string, time: string): string {
  const key = utf8ToBytes(signingKey.replace(/^signkey-\w+-/, ""));
  return bytesToHex(hmac(sha256, key, utf8ToBytes(body + time)));
}

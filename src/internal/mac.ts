import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

/** HMAC-SHA256 (RFC 2104) over parts as if they were one message. */
export function hmacSha256(secret: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = hmac.create(sha256, secret);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/**
 * Whether two byte strings are equal, in a time that depends on their lengths alone.
 *
 * For what an attacker may guess byte by byte; lengths are taken to be public.
 */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

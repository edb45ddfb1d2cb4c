import { sha1 } from "@noble/hashes/legacy.js";
import { bytesToHex, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/**
 * A ULID: 48 bits of milliseconds and 80 bits of entropy in 26 letters of Crockford's base 32.
 *
 * @param entropy 10 bytes; random when absent
 */
export function ulid(milliseconds: number, entropy: Uint8Array = randomBytes(10)): string {
  let value = BigInt(Math.max(0, Math.trunc(milliseconds)));
  for (const byte of entropy) value = (value << 8n) | BigInt(byte);
  let id = "";
  for (let i = 0; i < 26; i++) {
    id = CROCKFORD[Number(value & 31n)] + id;
    value >>= 5n;
  }
  return id;
}

/** A ULID that depends on its time and seed alone. */
export function seededUlid(milliseconds: number, seed: string): string {
  return ulid(milliseconds, sha1(utf8ToBytes(seed)).subarray(0, 10));
}

/** The hashed id of a step: hex SHA-1 of its id, `:<index>` included when the id was used before. */
export function hashStepId(id: string): string {
  return bytesToHex(sha1(utf8ToBytes(id)));
}

/** A UUID that depends on the name alone. */
export function namedUuid(name: string): string {
  const hex = bytesToHex(sha1(utf8ToBytes(name)));
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A random UUID. */
export function randomUuid(): string {
  return crypto.randomUUID();
}

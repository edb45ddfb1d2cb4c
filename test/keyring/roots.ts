import { createHash, createHmac, hkdfSync } from "node:crypto";
import { formatKey } from "../../src/keyring/key.ts";

/** A root key that is the same in every run of the tests, and belongs to nobody. */
export function root(name: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(`stepseal test root ${name}`).digest());
}

/** The same root as text. */
export function key(name: string): string {
  return formatKey(root(name));
}

/** `HKDF-Extract`, which Node offers as plain HMAC. */
export function prk(name: string): Buffer {
  return createHmac("sha256", "stepseal/v1/extract").update(root(name)).digest();
}

/** A derivation by the format's own words, with Node's HKDF. */
export function expand(name: string, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync("sha256", root(name), "stepseal/v1/extract", info, length));
}

/** The kid of a root. */
export function kid(name: string): string {
  return expand(name, "stepseal/v1/kid", 8).toString("hex");
}

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { encodeBase62 } from "../internal/base62.ts";

/** 62^6 is the first power of 62 above 2^32. */
export const CHECK_DIGITS = 6;

/** The end of every key in text: the first 4 bytes of the SHA-256 of all before them, in base62. */
export function checkDigits(body: string): string {
  return encodeBase62(sha256(utf8ToBytes(body)).subarray(0, 4), CHECK_DIGITS);
}

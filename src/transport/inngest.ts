import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { StepsealError } from "../errors.ts";
import { isHex } from "../internal/bytes.ts";
import { equalInConstantTime, hmacSha256 } from "../internal/mac.ts";
import { encodeUtf8 } from "../internal/utf8.ts";
import { type SigningKey, splitPrefix } from "./key.ts";
import { SignatureError } from "./signature-error.ts";

/** The header of requests and responses; in lower case, as HTTP/2 and Node write it. */
export const INNGEST_HEADER = "x-inngest-signature";

/** How far the time of a signature may be from now, in seconds, before and after (inngest, RequestSignature). */
export const INNGEST_WINDOW = 300;

/** `t=<unix seconds>&s=<64 hex digits>`, taken apart. */
export interface InngestSignature {
  readonly seconds: number;
  readonly mac: Uint8Array;
}

/** The time follows the covered bytes in decimal, with nothing between them. */
function macOf(key: SigningKey, covered: Uint8Array, seconds: number): Uint8Array {
  return hmacSha256(key.secret, covered, encodeUtf8(String(seconds)));
}

/**
 * Signs bytes as Inngest does.
 *
 * @param covered what the signature covers: canonical JSON of a request (`coveredByRequest`), the text of a response
 * @param seconds when, in Unix seconds
 * @returns the value of the header
 */
export function signInngest(key: SigningKey, covered: Uint8Array, seconds: number): string {
  return `t=${seconds}&s=${bytesToHex(macOf(key, covered, seconds))}`;
}

/**
 * Reads a signature header: `t` and `s`, each once and nothing else, a time without leading zeros, lower-case hex.
 *
 * The time needs this care: nothing separates it from the body under the HMAC, so `…1` at `01700000000` and `…10` at
 * `1700000000` have one signature.
 *
 * @throws {SignatureError} MALFORMED
 */
export function readInngestSignature(header: string): InngestSignature {
  const fields = header.split("&");
  const time = fields.find((field) => field.startsWith("t="))?.slice(2) ?? "";
  const mac = fields.find((field) => field.startsWith("s="))?.slice(2) ?? "";
  if (fields.length !== 2 || !/^[1-9]\d{0,11}$/.test(time) || !/^[0-9a-f]{64}$/.test(mac)) {
    throw new SignatureError(
      "MALFORMED",
      `${INNGEST_HEADER} is not t=<seconds>&s=<64 lower-case hex digits>.`,
    );
  }
  return { seconds: Number(time), mac: hexToBytes(mac) };
}

/** The first of the keys that made the signature, or undefined. Says nothing of its time. */
export function inngestSigner(
  signature: InngestSignature,
  covered: Uint8Array,
  keys: readonly SigningKey[],
): SigningKey | undefined {
  return keys.find((key) => equalInConstantTime(macOf(key, covered, signature.seconds), signature.mac));
}

/**
 * Checks a signature and its time.
 *
 * @param covered as for `signInngest`
 * @param keys primary first, then the fallback; at least one
 * @param now Unix seconds
 * @returns the key that made it
 * @throws {SignatureError} MISMATCH, and for an authentic signature EXPIRED or FROM_FUTURE
 */
export function checkInngest(
  signature: InngestSignature,
  covered: Uint8Array,
  keys: readonly SigningKey[],
  now: number,
): SigningKey {
  const key = inngestSigner(signature, covered, keys);
  if (key === undefined) {
    throw new SignatureError("MISMATCH", "No configured key makes this signature for this body and time.");
  }
  const age = now - signature.seconds;
  if (age > INNGEST_WINDOW) {
    throw new SignatureError("EXPIRED", `Signed over ${INNGEST_WINDOW} s ago.`);
  }
  if (age < -INNGEST_WINDOW) {
    throw new SignatureError("FROM_FUTURE", `Signed over ${INNGEST_WINDOW} s from now: compare the clocks.`);
  }
  return key;
}

/** Whether a key has the form that `bearerToken` takes: pairs of hex digits after an optional `signkey-<env>-`. */
export function isHexKey(signingKey: string): boolean {
  const { rest } = splitPrefix(signingKey);
  return rest !== "" && rest.length % 2 === 0 && isHex(rest);
}

/**
 * What API calls authenticate with: the key's prefix, then the hex SHA-256 of the hex-decoded key (inngest,
 * `hashSigningKey`).
 *
 * @param signingKey `signkey-<env>-<hex>` or the hex alone
 * @param where the option or variable that holds the key; begins the message
 * @throws {StepsealError} CONFIG for a key that is not in hex
 */
export function bearerToken(signingKey: string, where: string): string {
  if (!isHexKey(signingKey)) {
    throw new StepsealError("CONFIG", `${where}: expected hex digits in pairs after signkey-<env>-.`);
  }
  const { prefix, rest } = splitPrefix(signingKey);
  return prefix + bytesToHex(sha256(hexToBytes(rest)));
}

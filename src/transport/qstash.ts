import { sha256 } from "@noble/hashes/sha2.js";
import { CompactSign } from "jose/jws/compact/sign";
import { compactVerify } from "jose/jws/compact/verify";
import { encodeBase64url, readBase64url } from "../internal/base64url.ts";
import { equalInConstantTime } from "../internal/mac.ts";
import { encodeUtf8, readUtf8 } from "../internal/utf8.ts";
import type { SigningKey } from "./key.ts";
import { SignatureError } from "./signature-error.ts";

const ISSUER = "Upstash";

/** What a token must say to be accepted. */
export interface TokenRules {
  /** The URLs it may be for; undefined for any. */
  readonly urls: readonly string[] | undefined;
  /** Longest time from `nbf` to `exp`, in seconds. */
  readonly maxLifetime: number;
  /** Seconds by which the clocks may differ. */
  readonly clockTolerance: number;
}

/** A token that was accepted. */
export interface AcceptedToken {
  readonly key: SigningKey;
  /** The MAC as canonical text, however the token spelt it. */
  readonly signature: string;
  /** The last moment it could be accepted, in Unix seconds. */
  readonly goodUntil: number;
}

/**
 * Signs a body as QStash does: a JWT whose claim `body` is the hash of the body.
 *
 * Two tokens for one body differ in `jti`, as those of two deliveries do.
 *
 * @param now Unix seconds
 * @param lifetime seconds
 */
export async function signQstash(
  key: SigningKey,
  body: Uint8Array,
  { url, now, lifetime }: { readonly url: string; readonly now: number; readonly lifetime: number },
): Promise<string> {
  const at = Math.floor(now);
  const claims = {
    iss: ISSUER,
    sub: url,
    exp: at + lifetime,
    nbf: at,
    iat: at,
    jti: `jwt_${crypto.randomUUID()}`,
    body: hashOf(body),
  };
  return await new CompactSign(encodeUtf8(JSON.stringify(claims)))
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(key.secret);
}

/**
 * Checks a token against keys, body and rules. Where the SDK's Receiver and this differ, this is the stricter: it takes
 * HS256 alone, wants `exp` and `nbf`, caps the lifetime, and always knows its URL.
 *
 * Every key is tried before a claim is looked at: what is wrong with an authentic token is then the reason told.
 *
 * @param keys current first, then next; at least one
 * @param now Unix seconds
 * @throws {SignatureError} MALFORMED, UNSUPPORTED_ALGORITHM, MISMATCH, EXPIRED, FROM_FUTURE, WRONG_DESTINATION,
 * BODY_ALTERED
 */
export async function checkQstash(
  token: string,
  body: Uint8Array,
  keys: readonly SigningKey[],
  rules: TokenRules,
  now: number,
): Promise<AcceptedToken> {
  const { canonical, signature } = readToken(token);
  const { key, payload } = await openToken(canonical, keys);
  return { key, signature, goodUntil: checkClaims(payload, body, rules, now) };
}

/** RFC 7515, 7.1: header, payload and signature, each in base64url. */
function readToken(token: string): { canonical: string; signature: string } {
  const [header = "", payload = "", signed = "", ...more] = token.split(".");
  if (more.length > 0 || header === "" || payload === "") throw malformed("is not a JWT");
  const { alg, crit } = readObject(decode(header));
  // RFC 7515, 4.1.11: `crit` names extensions that must be understood. There are none.
  if (alg !== "HS256" || crit !== undefined) {
    throw new SignatureError("UNSUPPORTED_ALGORITHM", "The token is signed otherwise than with plain HS256.");
  }
  // Header and payload are covered by the MAC as they are spelt. The MAC is not: one spelling, or none.
  const signature = withoutPadding(signed);
  if (decode(signature).length !== 32) throw malformed("has a signature of another length than HS256");
  return { canonical: `${header}.${payload}.${signature}`, signature };
}

async function openToken(
  token: string,
  keys: readonly SigningKey[],
): Promise<{ key: SigningKey; payload: Uint8Array }> {
  for (const key of keys) {
    try {
      const { payload } = await compactVerify(token, key.secret, { algorithms: ["HS256"] });
      return { key, payload };
    } catch (error) {
      const code = (error as { code?: unknown } | null)?.code;
      if (code !== "ERR_JWS_SIGNATURE_VERIFICATION_FAILED") throw malformed("is not a JWT");
    }
  }
  throw new SignatureError("MISMATCH", "No configured key makes the signature of this token.");
}

/** @returns the last moment the token could be accepted, in Unix seconds */
function checkClaims(payload: Uint8Array, body: Uint8Array, rules: TokenRules, now: number): number {
  const claims = readObject(payload);
  const { iss, exp, nbf, sub } = claims;
  if (iss !== ISSUER) throw malformed("has another issuer than Upstash");
  if (!isTime(exp) || !isTime(nbf)) throw malformed("has no exp or nbf that is a time");
  if (exp <= nbf || exp - nbf > rules.maxLifetime) {
    throw malformed(`is good for another time than 1 to ${rules.maxLifetime} s`);
  }
  const goodUntil = exp + rules.clockTolerance;
  if (now >= goodUntil) throw new SignatureError("EXPIRED", "The token has expired.");
  if (now < nbf - rules.clockTolerance) {
    throw new SignatureError("FROM_FUTURE", "The token is not valid yet: compare the clocks.");
  }
  if (rules.urls !== undefined && !rules.urls.some((url) => url === sub)) {
    throw new SignatureError("WRONG_DESTINATION", "The token is for another URL than the configured one.");
  }
  if (typeof claims.body !== "string") throw malformed("has no hash of a body");
  if (!equalInConstantTime(encodeUtf8(withoutPadding(claims.body)), encodeUtf8(hashOf(body)))) {
    throw new SignatureError("BODY_ALTERED", "The token is for another body.");
  }
  return goodUntil;
}

function hashOf(body: Uint8Array): string {
  return encodeBase64url(sha256(body));
}

/** The Receiver takes the hash with and without padding. */
function withoutPadding(text: string): string {
  let end = text.length;
  while (text[end - 1] === "=") end--;
  return text.slice(0, end);
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function decode(text: string): Uint8Array {
  const bytes = readBase64url(text);
  if (bytes === undefined) throw malformed("is not in canonical base64url");
  return bytes;
}

function readObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(readUtf8(bytes) ?? "");
  } catch {
    throw malformed("is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed("is not a JSON object");
  return value as Record<string, unknown>;
}

function malformed(problem: string): SignatureError {
  return new SignatureError("MALFORMED", `The token ${problem}.`);
}

import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand, kid, root } from "../keyring/roots.ts";

// Envelope v1 written a second time, straight from docs/envelope-v1.md and sharing no code with src: the vectors
// are made with it, so that they say what the format is and not what the implementation happens to do.

/** Claims as they stand in vectors: the parent as hex. */
export interface PlainClaims {
  readonly kind?: string;
  readonly scope?: string;
  readonly fn?: string;
  readonly run?: string;
  readonly step?: string;
  readonly event?: string;
  readonly field?: string;
  readonly name?: string;
  readonly parent?: string;
}

export interface Sealed {
  readonly __ENCRYPTED__: true;
  readonly __STRATEGY__: "stepseal/v1";
  readonly data: string;
}

const KINDS: Readonly<Record<string, number>> = {
  "event.field": 1,
  "invoke.field": 2,
  "step.input": 3,
  "step.output": 4,
  "step.error": 5,
  "fn.output": 6,
  "fn.error": 7,
  signal: 8,
  realtime: 9,
  "defer.input": 10,
  metadata: 11,
  custom: 64,
};

/** Every kind of claim v1 knows. */
export const ALL_KINDS: readonly string[] = Object.keys(KINDS);

/** One claim: tag, length, value. */
export function tlv(tag: number, value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value as string);
  const head = Buffer.alloc(3);
  head.writeUInt8(tag, 0);
  head.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

export function claimBytes(claims: PlainClaims): Buffer {
  const parts: Buffer[] = [];
  if (claims.kind !== undefined) parts.push(tlv(1, Uint8Array.of(KINDS[claims.kind]!)));
  const names = ["scope", "fn", "run", "step", "event", "field", "name"] as const;
  names.forEach((name, i) => {
    const text = claims[name];
    if (text !== undefined) parts.push(tlv(2 + i, text));
  });
  if (claims.parent !== undefined) parts.push(tlv(9, Buffer.from(claims.parent, "hex")));
  return Buffer.concat(parts);
}

/** A message before it is sealed; every part can be given wrong. */
export interface Message {
  readonly key: string;
  readonly run?: string | undefined;
  readonly suite?: number;
  readonly flags?: number;
  readonly claims: Uint8Array;
  /** In place of the length of `claims`. */
  readonly claimsLength?: number;
  readonly nonce: Uint8Array;
  readonly content: Uint8Array;
}

function sealingKeyOf(key: string, run: string | undefined): Buffer {
  return expand(key, run === undefined ? "stepseal/v1/seal" : `stepseal/v1/run\0${run}`, 32);
}

/** The body of an envelope: header, claims, nonce, ciphertext, tag; authentic whatever it says. */
export function body(message: Message): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt8(message.suite ?? 1, 0);
  head.writeUInt8(message.flags ?? 0, 1);
  head.writeUInt16BE(message.claimsLength ?? message.claims.length, 2);
  const aad = Buffer.concat([
    Buffer.from("stepseal/v1"),
    Buffer.from(kid(message.key), "hex"),
    head,
    message.claims,
  ]);
  const cipher = xchacha20poly1305(sealingKeyOf(message.key, message.run), message.nonce, aad);
  const sealed = cipher.encrypt(Uint8Array.from(message.content));
  return Buffer.concat([head, message.claims, message.nonce, sealed]);
}

export function envelope(kidText: string, bytes: Uint8Array): Sealed {
  return wrap(`ss1.${kidText}.${Buffer.from(bytes).toString("base64url")}`);
}

export function wrap(data: string): Sealed {
  return { __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data };
}

/** The content of a padded message: an end byte, then zeros up to the Padmé length. */
export function padded(content: Uint8Array): Buffer {
  const length = content.length + 1;
  const exponent = 31 - Math.clz32(length);
  const significant = exponent === 0 ? 0 : 32 - Math.clz32(exponent);
  const mask = (1 << (exponent - significant)) - 1;
  const room = exponent === 0 ? length : (length + mask) & ~mask;
  return Buffer.concat([content, Uint8Array.of(0x80), Buffer.alloc(room - length)]);
}

export function deflated(content: Uint8Array): Buffer {
  return deflateRawSync(content, { level: 9 });
}

/** A nonce that is fixed: of vectors only, where nothing secret is sealed. */
export function nonceOf(name: string): Buffer {
  return createHash("sha256").update(`stepseal vector nonce ${name}`).digest().subarray(0, 24);
}

/** A 32-byte digest for `parent`, as hex. */
export function digestOf(name: string): string {
  return createHash("sha256").update(`stepseal vector parent ${name}`).digest("hex");
}

/** The bytes of a root, as hex. */
export function rootHex(key: string): string {
  return Buffer.from(root(key)).toString("hex");
}

/** A run key as text. */
export function runKeyText(name: string, run: string): { key: string; text: string } {
  const key = expand(name, `stepseal/v1/run\0${run}`, 32);
  const head = `ssrk1_${kid(name)}_${Buffer.from(run).toString("base64url")}_${base62(key, 43)}`;
  const check = createHash("sha256").update(head).digest().subarray(0, 4);
  return { key: key.toString("hex"), text: head + base62(check, 6) };
}

function base62(bytes: Uint8Array, length: number): string {
  const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  let rest = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  let text = "";
  for (let i = 0; i < length; i++, rest /= 62n) text = digits[Number(rest % 62n)] + text;
  return text;
}

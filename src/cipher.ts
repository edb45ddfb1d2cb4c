import { hchacha } from "@noble/ciphers/chacha.js";
import { type Engine, TAG_BYTES } from "./engines/engine.ts";
import { kernelEngine } from "./engines/kernel.ts";
import { nativeEngine } from "./engines/native.ts";
import { portableEngine } from "./engines/portable.ts";
import { equalBytes } from "./internal/bytes.ts";

/** Length of a sealing key, of a message's nonce and of the authentication tag, in bytes. */
const KEY_BYTES = 32;
export const NONCE_BYTES = 24;
export { TAG_BYTES };

/** Messages up to this length are for the kernel. Above it, Node's cipher is faster by more than its calls cost. */
const SHORT_BYTES = 2048;

let forShort: Engine | undefined;
let forLong: Engine | undefined;

/**
 * The engine of this process for a message of so many bytes: the fastest one that proves itself, chosen on first use. What
 * short messages do not need is not loaded for them.
 */
export function engineFor(bytes: number): Engine {
  if (bytes > SHORT_BYTES) return engineForLong();
  forShort ??= ifSound(kernelEngine()) ?? engineForLong();
  return forShort;
}

function engineForLong(): Engine {
  forLong ??= ifSound(nativeEngine()) ?? portableEngine;
  return forLong;
}

/** The engine if it is there and gives the known answer. */
export function ifSound(engine: Engine | undefined): Engine | undefined {
  return engine !== undefined && passesSelfTest(engine) ? engine : undefined;
}

// HChaCha20 works on words in the host's byte order. One set for all calls, wiped after each: everything here is
// synchronous and calls no code of the user's.
const sigma = new Uint32Array(Uint8Array.from("expand 32-byte k", (char) => char.charCodeAt(0)).buffer);
const keyWords = new Uint32Array(8);
const nonceWords = new Uint32Array(4);
const subkeyWords = new Uint32Array(8);
const keyBytes = new Uint8Array(keyWords.buffer);
const nonceBytes = new Uint8Array(nonceWords.buffer);
const subkey = new Uint8Array(subkeyWords.buffer);
const innerNonce = new Uint8Array(12);

/** Key and nonce of the inner step, left in `subkey` and `innerNonce` (draft-irtf-cfrg-xchacha-03, section 2.3). */
function deriveInner(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== KEY_BYTES || nonce.length !== NONCE_BYTES) throw new RangeError("key or nonce length");
  keyBytes.set(key);
  for (let i = 0; i < 16; i++) nonceBytes[i] = nonce[i]!;
  for (let i = 16; i < NONCE_BYTES; i++) innerNonce[i - 12] = nonce[i]!;
  hchacha(sigma, keyWords, nonceWords, subkeyWords);
  keyWords.fill(0);
}

/**
 * XChaCha20-Poly1305: seals `content` into `out` at `at`, ciphertext first, then the 16-byte tag.
 *
 * @param key 32 bytes
 * @param nonce 24 bytes, never used twice with one key
 */
export function sealBytes(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  content: Uint8Array,
  out: Uint8Array,
  at: number,
  using: Engine = engineFor(content.length),
): void {
  deriveInner(key, nonce);
  using.seal(subkey, innerNonce, aad, content, out, at);
  subkeyWords.fill(0);
}

/** Undoes `sealBytes`: the content, or undefined when the tag does not fit, for whatever reason. */
export function openBytes(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
  using: Engine = engineFor(sealed.length - TAG_BYTES),
): Uint8Array | undefined {
  deriveInner(key, nonce);
  const content = using.open(subkey, innerNonce, aad, sealed);
  subkeyWords.fill(0);
  return content;
}

/** The example of draft-irtf-cfrg-xchacha-03, appendix A.3.1. The tag depends on every byte of the ciphertext. */
function passesSelfTest(candidate: Engine): boolean {
  const upTo = (first: number, count: number): Uint8Array =>
    Uint8Array.from({ length: count }, (_, i) => first + i);
  const content = new TextEncoder().encode(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  );
  const aad = Uint8Array.of(0x50, 0x51, 0x52, 0x53, ...upTo(0xc0, 8));
  const tag = [
    0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79, 0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a, 0xcf, 0x49,
  ];
  const [key, nonce] = [upTo(0x80, KEY_BYTES), upTo(0x40, NONCE_BYTES)];
  try {
    const sealed = new Uint8Array(content.length + TAG_BYTES);
    sealBytes(key, nonce, aad, content, sealed, 0, candidate);
    const opened = openBytes(key, nonce, aad, sealed, candidate);
    if (opened === undefined || !equalBytes(opened, content)) return false;
    if (!equalBytes(sealed.subarray(content.length), Uint8Array.from(tag))) return false;
    sealed[0]! ^= 1;
    return openBytes(key, nonce, aad, sealed, candidate) === undefined;
  } catch {
    return false;
  }
}

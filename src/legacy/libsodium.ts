import { secretbox } from "@noble/ciphers/salsa.js";

// The official format since 1.0: nonce (24 bytes), then the 16-byte tag, then the ciphertext of XSalsa20-Poly1305,
// which is what libsodium's crypto_secretbox_easy and NaCl's SecretBox make.

const NONCE_BYTES = 24;
const TAG_BYTES = 16;

/** Seals bytes under a 32-byte key, with a fresh random nonce. */
export function sealBox(key: Uint8Array, content: Uint8Array): Uint8Array {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = secretbox(key, nonce).seal(content);
  const box = new Uint8Array(NONCE_BYTES + sealed.length);
  box.set(nonce);
  box.set(sealed, NONCE_BYTES);
  return box;
}

/** Undoes `sealBox`: the content, or undefined when it was not sealed under this key, or altered. */
export function openBox(key: Uint8Array, box: Uint8Array): Uint8Array | undefined {
  if (box.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    return secretbox(key, box.slice(0, NONCE_BYTES)).open(box.slice(NONCE_BYTES));
  } catch {
    return undefined;
  }
}

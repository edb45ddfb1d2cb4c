import { cbc } from "@noble/ciphers/aes.js";
import { md5 } from "@noble/hashes/legacy.js";
import { concatBytes } from "@noble/hashes/utils.js";

// The official format before 1.0, which is crypto-js's, which is OpenSSL's: "Salted__", salt (8 bytes), AES-256-CBC
// with PKCS #7 padding. Nothing authenticates it: whoever stores a value can change it. It is read and never written.

const MARK = Uint8Array.from("Salted__", (char) => char.charCodeAt(0));
const SALT_BYTES = 8;
const BLOCK_BYTES = 16;
const KEY_BYTES = 32;

/** Decrypts a salted message: the content, or undefined where its padding does not fit. */
export function openSalted(passphrase: Uint8Array, message: Uint8Array): Uint8Array | undefined {
  const ciphertextAt = MARK.length + SALT_BYTES;
  const length = message.length - ciphertextAt;
  if (length < BLOCK_BYTES || length % BLOCK_BYTES !== 0) return undefined;
  if (!MARK.every((byte, i) => message[i] === byte)) return undefined;
  const derived = evpBytesToKey(passphrase, message.subarray(MARK.length, ciphertextAt));
  try {
    const decipher = cbc(derived.subarray(0, KEY_BYTES), derived.subarray(KEY_BYTES));
    return decipher.decrypt(message.slice(ciphertextAt));
  } catch {
    return undefined;
  } finally {
    derived.fill(0);
  }
}

/** OpenSSL's EVP_BytesToKey with MD5 and one iteration: 32 bytes of key and 16 of IV, each block hashed into the next. */
function evpBytesToKey(passphrase: Uint8Array, salt: Uint8Array): Uint8Array {
  const first = md5(concatBytes(passphrase, salt));
  const second = md5(concatBytes(first, passphrase, salt));
  const third = md5(concatBytes(second, passphrase, salt));
  return concatBytes(first, second, third);
}

import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";

const require = createRequire(new URL("./thirdparty/package.json", import.meta.url));

/** What is used of libsodium-wrappers. */
interface Sodium {
  readonly ready: Promise<void>;
  crypto_secretbox_easy(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array;
  crypto_secretbox_open_easy(sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array;
}

/** The encryption of the official middleware, as the middleware calls it. */
export interface OfficialService {
  encrypt(value: unknown): Promise<string>;
  decrypt(sealed: string): Promise<unknown>;
}

/** @param keys the first one seals */
export function official(keys: readonly string[]): OfficialService {
  const { LibSodiumEncryptionService } = require("@inngest/middleware-encryption/strategies/libSodium") as {
    LibSodiumEncryptionService: new (keys: readonly string[]) => OfficialService;
  };
  return new LibSodiumEncryptionService(keys);
}

/** No encryption at all: JSON, UTF-8 and base64, which every one of them has to do. */
export const floor = {
  seal: (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url"),
  open: (sealed: string): unknown => JSON.parse(Buffer.from(sealed, "base64url").toString()),
};

/** The same around a cipher and nothing else, for reference: no claims, no key lookup, no context. */
export async function rawCiphers(): Promise<
  Record<"libsodium" | "node" | "noble", { seal(value: unknown): string; open(sealed: string): unknown }>
> {
  const sodium = require("libsodium-wrappers") as Sodium;
  await sodium.ready;
  const key = randomBytes(32);
  const keyObject = createSecretKey(key);
  const around = (
    encrypt: (bytes: Uint8Array) => Uint8Array,
    decrypt: (bytes: Uint8Array) => Uint8Array,
  ) => ({
    seal: (value: unknown) => Buffer.from(encrypt(Buffer.from(JSON.stringify(value)))).toString("base64url"),
    open: (sealed: string): unknown =>
      JSON.parse(Buffer.from(decrypt(Buffer.from(sealed, "base64url"))).toString()),
  });
  return {
    libsodium: around(
      (bytes) => {
        const nonce = randomBytes(24);
        return Buffer.concat([nonce, sodium.crypto_secretbox_easy(bytes, nonce, key)]);
      },
      (bytes) => sodium.crypto_secretbox_open_easy(bytes.subarray(24), bytes.subarray(0, 24), key),
    ),
    node: around(
      (bytes) => {
        const nonce = randomBytes(12);
        const cipher = createCipheriv("chacha20-poly1305", keyObject, nonce, { authTagLength: 16 });
        return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
      },
      (bytes) => {
        const end = bytes.length - 16;
        const decipher = createDecipheriv("chacha20-poly1305", keyObject, bytes.subarray(0, 12), {
          authTagLength: 16,
        });
        decipher.setAuthTag(bytes.subarray(end));
        return Buffer.concat([decipher.update(bytes.subarray(12, end)), decipher.final()]);
      },
    ),
    noble: around(
      (bytes) => {
        const nonce = randomBytes(24);
        return Buffer.concat([nonce, xchacha20poly1305(key, nonce).encrypt(bytes)]);
      },
      (bytes) => xchacha20poly1305(key, bytes.subarray(0, 24)).decrypt(bytes.subarray(24)),
    ),
  };
}

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { Engine } from "./engine.ts";

/** The engine that runs everywhere. */
export const portableEngine: Engine = {
  name: "portable",
  seal(key, nonce, aad, content, out, at) {
    out.set(chacha20poly1305(key, nonce, aad).encrypt(content), at);
  },
  open(key, nonce, aad, sealed) {
    try {
      return chacha20poly1305(key, nonce, aad).decrypt(sealed);
    } catch {
      return undefined;
    }
  },
};

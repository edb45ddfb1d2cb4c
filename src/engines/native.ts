import type * as CryptoModule from "node:crypto";
import { builtin } from "../internal/runtime.ts";
import { type Engine, TAG_BYTES } from "./engine.ts";

const ALGORITHM = "chacha20-poly1305";
const OPTIONS = { authTagLength: TAG_BYTES } as const;

/** The engine of runtimes with Node's cipher, or undefined. */
export function nativeEngine(): Engine | undefined {
  const found = builtin<typeof CryptoModule>("node:crypto");
  if (typeof found?.createCipheriv !== "function" || typeof found.createSecretKey !== "function") {
    return undefined;
  }
  const { createCipheriv, createDecipheriv, createSecretKey } = found;
  return {
    name: "native",
    seal(key, nonce, aad, content, out, at) {
      // A key object and not the bytes: bytes cost 12 µs more from Node 24 on.
      const cipher = createCipheriv(ALGORITHM, createSecretKey(key), nonce, OPTIONS);
      cipher.setAAD(aad, { plaintextLength: content.length });
      out.set(cipher.update(content), at);
      cipher.final();
      out.set(cipher.getAuthTag(), at + content.length);
    },
    open(key, nonce, aad, sealed) {
      const length = sealed.length - TAG_BYTES;
      const decipher = createDecipheriv(ALGORITHM, createSecretKey(key), nonce, OPTIONS);
      decipher.setAAD(aad, { plaintextLength: length });
      decipher.setAuthTag(sealed.subarray(length));
      let content: Uint8Array | undefined;
      try {
        // Of a wrong tag, Node says so in `final`, and workerd here.
        content = decipher.update(sealed.subarray(0, length));
        decipher.final();
      } catch (error) {
        content?.fill(0);
        // No memory for the content is no wrong tag.
        if (error instanceof RangeError) throw error;
        return undefined;
      }
      return content;
    },
  };
}

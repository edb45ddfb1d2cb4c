/** Length of the authentication tag, in bytes. */
export const TAG_BYTES = 16;

/** ChaCha20-Poly1305 as RFC 8439 has it, with a 32-byte key and a 12-byte nonce: the step in which engines differ. */
export interface Engine {
  readonly name: "kernel" | "native" | "portable";
  /** Writes the ciphertext and its tag into `out` at `at`. `content` and `out` do not overlap. */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    content: Uint8Array,
    out: Uint8Array,
    at: number,
  ): void;
  /** The content, in memory of its own; undefined when the tag does not fit. `sealed` holds a tag at least. */
  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

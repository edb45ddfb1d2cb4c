import { readBase64url } from "../internal/base64url.ts";
import { allocate } from "../internal/bytes.ts";
import { type Engine, TAG_BYTES } from "./engine.ts";
import { KERNEL_CODE } from "./kernel-code.ts";

/** Where things stand in the kernel's memory: see kernel/chacha20poly1305.ts. */
const KEY_AT = 0;
const NONCE_AT = 36;
const TAG_AT = 192;
const DATA_AT = 256;
/** What may stand behind a message: zeros to the next 16 bytes and two lengths, or the second of two blocks. */
const BEHIND = 128;

interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer };
  seal(aadLength: number, length: number): void;
  open(aadLength: number, length: number): number;
}

/** What is used here of WebAssembly, which not every runtime has. */
interface WebAssemblyLike {
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: unknown };
}

/**
 * ChaCha20-Poly1305 in WebAssembly, from kernel/chacha20poly1305.ts: for short messages, where a call of Node's cipher
 * costs more than the cipher. Undefined where the runtime has no WebAssembly, or forbids to compile it.
 */
export function kernelEngine(): Engine | undefined {
  const { WebAssembly } = globalThis as { WebAssembly?: WebAssemblyLike };
  try {
    if (WebAssembly === undefined) return undefined;
    const module = new WebAssembly.Module(readBase64url(KERNEL_CODE)!);
    return engineOf(new WebAssembly.Instance(module).exports as Kernel);
  } catch {
    return undefined;
  }
}

function engineOf(kernel: Kernel): Engine {
  const memory = new Uint8Array(kernel.memory.buffer);

  /** Returns where the message begins. */
  const load = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, message: Uint8Array): number => {
    const at = DATA_AT + ((aad.length + 15) & ~15);
    if (at + message.length + BEHIND > memory.length) throw new RangeError("too long for the kernel");
    memory.set(key, KEY_AT);
    memory.set(nonce, NONCE_AT);
    memory.set(aad, DATA_AT);
    memory.set(message, at);
    return at;
  };

  return {
    name: "kernel",
    seal(key, nonce, aad, content, out, at) {
      const { length } = content;
      const message = load(key, nonce, aad, content);
      kernel.seal(aad.length, length);
      out.set(memory.subarray(message, message + length), at);
      out.set(memory.subarray(TAG_AT, TAG_AT + TAG_BYTES), at + length);
      memory.fill(0, 0, message + length + BEHIND);
    },
    open(key, nonce, aad, sealed) {
      const length = sealed.length - TAG_BYTES;
      const message = load(key, nonce, aad, sealed);
      let content: Uint8Array | undefined;
      if (kernel.open(aad.length, length) === 1) {
        content = allocate(length);
        content.set(memory.subarray(message, message + length));
      }
      memory.fill(0, 0, message + length + BEHIND);
      return content;
    },
  };
}

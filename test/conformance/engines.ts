import { type Check, holds, passed, same } from "./check.ts";
import { fromHex, sha256Hex, toHex } from "./reference.ts";
import { ACCEPTED, claimsOf, KEYS, ringsOf, valueIn } from "./vectors.ts";

type Cipher = typeof import("../../src/cipher.ts");

/** What stands behind the exports. It is reached from the sources alone. */
export interface Internals {
  readonly core: typeof import("stepseal");
  readonly cipher: Pick<Cipher, "engineFor" | "ifSound" | "openBytes" | "sealBytes">;
  readonly engines: Pick<typeof import("../../src/engines/kernel.ts"), "kernelEngine"> &
    Pick<typeof import("../../src/engines/native.ts"), "nativeEngine"> &
    Pick<typeof import("../../src/engines/portable.ts"), "portableEngine">;
  readonly envelope: Pick<typeof import("../../src/envelope.ts"), "sealEnvelope">;
  readonly codec: Pick<typeof import("../../src/codec.ts"), "encodeValue">;
  readonly keyring: Pick<typeof import("../../src/keyring/keyring.ts"), "sealingKey">;
}

const LENGTHS = [0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1000, 65_536, 2 ** 20];
/** More than the kernel has memory for. */
const LONG = 65_536;
const NO_LIMITS = { compress: false, maxPlaintextBytes: 2 ** 26, maxInflatedBytes: 2 ** 24 };

/** The engines that a runtime gets, for short messages and for long ones: one name where it is the same. */
export function engineNames({ cipher }: Pick<Internals, "cipher">): string {
  return [...new Set([1, LONG].map((bytes) => cipher.engineFor(bytes).name))].join(", ");
}

/** Which engines a runtime has, that all write the same bytes, and that those are the ones of the vectors. */
export function engineChecks(
  { core, cipher, engines, envelope, codec, keyring }: Internals,
  check: Check,
): void {
  const { kernelEngine, nativeEngine, portableEngine } = engines;
  const [kernel, native] = [cipher.ifSound(kernelEngine()), cipher.ifSound(nativeEngine())];
  /** Those that take a message of this length. */
  const enginesFor = (length: number) =>
    [portableEngine, native, length < LONG ? kernel : undefined].filter((engine) => engine !== undefined);

  check("has the portable engine, and takes the fastest", () => {
    same(cipher.ifSound(portableEngine) === portableEngine, true);
    const long = native?.name ?? "portable";
    return same(
      [1, LONG].map((bytes) => cipher.engineFor(bytes).name),
      [kernel?.name ?? long, long],
    );
  });
  check("has the kernel in WebAssembly", () => {
    if (kernel !== undefined) return passed;
    same(kernelEngine(), undefined);
    return { what: "the kernel engine", why: `WebAssembly says: ${refusalOfWebAssembly()}` };
  });
  check("has the native engine", () => {
    if (native !== undefined) return passed;
    const what = "the native engine";
    const unsound = nativeEngine();
    if (unsound === undefined) return { what, why: "process.getBuiltinModule gives no node:crypto" };
    try {
      unsound.seal(pattern(32, 5), pattern(12, 11), pattern(3, 3), pattern(5, 7), new Uint8Array(21), 0);
    } catch (error) {
      return { what, why: `node:crypto says: ${(error as Error).message}` };
    }
    return { what, why: "node:crypto seals, and does not refuse an altered message as it does in Node" };
  });
  for (const length of LENGTHS) {
    check(`seals ${length} bytes to the same on each engine, and opens them on each`, () => {
      const [key, nonce] = [pattern(32, 5), pattern(24, 11)];
      const [aad, content] = [pattern(length % 97, 3), pattern(length, 7)];
      const sealed = enginesFor(length).map((using) => {
        const out = new Uint8Array(length + 16);
        cipher.sealBytes(key, nonce, aad, content, out, 0, using);
        return out;
      });
      for (const one of sealed) {
        same(one, sealed[0]);
        for (const using of enginesFor(length))
          same(Uint8Array.from(cipher.openBytes(key, nonce, aad, one, using)!), content);
        one[length >> 1]! ^= 1;
        for (const using of enginesFor(length))
          same(cipher.openBytes(key, nonce, aad, one, using), undefined);
        one[length >> 1]! ^= 1;
      }
      return passed;
    });
  }

  const ring = ringsOf(core).A!;
  for (const { name, claims: plain, value, flags, nonce, ...is } of ACCEPTED) {
    // Deflate may compress in other ways: those contents are taken as given.
    const isDeflated = (flags & 1) !== 0;
    check(`seals to the bytes of the vector: ${name}`, async () => {
      const { scope, claims } = claimsOf(plain);
      const encoded = isDeflated
        ? { content: fromHex(is.content!), flags }
        : codec.encodeValue(valueIn(value), { ...NO_LIMITS, pad: (flags & 2) !== 0 });
      same(encoded.flags, flags);
      const content = Uint8Array.from(encoded.content);
      if (is.content === undefined) same(await sha256Hex(content), is.contentSha256);
      else holds(toHex(content) === is.content, "the content is that of the vector");
      for (const using of enginesFor(content.length)) {
        const sealed = envelope.sealEnvelope(
          { ...keyring.sealingKey(ring, plain.run), flags, claims: claims as never, scope, content },
          (at) => at.set(fromHex(nonce)),
          using,
        );
        same(sealed.data.startsWith(`ss1.${KEYS.A.kid}.`), true);
        if (is.envelope !== undefined) same(sealed, is.envelope);
        else same(await sha256Hex(new TextEncoder().encode(sealed.data)), is.dataSha256);
      }
      return passed;
    });
  }
}

/** What a runtime says to a module without content, where it lets none be compiled. */
function refusalOfWebAssembly(): string {
  const { WebAssembly } = globalThis as { WebAssembly?: { Module: new (code: Uint8Array) => object } };
  if (WebAssembly === undefined) return "it is not there";
  try {
    new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("WebAssembly compiles modules, and not the kernel");
}

const pattern = (length: number, step: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * step + 1) & 255);

import type * as CryptoModule from "node:crypto";
import { createDecipheriv, createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chacha20, chacha20poly1305, xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it, vi } from "vitest";
import { engineFor, ifSound, openBytes, sealBytes } from "../src/cipher.ts";
import type { Engine } from "../src/engines/engine.ts";
import { kernelEngine } from "../src/engines/kernel.ts";
import { nativeEngine } from "../src/engines/native.ts";
import { portableEngine } from "../src/engines/portable.ts";

const native = nativeEngine()!;
const kernel = kernelEngine()!;
const engines: readonly Engine[] = [portableEngine, native, kernel];
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const bytes = (seed: string, length: number): Uint8Array =>
  Uint8Array.from(
    createHash("shake256", { outputLength: Math.max(length, 1) })
      .update(seed)
      .digest(),
  ).subarray(0, length);

// draft-irtf-cfrg-xchacha-03, appendix A.3.1
const DRAFT = {
  key: hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
  nonce: hex("404142434445464748494a4b4c4d4e4f5051525354555657"),
  aad: hex("50515253c0c1c2c3c4c5c6c7"),
  content: new TextEncoder().encode(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  ),
  sealed: hex(
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39" +
      "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9" +
      "21f9664c97637da9768812f615c68b13b52e" +
      "c0875924c1c7987947deafd8780acf49",
  ),
};

function seal(
  using: Engine,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  content: Uint8Array,
): Uint8Array {
  const out = new Uint8Array(content.length + 16);
  sealBytes(key, nonce, aad, content, out, 0, using);
  return out;
}

describe.each(engines)("the $name engine", (using) => {
  it("gives the published example of XChaCha20-Poly1305, and opens it", () => {
    expect(seal(using, DRAFT.key, DRAFT.nonce, DRAFT.aad, DRAFT.content)).toEqual(DRAFT.sealed);
    const opened = openBytes(DRAFT.key, DRAFT.nonce, DRAFT.aad, DRAFT.sealed, using)!;
    expect(Uint8Array.from(opened)).toEqual(DRAFT.content);
  });

  it.each([0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257, 1000, 2048, 50_000])(
    "agrees with another implementation on %i bytes, sealing and opening",
    (length) => {
      const [key, nonce] = [bytes("key", 32), bytes(`nonce ${length}`, 24)];
      const [aad, content] = [bytes("aad", length % 97), bytes("content", length)];
      const expected = xchacha20poly1305(key, nonce, aad).encrypt(content);
      expect(seal(using, key, nonce, aad, content)).toEqual(expected);
      expect(Uint8Array.from(openBytes(key, nonce, aad, expected, using)!)).toEqual(content);
    },
  );

  it("writes at the place it is given and nowhere else", () => {
    const out = new Uint8Array(DRAFT.sealed.length + 20).fill(7);
    sealBytes(DRAFT.key, DRAFT.nonce, DRAFT.aad, DRAFT.content, out, 10, using);
    expect(out.subarray(10, 10 + DRAFT.sealed.length)).toEqual(DRAFT.sealed);
    expect([...out.subarray(0, 10), ...out.subarray(-10)]).toEqual(Array(20).fill(7));
  });

  it("opens nothing when any bit of key, nonce, data or tag differs", () => {
    const parts = { key: DRAFT.key, nonce: DRAFT.nonce, aad: DRAFT.aad, sealed: DRAFT.sealed };
    let refused = 0;
    for (const name of Object.keys(parts) as (keyof typeof parts)[]) {
      for (let bit = 0; bit < parts[name].length * 8; bit++) {
        const copy = { ...parts, [name]: Uint8Array.from(parts[name]) };
        copy[name][bit >> 3]! ^= 1 << (bit & 7);
        expect(openBytes(copy.key, copy.nonce, copy.aad, copy.sealed, using)).toBeUndefined();
        refused++;
      }
    }
    expect(refused).toBe((32 + 24 + 12 + 130) * 8);
  });

  it.each([
    ["key", 31, 24],
    ["key", 33, 24],
    ["nonce", 32, 12],
    ["nonce", 32, 23],
    ["nonce", 32, 25],
  ])("refuses a %s of the wrong length", (_, key, nonce) => {
    const out = new Uint8Array(16);
    const none = new Uint8Array(0);
    expect(() => sealBytes(new Uint8Array(key), new Uint8Array(nonce), none, none, out, 0, using)).toThrow(
      RangeError,
    );
    expect(() => openBytes(new Uint8Array(key), new Uint8Array(nonce), none, out, using)).toThrow(RangeError);
  });
});

describe("the kernel", () => {
  it("agrees with another implementation on each length of message and of associated data", () => {
    for (let length = 0; length <= 400; length++) {
      const [key, nonce] = [bytes(`key ${length}`, 32), bytes(`nonce ${length}`, 12)];
      const [aad, content] = [bytes(`aad ${length}`, (length * 7) % 203), bytes(`content ${length}`, length)];
      const expected = chacha20poly1305(key, nonce, aad).encrypt(content);
      const out = new Uint8Array(length + 16);
      kernel.seal(key, nonce, aad, content, out, 0);
      expect(out).toEqual(expected);
      expect(Uint8Array.from(kernel.open(key, nonce, aad, expected)!)).toEqual(content);
    }
  });

  it("carries through numbers that are all ones, or next to the prime", () => {
    const ones = (length: number): Uint8Array => new Uint8Array(length).fill(255);
    // r and s come out of the key stream; what can be chosen is the ciphertext that is authenticated.
    for (let key = 0; key < 500; key++) {
      const [k, nonce] = [bytes(`key ${key}`, 32), ones(12)];
      const sealed = Uint8Array.of(...ones(80 + (key % 33)), ...new Uint8Array(16));
      const content = chacha20(k, nonce, sealed.subarray(0, -16), undefined, 1);
      const expected = chacha20poly1305(k, nonce, ones(16)).encrypt(content);
      expect(expected.subarray(0, -16)).toEqual(sealed.subarray(0, -16));
      expect(Uint8Array.from(kernel.open(k, nonce, ones(16), expected)!)).toEqual(content);
    }
  });

  it("keeps nothing of a message, a key or a key stream", () => {
    let memory = new Uint8Array(0);
    const { Instance } = WebAssembly;
    vi.stubGlobal("WebAssembly", {
      Module: WebAssembly.Module,
      Instance: new Proxy(Instance, {
        construct(target, [module]) {
          const instance = new target(module as WebAssembly.Module);
          memory = new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer);
          return instance;
        },
      }),
    });
    const watched = kernelEngine()!;
    vi.unstubAllGlobals();
    expect(memory.length).toBe(65_536);
    for (const length of [1, 64, 65, 200, 2048]) {
      const out = new Uint8Array(length + 16);
      const [key, nonce, aad] = [bytes("key", 32), bytes("nonce", 12), bytes("aad", 33)];
      watched.seal(key, nonce, aad, bytes("content", length), out, 0);
      expect(memory.every((byte) => byte === 0)).toBe(true);
      expect(watched.open(key, nonce, aad, out)).toEqual(Buffer.from(bytes("content", length)));
      expect(memory.every((byte) => byte === 0)).toBe(true);
      out[0]! ^= 1;
      expect(watched.open(key, nonce, aad, out)).toBeUndefined();
      expect(memory.every((byte) => byte === 0)).toBe(true);
    }
  });

  it("refuses what does not fit its memory", () => {
    const long = new Uint8Array(65_536);
    const call = (): void =>
      kernel.seal(long.subarray(0, 32), long.subarray(0, 12), long.subarray(0, 0), long, long, 0);
    expect(call).toThrow(RangeError);
  });

  it("is left out where WebAssembly is missing, or may not be compiled", () => {
    vi.stubGlobal("WebAssembly", undefined);
    expect(kernelEngine()).toBeUndefined();
    vi.stubGlobal("WebAssembly", {
      Module: class {
        constructor() {
          throw new Error("Wasm code generation disallowed by embedder");
        }
      },
    });
    expect(kernelEngine()).toBeUndefined();
    vi.unstubAllGlobals();
  });
});

describe("the choice of an engine", () => {
  it("is the kernel for short messages and the native one for long ones on Node, made once", () => {
    expect([0, 64, 2048].map((bytes) => engineFor(bytes).name)).toEqual(["kernel", "kernel", "kernel"]);
    expect([2049, 4e6].map((bytes) => engineFor(bytes).name)).toEqual(["native", "native"]);
    expect(engineFor(1)).toBe(engineFor(2));
    expect(engineFor(1e6)).toBe(engineFor(2e6));
  });

  // Each way in which an engine may be broken, made of one that is not.
  const broken = (sound: Engine): readonly (readonly [string, Partial<Engine>])[] => [
    ["writes nothing", { seal: () => undefined }],
    [
      "throws",
      {
        seal: () => {
          throw new Error("no such cipher");
        },
      },
    ],
    [
      "writes a wrong tag",
      {
        seal: (...args) => {
          sound.seal(...args);
          args[4][args[5] + args[3].length]! ^= 1;
        },
      },
    ],
    [
      // It opens what it seals, so that only the known answer tells.
      "is another cipher",
      {
        seal: (key, nonce, ...rest) => sound.seal(Uint8Array.from(key).reverse(), nonce, ...rest),
        open: (key, nonce, ...rest) => sound.open(Uint8Array.from(key).reverse(), nonce, ...rest),
      },
    ],
    ["leaves the content as it is", { seal: (_k, _n, _a, content, out, at) => out.set(content, at) }],
    ["opens nothing", { open: () => undefined }],
    ["opens to something else", { open: (...args) => sound.open(...args)?.fill(0) }],
    ["does not check the tag", { open: (...args) => sound.open(...args) ?? new Uint8Array(114) }],
    ["ignores the nonce", { seal: (key, _n, ...rest) => sound.seal(key, new Uint8Array(12), ...rest) }],
    [
      "ignores the associated data",
      { seal: (key, nonce, _a, ...rest) => sound.seal(key, nonce, new Uint8Array(0), ...rest) },
    ],
  ];
  describe.each([native, kernel])("is not the $name one", (sound) => {
    it.each(broken(sound))("when it %s", (_, fault) => {
      expect(ifSound({ ...sound, ...fault })).toBeUndefined();
    });
  });

  /** The native engine where node:crypto has something else in it. */
  function nativeWith(change: Partial<Record<keyof typeof CryptoModule, unknown>>): Engine | undefined {
    const { getBuiltinModule } = process;
    const changed = { ...getBuiltinModule("node:crypto"), ...change };
    Reflect.set(process, "getBuiltinModule", () => changed);
    try {
      return nativeEngine();
    } finally {
      Reflect.set(process, "getBuiltinModule", getBuiltinModule);
    }
  }

  it.each(["createCipheriv", "createSecretKey"])("has no native one where node:crypto lacks %s", (name) => {
    expect(nativeWith({ [name]: undefined })).toBeUndefined();
  });

  /** A decipher whose `update` throws instead of Node's. */
  const updateThrows = (error: Error) => ({
    createDecipheriv: (...args: Parameters<typeof createDecipheriv>) =>
      Object.assign(createDecipheriv(...args), {
        update: () => {
          throw error;
        },
      }),
  });

  it("is a native one that says in `update` that a tag is wrong, as that of workerd does", () => {
    const using = nativeWith(updateThrows(new Error("Authentication failed")))!;
    expect(openBytes(DRAFT.key, DRAFT.nonce, DRAFT.aad, DRAFT.sealed, using)).toBeUndefined();
  });

  it("does not take a lack of memory for a wrong tag", () => {
    const using = nativeWith(updateThrows(new RangeError("Array buffer allocation failed")))!;
    const open = () => openBytes(DRAFT.key, DRAFT.nonce, DRAFT.aad, DRAFT.sealed, using);
    expect(open).toThrow("Array buffer allocation failed");
  });

  it("is an engine that is there and sound", () => {
    expect(ifSound(undefined)).toBeUndefined();
    for (const sound of engines) expect(ifSound(sound)).toBe(sound);
  });
});

interface AeadTest {
  readonly tcId: number;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
  readonly result: "valid" | "invalid";
}

const wycheproof = new URL("../../shared/vectors/wycheproof/", import.meta.url);
const present = existsSync(wycheproof);
const note = present ? "" : " (skipped: the project does not ship them)";
const casesIn = <T>(file: string): T[] => {
  const { testGroups } = JSON.parse(readFileSync(new URL(file, wycheproof), "utf8")) as {
    testGroups: { tests: T[] }[];
  };
  return testGroups.flatMap(({ tests }) => tests);
};

describe.each(engines)("Wycheproof's ChaCha20-Poly1305 cases on the $name engine", (using) => {
  it.skipIf(!present)(`all hold${note}`, () => {
    const counts = { valid: 0, invalid: 0, otherNonce: 0 };
    for (const test of casesIn<AeadTest>("chacha20_poly1305_test.json")) {
      const [key, nonce, aad, msg] = [hex(test.key), hex(test.iv), hex(test.aad), hex(test.msg)];
      // The format has nonces of 12 bytes here and no others.
      if (nonce.length !== 12) {
        counts.otherNonce++;
        continue;
      }
      const sealed = hex(test.ct + test.tag);
      const opened = using.open(key, nonce, aad, sealed);
      if (test.result === "valid") {
        const out = new Uint8Array(msg.length + 16);
        using.seal(key, nonce, aad, msg, out, 0);
        expect(out, `case ${test.tcId}`).toEqual(sealed);
        expect(Uint8Array.from(opened!), `case ${test.tcId}`).toEqual(msg);
      } else {
        expect(opened, `case ${test.tcId}`).toBeUndefined();
      }
      counts[test.result]++;
    }
    expect(counts.valid + counts.invalid).toBeGreaterThan(250);
    expect(counts.invalid).toBeGreaterThan(20);
  });
});

interface HkdfTest {
  readonly tcId: number;
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
  readonly result: "valid" | "invalid";
}

describe("Wycheproof's HKDF-SHA-256 cases on the HKDF that derives keys", () => {
  it.skipIf(!present)(`all hold${note}`, () => {
    const cases = casesIn<HkdfTest>("hkdf_sha256_test.json");
    expect(cases.length).toBeGreaterThan(80);
    for (const { tcId, ikm, salt, info, size, okm, result } of cases) {
      const derive = (): Uint8Array => hkdf(sha256, hex(ikm), hex(salt), hex(info), size);
      if (result === "valid") expect(derive(), `case ${tcId}`).toEqual(hex(okm));
      else expect(derive, `case ${tcId}`).toThrow();
    }
  });
});

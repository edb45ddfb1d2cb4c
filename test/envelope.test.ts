import { describe, expect, it, vi } from "vitest";
import type { Engine } from "../src/engines/engine.ts";
import { kernelEngine } from "../src/engines/kernel.ts";
import { nativeEngine } from "../src/engines/native.ts";
import { portableEngine } from "../src/engines/portable.ts";
import {
  closeEnvelope,
  type Envelope,
  inspectEnvelope,
  isSealed,
  openEnvelope,
  readEnvelope,
  sealEnvelope,
} from "../src/envelope.ts";
import { codeOf } from "./code-of.ts";
import { kid as kidOf } from "./keyring/roots.ts";

const kid = kidOf("envelope");
const key = new Uint8Array(32).fill(9);
const parent = new Uint8Array(32).fill(3);
const claims = { kind: "step.output", fn: "app-fn", step: "a1", parent } as const;
const engines: readonly Engine[] = [portableEngine, nativeEngine()!, kernelEngine()!];
const unlimited = (): number => Number.POSITIVE_INFINITY;

function seal(content: Uint8Array, using?: Engine): Envelope {
  return sealEnvelope({ kid, key, flags: 0, claims, scope: undefined, content }, undefined, using);
}
function open(envelope: unknown, using?: Engine, openingKey = key): Uint8Array {
  const read = readEnvelope(envelope, unlimited);
  try {
    return Uint8Array.from(openEnvelope(read, openingKey, using));
  } finally {
    closeEnvelope(read);
  }
}
const body = (envelope: Envelope): Buffer => Buffer.from(envelope.data.slice(21), "base64url");

describe("an envelope", () => {
  const envelope = seal(Buffer.from("content"));

  it("is the two markers and a text that names its key", () => {
    expect(Object.keys(envelope)).toEqual(["__ENCRYPTED__", "__STRATEGY__", "data"]);
    expect(envelope).toMatchObject({ __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1" });
    expect(envelope.data).toMatch(/^ss1\.[0-9a-f]{16}\.[A-Za-z0-9_-]+$/);
    expect(envelope.data.slice(4, 20)).toBe(kid);
    expect(JSON.parse(JSON.stringify(envelope))).toEqual(envelope);
  });

  it("opens with its key on each engine, and with no other key", () => {
    for (const using of engines) {
      expect(Buffer.from(open(envelope, using)).toString()).toBe("content");
      expect(codeOf(() => open(envelope, using, new Uint8Array(32).fill(8)))).toBe("CORRUPT");
    }
  });

  it("is not authentic under another kid, though the key is the same", () => {
    const renamed = { ...envelope, data: envelope.data.replace(kid, kidOf("another")) };
    expect(codeOf(() => open(renamed))).toBe("CORRUPT");
  });

  it("opens to memory of its own", () => {
    const first = readEnvelope(seal(Buffer.from("first")), unlimited);
    const opened = openEnvelope(first, key);
    closeEnvelope(first);
    open(seal(Buffer.from("other")));
    expect(Buffer.from(opened).toString()).toBe("first");
  });

  it("can be read while another one is: neither sees the other's bytes", () => {
    const outer = readEnvelope(seal(Buffer.from("outer")), unlimited);
    expect(Buffer.from(open(seal(Buffer.from("inner")))).toString()).toBe("inner");
    expect(Buffer.from(openEnvelope(outer, key)).toString()).toBe("outer");
    closeEnvelope(outer);
  });

  it("gives its memory back when it cannot be read", () => {
    const before = readEnvelope(envelope, unlimited);
    closeEnvelope(before);
    expect(codeOf(() => readEnvelope({ ...envelope, data: envelope.data.slice(0, -20) }, () => 1))).toBe(
      "FORMAT",
    );
    expect(codeOf(() => readEnvelope(seal(new Uint8Array(2)), () => 1))).toBe("TOO_LARGE");
    const after = readEnvelope(envelope, unlimited);
    closeEnvelope(after);
    expect(after.memory).toBe(before.memory);
  });

  it("of a length over the limit is refused before it is decoded", () => {
    const text = vi.spyOn(Buffer.prototype, "write");
    const huge = { ...envelope, data: `ss1.${kid}.${"A".repeat(20_000)}` };
    expect(codeOf(() => readEnvelope(huge, () => 1000))).toBe("TOO_LARGE");
    expect(text).not.toHaveBeenCalled();
    text.mockRestore();
    expect(codeOf(() => readEnvelope(seal(new Uint8Array(1001)), () => 1000))).toBe("TOO_LARGE");
    closeEnvelope(readEnvelope(seal(new Uint8Array(1000)), () => 1000));
  });
});

describe("an envelope of the largest size", () => {
  const claims = { kind: "custom", name: "x".repeat(4096 - 7) } as const;

  it.each([0, 1000, 2 ** 20, 2 ** 20 + 1])("seals and opens with all the claims and %i bytes", (size) => {
    const content = new Uint8Array(size).fill(5);
    const envelope = sealEnvelope({ kid, key, flags: 0, claims, scope: undefined, content });
    const read = readEnvelope(envelope, () => size);
    expect(read.claims).toEqual(claims);
    expect(Buffer.compare(openEnvelope(read, key), content)).toBe(0);
    closeEnvelope(read);
    expect(codeOf(() => readEnvelope(envelope, () => size - 1))).toBe("TOO_LARGE");
  });
});

describe("an envelope that cannot be read", () => {
  const envelope = seal(new Uint8Array(0));
  const withBody = (bytes: Uint8Array): Envelope => ({
    ...envelope,
    data: `ss1.${kid}.${Buffer.from(bytes).toString("base64url")}`,
  });

  it.each(["_", "-", ":", " "])("has %j after its kid in place of the dot", (mark) => {
    const { data } = envelope;
    const renamed = { ...envelope, data: `${data.slice(0, 20)}${mark}${data.slice(21)}` };
    expect(codeOf(() => readEnvelope(renamed, unlimited))).toBe("FORMAT");
  });

  it("is cut short, whatever another envelope left in the memory", () => {
    expect(codeOf(() => readEnvelope(withBody(Uint8Array.of(2, 0, 0, 0)), unlimited))).toBe("UNSUPPORTED");
    for (const length of [0, 1, 2, 3]) {
      expect(codeOf(() => readEnvelope(withBody(new Uint8Array(length)), unlimited))).toBe("FORMAT");
    }
  });

  it.each([
    ["suite", Uint8Array.of(2, 0, 0, 0)],
    ["flag", Uint8Array.of(1, 8, 0, 0)],
  ])("tells the key of one with a %s of another version", (_, bytes) => {
    let thrown: unknown;
    try {
      readEnvelope(withBody(bytes), unlimited);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "UNSUPPORTED", kid });
  });
});

describe("nonces", () => {
  it("are 24 random bytes, never the same for two messages", () => {
    const seen = new Set<string>();
    const set = new Uint8Array(24);
    const at = 4 + 4 + (3 + 6) + (3 + 2) + (3 + 32);
    for (let i = 0; i < 5000; i++) {
      const nonce = body(seal(new Uint8Array(0))).subarray(at, at + 24);
      seen.add(nonce.toString("hex"));
      nonce.forEach((byte, j) => {
        set[j]! |= byte;
      });
    }
    expect(seen.size).toBe(5000);
    expect(set).toEqual(new Uint8Array(24).fill(255));
  });

  it("make two seals of one value differ in nonce, ciphertext and tag", () => {
    const [a, b] = [body(seal(Buffer.from("same"))), body(seal(Buffer.from("same")))];
    const header = a.length - 24 - 4 - 16;
    expect(a.subarray(0, header)).toEqual(b.subarray(0, header));
    expect(a.subarray(header + 24)).not.toEqual(b.subarray(header + 24));
  });
});

describe("isSealed", () => {
  const good = { __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data: "ss1." };
  const others: readonly (readonly [string, unknown])[] = [
    ["null", null],
    ["undefined", undefined],
    ["text", "ss1."],
    ["an array", [good]],
    ["marker false", { ...good, __ENCRYPTED__: false }],
    ["marker 1", { ...good, __ENCRYPTED__: 1 }],
    ["the official strategy", { ...good, __STRATEGY__: "inngest/libsodium" }],
    ["a later version", { ...good, __STRATEGY__: "stepseal/v2" }],
    ["no strategy", { __ENCRYPTED__: true, data: "ss1." }],
    ["data that is no text", { ...good, data: {} }],
    ["no data", { __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1" }],
    ["inherited fields", Object.create(good)],
    [
      "inherited data",
      Object.assign(Object.create({ data: "ss1." }), { __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1" }),
    ],
    ["fields in a key named __proto__", JSON.parse(`{"__proto__":${JSON.stringify(good)}}`)],
  ];

  it("is true for an envelope, also after JSON", () => {
    expect(isSealed(seal(new Uint8Array(0)))).toBe(true);
    expect(isSealed(JSON.parse(JSON.stringify(seal(new Uint8Array(0)))))).toBe(true);
  });

  it.each(others)("is false for %s", (_, value) => {
    expect(isSealed(value)).toBe(false);
  });
});

describe("inspectEnvelope", () => {
  it("tells what an envelope says of itself, without a key", () => {
    const envelope = sealEnvelope({ kid, key, flags: 6, claims, scope: "eu", content: new Uint8Array(5) });
    expect(inspectEnvelope(envelope)).toEqual({
      kid,
      suite: "XChaCha20-Poly1305",
      compressed: false,
      padded: true,
      raw: true,
      claims: { ...claims, scope: "eu" },
      ciphertextBytes: 5,
    });
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])("tells flags %i apart", (flags) => {
    const none = new Uint8Array(0);
    const info = inspectEnvelope(sealEnvelope({ kid, key, flags, claims, scope: undefined, content: none }));
    const { compressed, padded, raw } = info;
    expect([compressed, padded, raw]).toEqual([1, 2, 4].map((flag) => (flags & flag) !== 0));
  });

  it("tells claims of its own, which later envelopes do not change", () => {
    const info = inspectEnvelope(seal(new Uint8Array(5)));
    for (let i = 0; i < 3; i++)
      inspectEnvelope(
        sealEnvelope({
          kid,
          key,
          flags: 0,
          claims: { kind: "custom", parent: key },
          scope: undefined,
          content: key,
        }),
      );
    expect(info.claims.parent).toEqual(parent);
  });

  it.each([
    [{}, "PLAINTEXT_REJECTED"],
    [undefined, "PLAINTEXT_REJECTED"],
    [null, "PLAINTEXT_REJECTED"],
    ["text", "PLAINTEXT_REJECTED"],
    [{ __ENCRYPTED__: true, data: "x" }, "LEGACY_NO_KEY"],
    [{ __ENCRYPTED__: true, __STRATEGY__: "inngest/libsodium", data: "x" }, "LEGACY_NO_KEY"],
    [{ __ENCRYPTED__: true, __STRATEGY__: 1, data: "x" }, "FORMAT"],
    [{ __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data: "ss1.x" }, "FORMAT"],
  ])("refuses %j: %s", (value, code) => {
    expect(codeOf(() => inspectEnvelope(value))).toBe(code);
  });
});

import { describe, expect, it, vi } from "vitest";
import { type CodecOptions, decodeValue, encodeJson, encodeValue, maxContentBytes } from "../src/codec.ts";
import { decodePortable, encodeBase64url, encodePortable, readBase64url } from "../src/internal/base64url.ts";
import { equalBytes, isBytes, Scratch, toHex } from "../src/internal/bytes.ts";
import { pad, padmeLength, unpad } from "../src/internal/padding.ts";
import {
  encodeUtf8,
  isWellFormed,
  isWellFormedPortable,
  readPortable,
  readUtf8,
  writeUtf8,
} from "../src/internal/utf8.ts";
import { codeOf } from "./code-of.ts";
import { withoutNode } from "./without-node.ts";

const PLAIN: CodecOptions = {
  compress: false,
  pad: false,
  maxPlaintextBytes: 2 ** 26,
  maxInflatedBytes: 2 ** 24,
};
const DEFLATE = { ...PLAIN, compress: true };
const PAD = { ...PLAIN, pad: true };
const BOTH = { ...PLAIN, compress: true, pad: true };

function roundTrip(value: unknown, options: CodecOptions): unknown {
  const { content, flags, release } = encodeValue(value, options);
  const opened = decodeValue(Uint8Array.from(content), flags, PLAIN).value;
  release();
  return opened;
}

const values: readonly (readonly [string, unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["false", false],
  ["zero", 0],
  ["the empty string", ""],
  ["text", "größe 🧾"],
  ["half of a surrogate pair", "\ud83d"],
  ["a number", -1.5e-7],
  ["a nested object", { a: [1, { b: [] }], c: {} }],
  ["a long text", "x".repeat(100_000)],
  ["a text longer than the memory kept", "ü".repeat(2 ** 20 + 1)],
];

describe.each([
  ["plain", PLAIN],
  ["compressed", DEFLATE],
  ["padded", PAD],
  ["compressed and padded", BOTH],
] as const)("%s", (_, options) => {
  it.each(values)("%s comes back", (_, value) => {
    expect(roundTrip(value, options)).toEqual(value);
  });

  it("bytes come back as a Uint8Array of their own", () => {
    const given = Buffer.from("00ff80".repeat(200), "hex");
    const back = roundTrip(given, options) as Uint8Array;
    expect(Object.getPrototypeOf(back)).toBe(Uint8Array.prototype);
    expect(back).toEqual(Uint8Array.from(given));
    expect(roundTrip(new Uint8Array(0), options)).toEqual(new Uint8Array(0));
  });
});

describe("values as JSON", () => {
  it("follow the rules of JSON.stringify", () => {
    const value = { at: new Date(0), skip: undefined, list: [undefined, () => 1], nan: Number.NaN, neg: -0 };
    expect(roundTrip(value, PLAIN)).toEqual(JSON.parse(JSON.stringify(value)));
    expect(roundTrip(() => 1, PLAIN)).toBeUndefined();
    expect(roundTrip(Symbol("s"), PLAIN)).toBeUndefined();
    expect(roundTrip({ toJSON: () => "custom" }, PLAIN)).toBe("custom");
    expect(roundTrip(new Uint16Array([1, 2]), PLAIN)).toEqual({ 0: 1, 1: 2 });
  });

  it("__proto__ among the keys stays a key and changes no prototype", () => {
    const opened = roundTrip(JSON.parse('{"__proto__":{"admin":true}}'), PLAIN) as object;
    expect(Object.hasOwn(opened, "__proto__")).toBe(true);
    expect(Object.getPrototypeOf(opened)).toBe(Object.prototype);
    expect((opened as { admin?: boolean }).admin).toBeUndefined();
  });

  it("a text that already is JSON is taken as it is, white space and order included", () => {
    const { content, flags } = encodeJson(' {"b":1,"a":2} ', PLAIN);
    expect(Buffer.from(content).toString()).toBe(' {"b":1,"a":2} ');
    expect(decodeValue(Uint8Array.from(content), flags, PLAIN).value).toEqual({ a: 2, b: 1 });
  });

  it("a size is that of the value, before compression and padding", () => {
    expect(encodeValue("x".repeat(998), BOTH).bytes).toBe(1000);
    expect(encodeValue("ü", PLAIN).bytes).toBe(4);
    expect(encodeValue(undefined, PAD).bytes).toBe(0);
  });

  const circular: Record<string, unknown> = { "secret-key": "secret-value" };
  circular["secret-loop"] = circular;
  let deep: unknown = "secret-bottom";
  for (let i = 0; i < 100_000; i++) deep = [deep];
  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ["a BigInt", { secret: 1n }, /BigInt/],
    ["a BigInt alone", 1n, /BigInt/],
    ["a cycle", circular, /refers to itself/],
    [
      "a toJSON that throws",
      {
        toJSON: () => {
          throw new Error("secret-thrown");
        },
      },
      /toJSON/,
    ],
    [
      "a getter that throws nothing useful",
      {
        get a() {
          throw undefined;
        },
      },
      /getter/,
    ],
    ["something nested too deep", deep, /too deeply nested/],
  ];
  it.each(bad)("%s is refused without a word of the value", (_, value, message) => {
    expect(codeOf(() => encodeValue(value, PLAIN))).toBe("FORMAT");
    let thrown: Error | undefined;
    try {
      encodeValue(value, PLAIN);
    } catch (error) {
      thrown = error as Error;
    }
    expect(thrown!.message).toMatch(message);
    expect(`${thrown!.message} ${thrown!.cause}`).not.toContain("secret");
  });

  it.each([
    ["the empty text, which would open as undefined", ""],
    ["half of a surrogate pair, which UTF-8 cannot hold", '"\ud83d"'],
  ])("%s is refused as JSON", (_, json) => {
    expect(codeOf(() => encodeJson(json, PLAIN))).toBe("FORMAT");
  });
});

describe("limits", () => {
  const small = { ...PLAIN, maxPlaintextBytes: 100 };

  it("a value of exactly the limit is sealed and opened, padded too, and one byte more is not", () => {
    for (const options of [small, { ...small, pad: true }]) {
      const { content, flags } = encodeValue("x".repeat(98), options);
      expect(content.length).toBeLessThanOrEqual(maxContentBytes(flags, options));
      expect(decodeValue(Uint8Array.from(content), flags, options).value).toBe("x".repeat(98));
      expect(codeOf(() => encodeValue("x".repeat(99), options))).toBe("TOO_LARGE");
    }
  });

  it.each([1, 2, 9, 33, 100, 1000, 1024, 4097])(
    "a padded value of %i bytes is within that limit",
    (limit) => {
      const options = { ...PAD, maxPlaintextBytes: limit };
      const { content, flags } = encodeValue(new Uint8Array(limit), options);
      expect(content.length).toBeLessThanOrEqual(maxContentBytes(flags, options));
      expect(maxContentBytes(flags, options)).toBe(padmeLength(limit + 1));
      expect(maxContentBytes(0, options)).toBe(limit);
    },
  );

  it("bytes count and not characters", () => {
    expect(codeOf(() => encodeValue("ü".repeat(50), small))).toBe("TOO_LARGE");
    expect(codeOf(() => encodeValue(new Uint8Array(101), small))).toBe("TOO_LARGE");
    expect(encodeValue("ü".repeat(49), small).bytes).toBe(100);
  });

  it("hold when opening, behind padding and compression too", () => {
    for (const options of [PLAIN, PAD]) {
      const { content, flags } = encodeValue("x".repeat(99), options);
      expect(codeOf(() => decodeValue(Uint8Array.from(content), flags, small))).toBe("TOO_LARGE");
    }
    const { content, flags } = encodeValue("x".repeat(5000), DEFLATE);
    expect(codeOf(() => decodeValue(content, flags, small))).toBe("INFLATE_LIMIT");
    expect(codeOf(() => decodeValue(content, flags, { ...PLAIN, maxInflatedBytes: 5001 }))).toBe(
      "INFLATE_LIMIT",
    );
    expect(decodeValue(content, flags, { ...PLAIN, maxInflatedBytes: 5002 }).bytes).toBe(5002);
  });

  it("what would inflate beyond the limit is not compressed, so that it can be opened again", () => {
    const options = { ...DEFLATE, maxInflatedBytes: 1000 };
    const { content, flags } = encodeValue("x".repeat(2000), options);
    expect(flags).toBe(0);
    expect(decodeValue(Uint8Array.from(content), flags, options).value).toBe("x".repeat(2000));
  });
});

describe("compression", () => {
  it("is kept only where it makes a value smaller", () => {
    const noise = Uint8Array.from({ length: 2000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) & 255);
    expect(encodeValue("x".repeat(2000), DEFLATE).flags).toBe(1);
    expect(encodeValue("x".repeat(20), DEFLATE).flags).toBe(0);
    const { content, flags, bytes } = encodeValue(noise, DEFLATE);
    expect(content.length).toBeLessThanOrEqual(bytes);
    expect([4, 5]).toContain(flags);
  });
});

describe("compression of a value", () => {
  const limited = { ...DEFLATE, maxInflatedBytes: 400 };

  it.each([
    ["shorter than is worth it", "x".repeat(253), DEFLATE, 0],
    ["just long enough", "x".repeat(254), DEFLATE, 1],
    ["as long as what may be inflated", "x".repeat(398), limited, 1],
    ["longer than that", "x".repeat(399), limited, 0],
  ])("%s", (_, value, options, flags) => {
    expect(encodeValue(value, options).flags).toBe(flags);
  });
});

describe("padding", () => {
  it.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [8, 8],
    [9, 10],
    [15, 16],
    [16, 16],
    [17, 18],
    [100, 104],
    [1000, 1024],
    [1025, 1088],
    [10_000, 10_240],
    [2 ** 26, 2 ** 26],
    [2 ** 26 + 1, 2 ** 26 + 2 ** 21],
    [2 ** 33 + 1, 2 ** 33 + 2 ** 27],
  ])("the Padmé length of %i is %i", (length, expected) => {
    expect(padmeLength(length)).toBe(expected);
  });

  it("never adds more than 12 %, never shrinks, and gives its own results back", () => {
    for (let length = 0; length < 20_000; length++) {
      const padded = padmeLength(length);
      if (padded < length || padded > Math.max(length * 1.12, length) + 1 || padmeLength(padded) !== padded) {
        expect.fail(`length ${length} gives ${padded}`);
      }
    }
    expect(padmeLength(19_999)).toBe(20_480);
  });

  it("comes off again at every length, whatever the content ends in", () => {
    for (let length = 0; length < 600; length++) {
      for (const last of [0x00, 0x80, 0xff]) {
        const content = new Uint8Array(length).fill(last);
        expect(unpad(pad(content))).toEqual(content);
      }
    }
  });

  it.each([
    [[]],
    [[0]],
    [[0, 0, 0]],
    [[1]],
    [[0x81]],
    [[1, 2, 3, 0x7f]],
    [[1, 0x80, 0]],
    [Array(9).fill(0x80)],
  ])("%j is CORRUPT: no padding ends so", (bytes) => {
    expect(codeOf(() => unpad(Uint8Array.from(bytes)))).toBe("CORRUPT");
  });

  it("hides lengths that share a Padmé length", () => {
    const lengths = new Set<number>();
    for (let length = 1000; length < 1020; length++)
      lengths.add(encodeValue("x".repeat(length), PAD).content.length);
    expect([...lengths]).toEqual([1024]);
  });
});

describe("base64url", () => {
  const decodeOn = readBase64url;
  const decodeOff = (text: string): Uint8Array | undefined => {
    const out = new Uint8Array(Math.floor((text.length * 3) / 4));
    return decodePortable(text, out, 0) === undefined ? undefined : out;
  };

  it("with and without Node gives the same text, and bytes back, over the borders of its chunks", () => {
    for (const length of [0, 1, 2, 3, 4, 5, 6143, 6144, 6145, 12_288, 12_290, 20_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 251 + (i >> 8)) & 255);
      const text = encodeBase64url(bytes, 0, length);
      expect(text).toBe(encodePortable(bytes, 0, length));
      expect(decodeOn(text)).toEqual(bytes);
      expect(decodeOff(text)).toEqual(bytes);
    }
  });

  it("takes each text of up to two bytes that encodes something, and no other: with and without Node alike", () => {
    const chars = [..."AQgwBf0_-Zz9+/= \n.~", "\u0141", "\u00c1"];
    let taken = 0;
    for (const a of chars)
      for (const b of chars)
        for (const c of ["", ...chars]) {
          const text = a + b + c;
          const wanted = Buffer.from(text, "base64url").toString("base64url") === text;
          for (const decode of [decodeOn, decodeOff]) {
            expect(decode(text) !== undefined, JSON.stringify(text)).toBe(wanted);
          }
          if (wanted) taken++;
        }
    expect(taken).toBeGreaterThan(500);
  });

  it.each(["A", "AAAAA", "A".repeat(4097)])("takes no text that ends in one digit: %#", (text) => {
    expect(decodeOn(text)).toBeUndefined();
    expect(decodeOff(text)).toBeUndefined();
  });

  it("takes no character beyond ASCII, with and without Node", () => {
    for (let code = 0x80; code < 0x180; code++) {
      expect(decodeOn(`AA${String.fromCharCode(code)}A`)).toBeUndefined();
      expect(decodeOff(`AA${String.fromCharCode(code)}A`)).toBeUndefined();
    }
  });

  it.each([0, 8191, 8192, 16_383, 19_999])("finds a wrong character at %i of a long text", (at) => {
    const text = "A".repeat(20_000);
    for (const char of ["+", "/", "=", " ", "\n", "\u0141", "é"]) {
      const wrong = text.slice(0, at) + char + text.slice(at + 1);
      expect(decodeOn(wrong)).toBeUndefined();
      expect(decodeOff(wrong)).toBeUndefined();
    }
  });

  it("reads sixteen megabytes", () => {
    const text = "A".repeat(2 ** 24);
    expect(decodeOn(text)).toHaveLength(3 * 2 ** 22);
  });
});

describe("UTF-8", () => {
  it.each([
    ["a stray continuation byte", [0x80]],
    ["an overlong form", [0xe0, 0x80, 0xaf]],
    ["a surrogate", [0xed, 0xbf, 0xbf]],
    ["a character cut short", [0x41, 0xf0, 0x9f]],
  ])("with %s is refused, with and without Node", (_, bytes) => {
    expect(readUtf8(Uint8Array.from(bytes))).toBeUndefined();
    expect(readPortable(Uint8Array.from(bytes))).toBeUndefined();
  });

  it("keeps a byte order mark, with and without Node", () => {
    const bytes = Uint8Array.of(0xef, 0xbb, 0xbf, 0x31);
    expect(readUtf8(bytes)).toBe("\ufeff1");
    expect(readPortable(bytes)).toBe("\ufeff1");
  });

  it("is text again from any place and of any length, with and without Node", () => {
    for (const piece of ["a", "é", "€", "🧾"]) {
      for (let length = 0; length < 140; length++) {
        const text = `${"x".repeat(length % 5)}${piece.repeat(length)}`;
        const bytes = new TextEncoder().encode(text);
        const around = Uint8Array.of(0x80, 0x7f, ...bytes, 0x80);
        expect(readUtf8(around, 2, 2 + bytes.length)).toBe(text);
        expect(readPortable(bytes)).toBe(text);
        expect(Uint8Array.from(encodeUtf8(text))).toEqual(bytes);
        const out = new Uint8Array(3 + 3 * text.length);
        expect(writeUtf8(text, out, 3)).toBe(3 + bytes.length);
        expect(out.subarray(3, 3 + bytes.length)).toEqual(bytes);
      }
    }
  });

  it("is written where there is no Node, too", async () => {
    vi.resetModules();
    const fresh = await import("../src/internal/utf8.ts");
    const text = "é€🧾".repeat(30);
    const bytes = new TextEncoder().encode(text);
    withoutNode(() => {
      expect(fresh.encodeUtf8(text)).toEqual(bytes);
      for (const at of [0, 1, 7]) {
        const out = new Uint8Array(at + 3 * text.length);
        expect(fresh.writeUtf8(text, out, at)).toBe(at + bytes.length);
        expect(out.subarray(at, at + bytes.length)).toEqual(bytes);
      }
      expect(fresh.readUtf8(Uint8Array.of(0xff, ...bytes, 0xff), 1, 1 + bytes.length)).toBe(text);
    });
  });

  // Runtimes have pieces of node:buffer: with one of the two alone, neither is asked.
  it.each([
    ["isAscii", { isAscii: () => true }],
    ["isUtf8", { isUtf8: () => true }],
    ["neither", {}],
    ["no node:buffer", undefined],
  ])("is read where node:buffer has %s", async (_, module) => {
    vi.resetModules();
    const fresh = await import("../src/internal/utf8.ts");
    const spy = vi.spyOn(process, "getBuiltinModule").mockReturnValue(module);
    try {
      const long = new TextEncoder().encode("é".repeat(200));
      expect(fresh.readUtf8(long)).toBe("é".repeat(200));
      expect(fresh.readUtf8(long.subarray(1))).toBeUndefined();
    } finally {
      spy.mockRestore();
    }
  });

  it("knows the borders of the surrogates, as the engine does", () => {
    const units = [0, 0x7f, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff];
    for (const first of units)
      for (const second of [undefined, ...units]) {
        const text = String.fromCharCode(first, ...(second === undefined ? [] : [second]));
        const wanted = Buffer.from(text).toString() === text;
        expect(isWellFormed(text), JSON.stringify(text)).toBe(wanted);
        expect(isWellFormedPortable(text), JSON.stringify(text)).toBe(wanted);
      }
  });

  it.each(["", "a", "🧾", "a🧾b", "\ud83d", "\ude00", "\ude00\ud83d", "a\ud83d", "\ud83d\ud83d\ude00"])(
    "tells whether %j is well-formed, as the engine does",
    (text) => {
      const wanted = Buffer.from(text).toString() === text;
      expect(isWellFormed(text)).toBe(wanted);
      expect(isWellFormedPortable(text)).toBe(wanted);
    },
  );
});

describe("memory that is lent", () => {
  it("is lent to one at a time, kept up to its limit, and wiped of what was encoded in it", () => {
    const scratch = new Scratch(1000);
    const first = scratch.lend(10);
    const second = scratch.lend(10);
    expect(second).not.toBe(first);
    scratch.takeBack(second);
    expect(scratch.lend(10)).not.toBe(first);
    scratch.takeBack(first);
    expect(scratch.lend(10)).toBe(first);
    expect(scratch.lend(1001)).not.toBe(first);

    const encoded = encodeValue("plaintext", PLAIN);
    const view = encoded.content;
    expect(Buffer.from(view).toString()).toBe('"plaintext"');
    encoded.release();
    expect(Buffer.from(view).equals(Buffer.alloc(view.length))).toBe(true);
  });

  it("never is the caller's own", () => {
    const given = Uint8Array.of(1, 2, 3);
    encodeValue(given, PLAIN).release();
    expect(given).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("holds nothing after a value that is too large", () => {
    const spy = vi.spyOn(Scratch.prototype, "takeBack");
    expect(codeOf(() => encodeValue("ü".repeat(60), { ...PLAIN, maxPlaintextBytes: 100 }))).toBe("TOO_LARGE");
    expect(spy).toHaveBeenCalledOnce();
    spy.mockRestore();
  });
});

describe("bytes", () => {
  it("are equal where each one is, and as long", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(equalBytes(bytes, Uint8Array.of(1, 2, 3))).toBe(true);
    expect(equalBytes(new Uint8Array(0), new Uint8Array(0))).toBe(true);
    for (const other of [[1, 2], [1, 2, 3, 0], [], [0, 2, 3], [1, 2, 4]]) {
      expect(equalBytes(bytes, Uint8Array.from(other))).toBe(false);
      expect(equalBytes(Uint8Array.from(other), bytes)).toBe(false);
    }
  });

  it("are written as hex", () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(toHex(all)).toBe(Buffer.from(all).toString("hex"));
    expect(toHex(new Uint8Array(0))).toBe("");
  });

  it("are told from other views and from what pretends to be one", () => {
    expect(isBytes(new Uint8Array(1))).toBe(true);
    expect(isBytes(Buffer.alloc(1))).toBe(true);
    for (const other of [
      new Uint8ClampedArray(1),
      new DataView(new ArrayBuffer(1)),
      [1],
      new ArrayBuffer(1),
    ]) {
      expect(isBytes(other)).toBe(false);
    }
    expect(isBytes({ [Symbol.toStringTag]: "Uint8Array", length: 1 })).toBe(false);
  });
});

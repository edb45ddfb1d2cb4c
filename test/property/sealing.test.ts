import fc from "fast-check";
import { createKeyring, createSealer, inspectEnvelope, StepsealError } from "stepseal";
import { describe, expect, it } from "vitest";
import { type Claims, decodeClaims, encodeClaims, type Kind } from "../../src/claims.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { kernelEngine } from "../../src/engines/kernel.ts";
import { nativeEngine } from "../../src/engines/native.ts";
import { portableEngine } from "../../src/engines/portable.ts";
import {
  closeEnvelope,
  type Envelope,
  openEnvelope,
  readEnvelope,
  sealEnvelope,
} from "../../src/envelope.ts";
import { failureOf, thrownFrom } from "../../src/failure.ts";
import { decodeBase64url, decodePortable, encodeBase64url } from "../../src/internal/base64url.ts";
import { sealingKey } from "../../src/keyring/keyring.ts";
import { codeOf } from "../code-of.ts";
import { key } from "../keyring/roots.ts";
import { ALL_KINDS, body, claimBytes, padded } from "../vectors/reference.ts";

/** SLOW=1 runs each property twenty times as often. */
const numRuns = process.env.SLOW === "1" ? 6000 : 300;

const keyring = createKeyring({ key: key("property") });
const sealers = [{}, { pad: true }, { compress: true }, { compress: true, pad: true }, { scope: "s" }].map(
  (options) => createSealer({ keyring, ...options }),
);
const engines: readonly Engine[] = [portableEngine, nativeEngine()!, kernelEngine()!];

// "binary" gives strings of any UTF-16 units, lone surrogates among them.
const anyText = fc.string({ unit: "binary" });
const brokenText = fc
  .array(fc.integer({ min: 0xd700, max: 0xe0ff }))
  .map((units) => String.fromCharCode(...units));
const anyJson = fc.jsonValue({ stringUnit: "binary", maxDepth: 5 });
const claimText = fc
  .string({ unit: "grapheme", maxLength: 40 })
  .filter((text) => Buffer.from(text).toString() === text);
const anyClaims: fc.Arbitrary<Claims> = fc.record(
  {
    kind: fc.constantFrom(...(ALL_KINDS as Kind[])),
    fn: claimText,
    run: claimText,
    step: claimText,
    event: claimText,
    field: claimText,
    name: claimText,
    parent: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  },
  { requiredKeys: ["kind"] },
);
const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
function check<T>(property: fc.IProperty<T>): void {
  fc.assert(property, { numRuns });
}

describe("sealing and opening", () => {
  it("give back any JSON value under any claims, with any options", () => {
    check(
      fc.property(anyJson, anyClaims, (value, claims) => {
        for (const sealer of sealers) {
          expect(sealer.open(sealer.seal(value, claims), claims)).toEqual(JSON.parse(JSON.stringify(value)));
        }
      }),
    );
  });

  it("give back any text to the last UTF-16 unit, half surrogate pairs included", () => {
    check(
      fc.property(fc.oneof(anyText, brokenText), (text) => {
        for (const sealer of sealers) {
          const claims = { kind: "custom" } as const;
          expect(sealer.open(sealer.seal(text, claims), claims)).toBe(text);
          expect(sealer.open(sealer.sealJson(JSON.stringify({ [text]: text }), claims), claims)).toEqual({
            [text]: text,
          });
        }
      }),
    );
  });

  it("give back any bytes", () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (value) => {
        for (const sealer of sealers) {
          expect(sealer.open(sealer.seal(value, { kind: "custom" }), { kind: "custom" })).toEqual(value);
        }
      }),
    );
  });

  it("give back any claims, also to a reader without the key", () => {
    check(
      fc.property(anyClaims, (claims) => {
        expect(inspectEnvelope(sealers[0]!.seal(1, claims)).claims).toEqual(claims);
        expect(decodeClaims(encodeClaims(claims))).toEqual(claims);
        const parent = claims.parent && Buffer.from(claims.parent).toString("hex");
        const { parent: _, ...rest } = claims;
        expect(Buffer.from(encodeClaims(claims))).toEqual(
          claimBytes(parent === undefined ? rest : { ...rest, parent }),
        );
      }),
    );
  });

  it("refuse every claim that differs", () => {
    check(
      fc.property(anyClaims, anyClaims, (written, required) => {
        const envelope = sealers[0]!.seal("value", written);
        const same = Object.entries(required).every(([name, value]) => {
          const found = written[name as keyof Claims];
          return Buffer.from(found ?? "absent").equals(Buffer.from(value)) && found !== undefined;
        });
        if (same) expect(sealers[0]!.open(envelope, required)).toBe("value");
        else expect(codeOf(() => sealers[0]!.open(envelope, required))).toBe("CONTEXT");
      }),
    );
  });
});

describe("the engines", () => {
  it("make equal bytes of equal input, and the bytes that the format says; each opens what the other sealed", () => {
    check(
      fc.property(
        bytes(24),
        anyClaims,
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer({ min: 0, max: 7 }),
        (nonce, claims, content, flags) => {
          const { kid, key: keys } = sealingKey(keyring, claims.run);
          const parts = { kid, key: keys, flags, claims, scope: undefined, content };
          const expected = body({
            key: "property",
            run: claims.run,
            flags,
            claims: encodeClaims(claims),
            nonce,
            content,
          });
          for (const engine of engines) {
            const envelope = sealEnvelope(parts, (into) => into.set(nonce), engine);
            expect(Buffer.from(envelope.data.slice(21), "base64url")).toEqual(expected);
            for (const other of engines) expect(openWith(envelope, keys, other)).toEqual(content);
          }
        },
      ),
    );
  });
});

describe("a small envelope", () => {
  const sealer = sealers[0]!;
  const claims = { kind: "step.output", fn: "f", run: "r", step: "s", parent: new Uint8Array(32) } as const;
  const anything = { kind: ALL_KINDS as Kind[] };
  const { data } = sealer.seal({ paid: true }, claims);
  const wrap = (text: string): Envelope => ({ __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data: text });
  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

  it("opens as it is, whatever is required of its claims", () => {
    expect(sealer.open(wrap(data), claims)).toEqual({ paid: true });
    expect(sealer.open(wrap(data), anything)).toEqual({ paid: true });
  });

  it("is refused with any one bit of its body flipped, by a reader that asks for nothing", () => {
    const whole = Buffer.from(data.slice(21), "base64url");
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const copy = Buffer.from(whole);
      copy[bit >> 3]! ^= 1 << (bit & 7);
      const flipped = wrap(data.slice(0, 21) + copy.toString("base64url"));
      // CONTEXT: tag 3 flipped to 2 is a scope, which this sealer has none of.
      expect(["CORRUPT", "FORMAT", "UNSUPPORTED", "CONTEXT"]).toContain(
        codeOf(() => sealer.open(flipped, anything)),
      );
    }
  });

  it("is refused with any one character changed to any other", () => {
    for (let at = 0; at < data.length; at++) {
      for (const char of [...ALPHABET, "+", "/", "=", ".", " ", "\n", "\u0141"]) {
        if (char === data[at]) continue;
        const changed = wrap(data.slice(0, at) + char + data.slice(at + 1));
        expect(codeOf(() => sealer.open(changed, anything))).not.toBe("nothing was thrown");
      }
    }
  });

  it("is refused cut at any place, with any character taken out, and with any added", () => {
    for (let at = 0; at < data.length; at++) {
      expect(codeOf(() => sealer.open(wrap(data.slice(0, at)), anything))).not.toBe("nothing was thrown");
      expect(codeOf(() => sealer.open(wrap(data.slice(at + 1)), anything))).not.toBe("nothing was thrown");
      expect(codeOf(() => sealer.open(wrap(data.slice(0, at) + data.slice(at + 1)), anything))).not.toBe(
        "nothing was thrown",
      );
      for (const char of "A. \n=") {
        expect(codeOf(() => sealer.open(wrap(data.slice(0, at) + char + data.slice(at)), anything))).not.toBe(
          "nothing was thrown",
        );
      }
    }
    for (const end of ["A", "AA", "AAAA", "=", "==", "\n", "\0", "."]) {
      expect(codeOf(() => sealer.open(wrap(data + end), anything))).not.toBe("nothing was thrown");
    }
  });

  it("made of noise is refused with one of the errors there are for it", () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 300 }), anyText, (noise, text) => {
        const kid = data.slice(4, 20);
        for (const made of [
          `ss1.${kid}.${Buffer.from(noise).toString("base64url")}`,
          `ss1.${kid}.${text}`,
          text,
        ]) {
          expect(["CORRUPT", "FORMAT", "UNSUPPORTED"]).toContain(
            codeOf(() => sealer.open(wrap(made), anything)),
          );
        }
      }),
    );
  });
});

describe("any value at all in place of an envelope", () => {
  it("is refused with a StepsealError, and never shown", () => {
    check(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), (value) => {
        let thrown: unknown;
        try {
          sealers[0]!.open(value, { kind: "custom" });
        } catch (error) {
          thrown = error;
        }
        expect(thrown).toBeInstanceOf(StepsealError);
        expect((thrown as StepsealError).code).toBe("PLAINTEXT_REJECTED");
      }),
    );
  });
});

describe("base64url", () => {
  it("is read as a reading to the letter would: what its bytes encode to, and nothing else", () => {
    const nearly = fc
      .array(fc.constantFrom(..."AQgwZaz09-_+/= \n\u0141é."), { maxLength: 40 })
      .map((chars) => chars.join(""));
    check(
      fc.property(fc.oneof(nearly, anyText), (text) => {
        const wanted = Buffer.from(text, "base64url").toString("base64url") === text;
        for (const decode of [decodeBase64url, decodePortable]) {
          const out = new Uint8Array(text.length);
          const end = decode(text, out, 0);
          expect(end).toBe(wanted ? Math.floor((text.length * 3) / 4) : undefined);
          if (wanted) expect(encodeBase64url(out, 0, end)).toBe(text);
        }
      }),
    );
  });
});

describe("padding", () => {
  it("is the same as that of the format's reference, and comes off", () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (value) => {
        const envelope = sealers[1]!.seal(value, { kind: "custom" });
        expect(inspectEnvelope(envelope).ciphertextBytes).toBe(padded(value).length);
      }),
    );
  });
});

describe("thrown values", () => {
  it("of any kind are carried without an exception, and JSON values unchanged", () => {
    check(
      fc.property(anyJson, (value) => {
        expect(thrownFrom(JSON.parse(JSON.stringify(failureOf(value))))).toEqual(
          typeof value === "number" ? value : JSON.parse(JSON.stringify(value)),
        );
      }),
    );
    check(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true }),
        (value) => {
          const error = Object.assign(new Error("x"), { value });
          const back = thrownFrom(JSON.parse(JSON.stringify(failureOf(error))));
          expect(back).toBeInstanceOf(Error);
        },
      ),
    );
  });
});

function openWith(envelope: Envelope, openingKey: Uint8Array, engine: Engine): Uint8Array {
  const read = readEnvelope(envelope, () => Number.POSITIVE_INFINITY);
  try {
    return Uint8Array.from(openEnvelope(read, openingKey, engine));
  } finally {
    closeEnvelope(read);
  }
}

import { AESEncryptionService } from "@inngest/middleware-encryption/strategies/aes";
import { LibSodiumEncryptionService } from "@inngest/middleware-encryption/strategies/libSodium";
import { createKeyring, createSealer, type StepsealError, type Use } from "stepseal";
import { describe, expect, it, test } from "vitest";
import { bind } from "../../src/legacy/binding.ts";
import { passphraseKeys } from "../../src/legacy/passphrases.ts";
import { legacySealer } from "../../src/legacy/sealer.ts";
import { envelopeSealer, kidOf, type SealedValue } from "../../src/value-sealer.ts";
import { KEY, keyring, OTHER_KEY } from "../adapters/inngest/keys.ts";
import { codeOf } from "../code-of.ts";
import { compat, libsodiumValue, OTHER, PASSPHRASE, PLACE, v0Value } from "./support.ts";

const VALUES = [{ card: "4111", list: [1, null, "ü"] }, "text", "", 0, false, null, [], "🔒".repeat(5_000)];

/** Another character in place of the one at `at`. */
const altered = (text: string, at: number): string =>
  text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);

describe("the official package", () => {
  test.each(VALUES)("opens what is sealed here: %j", async (value) => {
    for (const passphrase of [PASSPHRASE, `  ${PASSPHRASE}\n`]) {
      const sealed = compat({ passphrases: [passphrase, OTHER] }).seal(value, PLACE);
      expect(await new LibSodiumEncryptionService([OTHER, passphrase]).decrypt(sealed.data)).toEqual(value);
    }
  });

  test.each(VALUES)("and what it seals opens here: %j", async (value) => {
    const data = await new LibSodiumEncryptionService(` ${PASSPHRASE} `).encrypt(value);
    expect(compat().open(libsodiumValue(data), PLACE)).toEqual(value);
    expect(compat({ passphrases: [OTHER, PASSPHRASE] }).open(libsodiumValue(data), PLACE)).toEqual(value);
  });
});

describe("what does not open, and why", () => {
  const sealed = compat().seal({ secret: "card" }, PLACE);
  const bare = libsodiumValue(sealed.data);
  const other = compat().seal({ secret: "other" }, { ...PLACE, step: "other" });
  const v0 = v0Value(new AESEncryptionService(PASSPHRASE).encrypt({ secret: "card" }));
  const last = sealed.data.length - 6;

  const CASES: [name: string, code: string, value: unknown, sealer?: Parameters<typeof compat>[0]][] = [
    ["a value without binding under another passphrase", "UNKNOWN_KEY", bare, { passphrases: [OTHER] }],
    ["a bound value under another passphrase", "UNKNOWN_KEY", sealed, { passphrases: [OTHER] }],
    ["an altered value without binding", "UNKNOWN_KEY", libsodiumValue(altered(bare.data, last))],
    ["an altered bound value", "CORRUPT", { ...sealed, data: altered(sealed.data, last) }],
    ["an altered nonce", "CORRUPT", { ...sealed, data: altered(sealed.data, 3) }],
    ["a value cut short", "CORRUPT", { ...sealed, data: sealed.data.slice(0, 40) }],
    ["the data of another bound value", "CORRUPT", { ...sealed, data: other.data }],
    ["the claims of another bound value", "CORRUPT", { ...other, c: sealed.c }],
    ["a bound value of another step", "CONTEXT", other],
    ["an altered tag", "CORRUPT", { ...sealed, t: altered(sealed.t!, 5) }],
    ["a tag cut short", "CORRUPT", { ...sealed, t: sealed.t!.slice(0, 8) }],
    ["a tag without a kid", "FORMAT", { ...sealed, k: undefined }],
    ["a kid without a tag", "FORMAT", { ...bare, k: sealed.k }],
    ["a kid that is none", "FORMAT", { ...sealed, k: "passphrase" }],
    ["data that is no base64", "FORMAT", libsodiumValue("not base64!")],
    ["data in the other alphabet", "FORMAT", libsodiumValue(`${bare.data.slice(0, -4)}-_-_`)],
    ["data without its padding", "FORMAT", libsodiumValue("AAA")],
    ["data with stray bits", "FORMAT", libsodiumValue("AB==")],
    ["a value without binding, where only bound ones are read", "CONTEXT", bare, { read: "bound" }],
    ["any, where none is read", "LEGACY_NO_KEY", sealed, { read: false }],
    ["the format before 1.0, not asked for", "LEGACY_NO_KEY", v0],
    [
      "the format before 1.0, where only bound ones are read",
      "LEGACY_NO_KEY",
      v0,
      { v0: true, read: "bound" },
    ],
    ["the format before 1.0 under another passphrase", "UNKNOWN_KEY", v0, { v0: true, passphrases: [OTHER] }],
    ["the format before 1.0 without its mark", "UNKNOWN_KEY", v0Value(sealed.data), { v0: true }],
    ["the format before 1.0 with another mark", "UNKNOWN_KEY", v0Value(`W${v0.data.slice(1)}`), { v0: true }],
    ["claims alone", "FORMAT", { ...bare, c: sealed.c }],
    ["a tag alone", "FORMAT", { ...bare, t: sealed.t }],
    ["claims that are no text", "FORMAT", { ...sealed, c: 7 }],
    ["data without a mark", "PLAINTEXT_REJECTED", { data: v0.data }, { v0: true }],
    ["a mark that is none", "LEGACY_NO_KEY", { ...v0, __ENCRYPTED__: "true" }, { v0: true }],
    ["data that is no text", "LEGACY_NO_KEY", { ...v0, data: 7 }, { v0: true }],
    ["another strategy", "FORMAT", { ...bare, __STRATEGY__: "my-own" }],
    [
      "an envelope, where there is no ring",
      "UNKNOWN_KEY",
      createSealer({ keyring: keyring() }).seal(1, PLACE),
    ],
    ["plaintext", "PLAINTEXT_REJECTED", { secret: "card" }],
    ["another scope", "CONTEXT", sealed, { scope: "staging" }],
    ["more than the limit", "TOO_LARGE", libsodiumValue("A".repeat(2 ** 27))],
  ];
  it.each(CASES)("%s: %s", (_name, code, value, settings) => {
    let error: StepsealError | undefined;
    const open = () => compat(settings).open(value, PLACE);
    expect(codeOf(open)).toBe(code);
    try {
      open();
    } catch (caught) {
      error = caught as StepsealError;
    }
    for (const secret of [PASSPHRASE, OTHER, "card", sealed.data.slice(0, 12)]) {
      expect(`${error?.message} ${error?.stack} ${String(error?.cause)}`).not.toContain(secret);
    }
  });

  it("is refused for that reason alone: the values themselves open", () => {
    expect(compat().open(sealed, PLACE)).toEqual({ secret: "card" });
    expect(compat().open(bare, { kind: "fn.output", fn: "anything" })).toEqual({ secret: "card" });
    expect(compat({ v0: true }).open(v0, PLACE)).toEqual({ secret: "card" });
  });

  it.each([
    ["claims", { ...sealed, c: `${sealed.c}!` }, "c and t of the sealed value"],
    ["a tag", { ...sealed, t: `${sealed.t}=` }, "c and t of the sealed value"],
    ["data", { ...sealed, data: `${sealed.data}!` }, "data of the sealed value"],
  ])(
    "%s in no base64: the message says what is, and not an envelope that is not there",
    (_name, value, says) => {
      const open = () => compat().open(value, PLACE);
      expect(codeOf(open)).toBe("FORMAT");
      expect(open).toThrow(says);
      expect(open).not.toThrow("envelope");
    },
  );

  it("names the kids that are held, and the one that is wanted", () => {
    const wanted = sealed.k!;
    const held = compat({ passphrases: [OTHER] }).seal(1, PLACE).k!;
    const open = (value: unknown) => () => compat({ passphrases: [OTHER] }).open(value, PLACE);
    expect(open(sealed)).toThrow(wanted);
    expect(open(sealed)).toThrow(expect.objectContaining({ kid: wanted }));
    expect(open(sealed)).toThrow(held);
    expect(open(bare)).toThrow(held);
    const third = compat({ passphrases: ["third"] }).seal(1, PLACE).k!;
    expect(() => compat({ passphrases: [OTHER, "third"] }).open(bare, PLACE)).toThrow(`${held}, ${third}`);
  });

  it("names the kid of what is not authentic: by its tag, or by its box", () => {
    const kid = sealed.k!;
    const notAuthentic = expect.objectContaining({ code: "CORRUPT", kid });
    expect(() => compat().open({ ...sealed, data: other.data }, PLACE)).toThrow(notAuthentic);
    // What the holder of the passphrase could make: a tag that fits, around what no box is.
    const box = new Uint8Array(60);
    const [key] = passphraseKeys([PASSPHRASE]);
    const data = Buffer.from(box).toString("base64");
    expect(() => compat().open({ ...sealed, data, ...bind(key!, PLACE, box) }, PLACE)).toThrow(notAuthentic);
    const envelope = createSealer({ keyring: keyring() }).seal(1, PLACE);
    expect(() => compat().open(envelope, PLACE)).toThrow(expect.objectContaining({ kid: keyring().primary }));
  });

  it("opens what names the format before 1.0 too, as versions since do", () => {
    expect(compat({ v0: true }).open({ ...v0, __STRATEGY__: "inngest/aes" }, PLACE)).toEqual({
      secret: "card",
    });
  });
});

test("a scope is bound: it opens what was sealed under it, and nothing else does", () => {
  const staging = compat({ scope: "staging" });
  const sealed = staging.seal(1, PLACE);
  expect(staging.open(sealed, PLACE)).toBe(1);
  for (const scope of [undefined, "production"]) {
    expect(codeOf(() => compat({ scope }).open(sealed, PLACE))).toBe("CONTEXT");
  }
});

describe("what a value says of itself", () => {
  const sealed = compat().seal(1, PLACE);
  const bare = libsodiumValue(sealed.data);
  const base = envelopeSealer(createSealer({ keyring: keyring() }));
  const envelope = base.seal(1, PLACE);
  const beside = (read: boolean) =>
    legacySealer(base, {
      ...{ passphrases: [PASSPHRASE], read, write: false, v0: true, scope: undefined, onUse: undefined },
    });

  it("are the claims of a bound value and of an envelope, and nothing of any other", () => {
    expect(compat().claimsOf(sealed)).toEqual(PLACE);
    expect(beside(true).claimsOf(sealed)).toEqual(PLACE);
    for (const read of [true, false]) expect(beside(read).claimsOf(envelope)).toEqual(PLACE);
    expect(beside(false).claimsOf(sealed)).toBeUndefined();
    const broken = [
      { ...sealed, k: 7 },
      { ...sealed, c: "!" },
      { ...sealed, c: "AA" },
    ];
    for (const value of [bare, ...broken, v0Value(sealed.data), { card: 1 }, "text", null]) {
      expect(compat().claimsOf(value)).toBeUndefined();
    }
    expect(base.claimsOf({ ...envelope, data: `${envelope.data.slice(0, 22)}AA` })).toBeUndefined();
  });

  it("is that it is one of ours where it has a tag, or is an envelope", () => {
    const asked = [sealed, bare, envelope, v0Value(sealed.data), "text", null];
    expect(asked.map((value) => compat().recognises(value))).toEqual([true, ...Array(5).fill(false)]);
    expect(asked.map(beside(true).recognises)).toEqual([true, false, true, false, false, false]);
    expect(asked.map(beside(false).recognises)).toEqual([false, false, true, false, false, false]);
  });

  it("is which key it names, if any", () => {
    expect(kidOf(envelope)).toBe(keyring().primary);
    expect(kidOf(sealed)).toBe(sealed.k);
    expect(kidOf(bare)).toBeUndefined();
  });
});

test("without a ring there is one format to seal in", () => {
  expect(compat({ write: false }).seal(1, PLACE).__STRATEGY__).toBe("inngest/libsodium");
});

describe("beside a ring", () => {
  const base = () => envelopeSealer(createSealer({ keyring: keyring() }));
  const settings = {
    passphrases: [PASSPHRASE],
    read: true,
    v0: false,
    scope: undefined,
    onUse: undefined,
  } as const;

  it("seals in envelopes, and opens both formats", () => {
    const both = legacySealer(base(), { ...settings, write: false });
    const sealed = both.seal("new", PLACE);
    expect(sealed.__STRATEGY__).toBe("stepseal/v1");
    expect(both.open(sealed, PLACE)).toBe("new");
    expect(both.open(compat().seal("old", PLACE), PLACE)).toBe("old");
  });

  it("seals in the official format where it is asked to, and still opens both", () => {
    const both = legacySealer(base(), { ...settings, write: true });
    const sealed = both.sealJson('{"a":1}', PLACE);
    expect(sealed.__STRATEGY__).toBe("inngest/libsodium");
    expect(both.open(sealed, PLACE)).toEqual({ a: 1 });
    expect(both.open(base().seal("envelope", PLACE), PLACE)).toBe("envelope");
  });

  it("names the ring's kids for an envelope of another ring", () => {
    const both = legacySealer(base(), { ...settings, write: true });
    const stranger = createSealer({ keyring: createKeyring({ key: OTHER_KEY }) }).seal(1, PLACE);
    expect(() => both.open(stranger, PLACE)).toThrow(createKeyring({ key: KEY }).primary);
  });
});

test("onUse is told the format and the kid of each use, and no data", () => {
  const uses: Use[] = [];
  const sealer = compat({ v0: true, onUse: (use) => uses.push(use) });
  const sealed = sealer.seal({ secret: "card" }, PLACE);
  sealer.open(sealed, PLACE);
  sealer.open(libsodiumValue(sealed.data), { kind: ["fn.error", "step.error"] });
  sealer.open(libsodiumValue(sealed.data), ({ kind }) => ({ kind }));
  sealer.open(v0Value(new AESEncryptionService(PASSPHRASE).encrypt("card")), PLACE);
  const format = "inngest/libsodium";
  const kid = sealed.k;
  expect(uses).toEqual([
    { kid, kind: "step.output", operation: "seal", bytes: 17, format },
    { kid, kind: "step.output", operation: "open", bytes: 17, format },
    { kid, kind: "fn.error", operation: "open", bytes: 17, format },
    { kid, kind: "step.output", operation: "open", bytes: 17, format },
    { kid, kind: "step.output", operation: "open", bytes: 6, format: "inngest/aes" },
  ]);
});

test("the format before 1.0 is never written, and bytes and undefined are not sealed in the official one", () => {
  for (const value of [undefined, new Uint8Array(3)]) {
    expect(codeOf(() => compat({ v0: true }).seal(value, PLACE))).toBe("FORMAT");
  }
  expect((compat({ v0: true }).seal("x", PLACE) as SealedValue).__STRATEGY__).toBe("inngest/libsodium");
});

test("every altered character of a bound value is noticed", () => {
  const sealer = compat();
  const sealed = sealer.seal({ card: "4111" }, PLACE);
  for (const member of ["data", "c", "t"] as const) {
    for (let at = 0; at < sealed[member]!.length; at++) {
      const value = { ...sealed, [member]: altered(sealed[member]!, at) };
      expect(codeOf(() => sealer.open(value, PLACE))).toMatch(/^(CORRUPT|FORMAT)$/);
    }
  }
});

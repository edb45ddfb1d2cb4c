import fc from "fast-check";
import {
  createBlindIndex,
  createKeyring,
  createSealer,
  generateKey,
  type Keyring,
  StepsealError,
} from "stepseal";
import { describe, expect, test } from "vitest";
import { key, kid } from "./roots.ts";

const ring = createKeyring({ key: key("one"), fallbackKeys: [key("two")] });
const sealer = createSealer({ keyring: ring });
const other = createSealer({ keyring: createKeyring({ key: key("two") }) });
const reader = (...runKeys: string[]) => createSealer({ keyring: createKeyring({ runKeys }) });
const any = { kind: "step.output" } as const;
const output = (run: string) => ({ ...any, run });

function refusal(call: () => unknown): StepsealError {
  try {
    call();
  } catch (error) {
    if (error instanceof StepsealError) return error;
  }
  throw new Error("expected a StepsealError");
}

describe("a run key", () => {
  test("is one word that scanners find, with kid and run for whoever reads it", () => {
    const text = ring.runKey("01J0RUN");
    expect(text).toMatch(/^ssrk1_[0-9a-f]{16}_[0-9A-Za-z_-]*_[0-9A-Za-z]{49}$/);
    expect(text.split("_").slice(1, 3)).toEqual([kid("one"), Buffer.from("01J0RUN").toString("base64url")]);
  });

  test("opens what was sealed for its run", () => {
    const opener = reader(ring.runKey("a"));
    expect(opener.open(sealer.seal({ paid: true }, output("a")), any)).toEqual({ paid: true });
    const thrown = opener.openError(sealer.sealError(new TypeError("declined"), output("a")), any);
    expect(thrown).toMatchObject({ name: "TypeError", message: "declined" });
  });

  test("is made under a former key, too, where that is named", () => {
    const sealed = other.seal(1, output("a"));
    expect(reader(ring.runKey("a", kid("two"))).open(sealed, any)).toBe(1);
    expect(reader(ring.runKey("a", kid("two")), ring.runKey("a")).open(sealed, any)).toBe(1);
  });

  test("opens nothing of another run, and the error says what is held", () => {
    const error = refusal(() => reader(ring.runKey("a")).open(sealer.seal(1, output("b")), any));
    expect(error).toMatchObject({ code: "UNKNOWN_KEY", kid: kid("one") });
    for (const part of [kid("one"), 'for run "b"', 'run key of "a"', 'ring.runKey("b"', "nothing else"]) {
      expect(error.message).toContain(part);
    }
  });

  test("opens nothing that belongs to no run", () => {
    const error = refusal(() => reader(ring.runKey("a")).open(sealer.seal(1, any), any));
    expect(error).toMatchObject({ code: "UNKNOWN_KEY", kid: kid("one") });
    for (const part of ["for no run", 'run key of "a"', "root key alone"])
      expect(error.message).toContain(part);
  });

  test("opens nothing of another key, whatever the run", () => {
    const error = refusal(() => reader(ring.runKey("a")).open(other.seal(1, output("a")), any));
    expect(error).toMatchObject({ code: "UNKNOWN_KEY", kid: kid("two") });
    expect(error.message).toContain(`${kid("one")} (run key of "a")`);
    expect(error.message).toContain(`ring.runKey(run, "${kid("two")}")`);
  });

  test("does not open an envelope that only claims its run or its kid", () => {
    const swap = (from: string, to: string) => {
      const sealed = from === "run" ? sealer.seal(1, output("b")) : other.seal(1, output("a"));
      const [version, name, body = ""] = sealed.data.split(".");
      const bytes = Buffer.from(body, "base64url");
      // The run is the one byte before the nonce.
      if (from === "run") bytes[4 + bytes.readUInt16BE(2) - 1] = to.charCodeAt(0);
      const data = [version, from === "kid" ? to : name, bytes.toString("base64url")].join(".");
      return { ...sealed, data };
    };
    const opener = reader(ring.runKey("a"));
    expect(refusal(() => opener.open(swap("run", "a"), any)).code).toBe("CORRUPT");
    expect(refusal(() => opener.open(swap("kid", kid("one")), any)).code).toBe("CORRUPT");
  });

  test("gives back any run, of any key, and opens for that one only", () => {
    const run = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
    const root = generateKey();
    const made = createKeyring({ key: root });
    const maker = createSealer({ keyring: made });
    fc.assert(
      fc.property(run, run, (one, two) => {
        const text = made.runKey(one);
        const held = createKeyring({ runKeys: [` ${text}\n`] });
        expect(held.keys).toEqual([{ kid: made.primary, state: "decrypt-only", run: one }]);
        const opener = createSealer({ keyring: held });
        expect(opener.open(maker.seal(one, output(one)), any)).toBe(one);
        if (one !== two)
          expect(refusal(() => opener.open(maker.seal(1, output(two)), any)).code).toBe("UNKNOWN_KEY");
        expect(refusal(() => opener.seal(1, output(one))).code).toBe("CONFIG");
      }),
      { numRuns: process.env.SLOW === "1" ? 3000 : 150 },
    );
  });

  test("with one character changed is no run key", () => {
    const text = ring.runKey("01J0RUN");
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(..."0Aa_-"), (at, char) => {
        fc.pre(text[at] !== char);
        const changed = text.slice(0, at) + char + text.slice(at + 1);
        expect(refusal(() => createKeyring({ runKeys: [changed] })).code).toBe("CONFIG");
      }),
    );
  });
});

describe("a ring of run keys", () => {
  const runKeys = [ring.runKey("a"), ring.runKey("b"), ring.runKey("a", kid("two"))];
  const held = createKeyring({ runKeys });

  test("lists each with its run", () => {
    expect(held.primary).toBe("");
    expect(held.keys).toEqual([
      { kid: kid("one"), state: "decrypt-only", run: "a" },
      { kid: kid("one"), state: "decrypt-only", run: "b" },
      { kid: kid("two"), state: "decrypt-only", run: "a" },
    ]);
  });

  test("opens the runs of all of them, and counts by key", () => {
    const opener = createSealer({ keyring: held });
    for (const run of ["a", "b"]) expect(opener.open(sealer.seal(run, output(run)), any)).toBe(run);
    expect(held.report()).toMatchObject([
      { kid: kid("one"), opens: 2, seals: 0 },
      { kid: kid("two"), opens: 0, seals: 0 },
    ]);
  });

  test.each<[string, (ring: Keyring) => unknown]>([
    ["seals", (keyring) => createSealer({ keyring }).seal(1, output("a"))],
    ["makes run keys", (keyring) => keyring.runKey("a")],
    ["makes run keys of a kid", (keyring) => keyring.runKey("a", kid("one"))],
    ["makes blind indexes", (keyring) => createBlindIndex({ keyring })],
  ])("never %s", (_, use) => {
    const error = refusal(() => use(held));
    expect(error.code).toBe("CONFIG");
    expect(error.message).toContain("holds run keys alone");
    expect(error.message).toContain("ssk1_");
  });
});

describe("asking for a run key", () => {
  test.each<[string, unknown, string]>([
    ["no run", undefined, "found undefined"],
    ["null", null, "found null"],
    ["a number", 7, "found number"],
    ["an empty run", "", "found 0 characters"],
    ["half a surrogate pair", "\ud800", "found 1 characters"],
    ["a run longer than claims may be", "ä".repeat(2049), "found 2049 characters"],
  ])("for %s is refused", (_, run, says) => {
    const error = refusal(() => ring.runKey(run as string));
    expect(error.code).toBe("CONFIG");
    expect(error.message).toContain(says);
    expect(error.message).toContain("1 to 4096 bytes");
  });

  test.each([
    ["disabled", "KEY_DISABLED"],
    ["compromised", "KEY_COMPROMISED"],
  ] as const)("under a %s key is refused, override or not", (state, code) => {
    const keys = [{ key: key("one"), state: "primary" } as const, { key: key("two"), state }];
    const overrides = state === "compromised" ? [[], [kid("two")]] : [[]];
    for (const dangerouslyOpenCompromised of overrides) {
      const made = createKeyring({ keys, dangerouslyOpenCompromised });
      expect(refusal(() => made.runKey("a", kid("two")))).toMatchObject({ code, kid: kid("two") });
      expect(refusal(() => createBlindIndex({ keyring: made, kid: kid("two") })).code).toBe(code);
    }
  });

  test("under a key that the ring does not hold says which it holds", () => {
    const error = refusal(() => ring.runKey("a", "00000000000000aa"));
    expect(error).toMatchObject({ code: "UNKNOWN_KEY", kid: "00000000000000aa" });
    expect(error.message).toContain(`${kid("two")} (decrypt-only)`);
  });
});

import {
  createKeyring,
  createSealer,
  type Envelope,
  inspectEnvelope,
  type Keyring,
  type SealClaims,
  type SealerOptions,
  StepsealError,
  type Use,
} from "stepseal";
import { describe, expect, it, vi } from "vitest";
import { Scratch } from "../src/internal/bytes.ts";
import { codeOf } from "./code-of.ts";
import { key, kid } from "./keyring/roots.ts";
import { freshCopy, withoutNode } from "./without-node.ts";

const keyring = createKeyring({ key: key("sealer") });
const sealer = createSealer({ keyring });
const claims = { kind: "custom", name: "test" } as const;
const parent = new Uint8Array(32).fill(1);

describe("a sealer", () => {
  it.each([undefined, null, false, 0, "", "text", [1], { a: { b: null } }])(
    "opens what it sealed: %j",
    (value) => {
      expect(sealer.open(sealer.seal(value, claims), claims)).toEqual(value);
    },
  );

  it("seals JSON text as the value it stands for", () => {
    expect(sealer.open(sealer.sealJson('{"a":[1,2]}', claims), claims)).toEqual({ a: [1, 2] });
  });

  it("opens bytes as bytes", () => {
    const bytes = Uint8Array.of(0, 255, 128);
    expect(sealer.open(sealer.seal(bytes, claims), claims)).toEqual(bytes);
  });

  it("shows no plaintext in an envelope", () => {
    const envelope = sealer.seal({ card: "4242424242424242" }, claims);
    const shown =
      JSON.stringify(envelope) + Buffer.from(envelope.data.slice(21), "base64url").toString("latin1");
    expect(shown).not.toContain("4242424242");
    expect(shown).toContain("test");
  });

  it("gives the key's name with every refusal", () => {
    const thrown = caught(() => sealer.open(sealer.seal(1, claims), { kind: "custom", name: "other" }));
    expect(thrown.code).toBe("CONTEXT");
    expect(thrown.kid).toBe(kid("sealer"));
    expect(thrown.message).toContain(kid("sealer"));
  });

  it("gives no reason for data that is not authentic, and no cause", () => {
    const { data } = sealer.seal("secret", claims);
    const bytes = Buffer.from(data.slice(21), "base64url");
    bytes[bytes.length - 1]! ^= 1;
    const thrown = caught(() =>
      sealer.open(
        {
          __ENCRYPTED__: true,
          __STRATEGY__: "stepseal/v1",
          data: data.slice(0, 21) + bytes.toString("base64url"),
        },
        claims,
      ),
    );
    expect(thrown.code).toBe("CORRUPT");
    expect(thrown.cause).toBeUndefined();
    expect(thrown.message).toBe(`The value sealed under key ${kid("sealer")} is not authentic.`);
  });

  it("asks a function what to require, with the claims of the envelope", () => {
    const envelope = sealer.seal("value", { kind: "step.output", fn: "f", run: "r", step: "s", parent });
    const seen: unknown[] = [];
    const opened = sealer.open(envelope, (found) => {
      seen.push(found);
      return { kind: "step.output", fn: "f", step: "s" };
    });
    expect(opened).toBe("value");
    expect(seen).toEqual([{ kind: "step.output", fn: "f", run: "r", step: "s", parent }]);
    expect(codeOf(() => sealer.open(envelope, () => ({ kind: "step.error" })))).toBe("CONTEXT");
  });

  it("lets that function seal and open, and throw, without harm", () => {
    const outer = sealer.seal("outer", claims);
    const opened = sealer.open(outer, () => {
      expect(sealer.open(sealer.seal({ inner: "x".repeat(5000) }, claims), claims)).toBeTypeOf("object");
      return claims;
    });
    expect(opened).toBe("outer");
    expect(() =>
      sealer.open(outer, () => {
        throw new TypeError("the reader's own");
      }),
    ).toThrow(TypeError);
    expect(sealer.open(outer, claims)).toBe("outer");
  });

  it("lets a toJSON method seal something itself", () => {
    const value = { toJSON: () => ({ nested: sealer.seal("inner", claims) }) };
    const opened = sealer.open(sealer.seal(value, claims), claims) as { nested: Envelope };
    expect(sealer.open(opened.nested, claims)).toBe("inner");
  });

  it("does not let a changed envelope pass because its claims were changed to what the reader expects", () => {
    const envelope = sealer.seal("for A", { kind: "custom", name: "A" });
    const bytes = Buffer.from(envelope.data.slice(21), "base64url");
    bytes[bytes.indexOf("A", 4, "latin1")] = "B".charCodeAt(0);
    const moved = { ...envelope, data: envelope.data.slice(0, 21) + bytes.toString("base64url") };
    expect(inspectEnvelope(moved).claims.name).toBe("B");
    expect(codeOf(() => sealer.open(moved, { kind: "custom", name: "B" }))).toBe("CORRUPT");
  });

  it("does not open a run's value under another run's key", () => {
    const envelope = sealer.seal("x", { kind: "custom", run: "A" });
    const bytes = Buffer.from(envelope.data.slice(21), "base64url");
    bytes[bytes.indexOf("A", 4, "latin1")] = "B".charCodeAt(0);
    const moved = { ...envelope, data: envelope.data.slice(0, 21) + bytes.toString("base64url") };
    expect(codeOf(() => sealer.open(moved, { kind: "custom" }))).toBe("CORRUPT");
  });

  it("looks for the key before it looks at the place: a missing key is worth a retry", () => {
    const other = createSealer({ keyring: createKeyring({ key: key("other") }) });
    expect(codeOf(() => other.open(sealer.seal(1, claims), { kind: "signal" }))).toBe("UNKNOWN_KEY");
  });

  it("opens with a fallback key what that key sealed, and seals with the primary", () => {
    const rotated = createSealer({
      keyring: createKeyring({ key: key("new"), fallbackKeys: [key("sealer")] }),
    });
    expect(rotated.open(sealer.seal("old", claims), claims)).toBe("old");
    expect(inspectEnvelope(rotated.seal("new", claims)).kid).toBe(kid("new"));
  });
});

describe("memory", () => {
  it("that was lent is given back, whatever fails", () => {
    const lent: Uint8Array[] = [];
    const lend = vi.spyOn(Scratch.prototype, "lend");
    const takeBack = vi.spyOn(Scratch.prototype, "takeBack");
    const envelope = sealer.seal("secret", claims);
    sealer.open(envelope, claims);
    codeOf(() => sealer.seal("secret", { kind: "nothing" } as unknown as SealClaims));
    codeOf(() => sealer.seal("secret", { ...claims, name: "\ud83d" }));
    codeOf(() => sealer.open(envelope, { kind: "signal" }));
    codeOf(() => sealer.open({ ...envelope, data: `${envelope.data}=` }, claims));
    for (const { value } of lend.mock.results) lent.push(value as Uint8Array);
    const returned = takeBack.mock.calls.map(([bytes]) => bytes);
    vi.restoreAllMocks();
    expect(lent.length).toBeGreaterThan(6);
    expect(returned).toHaveLength(lent.length);
    for (const bytes of lent) {
      expect(returned).toContain(bytes);
      expect(Buffer.from(bytes).includes('"secret"')).toBe(false);
    }
  });
});

describe("the scope", () => {
  const scoped = (scope?: string): ReturnType<typeof createSealer> =>
    createSealer(scope === undefined ? { keyring } : { keyring, scope });

  it("is written into every envelope", () => {
    expect(inspectEnvelope(scoped("eu").seal(1, claims)).claims).toEqual({ ...claims, scope: "eu" });
  });

  it.each([
    ["eu", "us"],
    ["eu", undefined],
    [undefined, "eu"],
    ["eu", "EU"],
  ])("%s is not opened by a sealer of scope %s", (from, to) => {
    const envelope = scoped(from).seal(1, claims);
    expect(codeOf(() => scoped(to).open(envelope, claims))).toBe("CONTEXT");
    expect(codeOf(() => scoped(to).open(envelope, (found) => ({ kind: found.kind })))).toBe("CONTEXT");
    expect(scoped(from).open(envelope, claims)).toBe(1);
  });

  it("is the sealer's to give, and no caller's", () => {
    const withScope = { ...claims, scope: "eu" } as SealClaims;
    expect(codeOf(() => sealer.seal(1, withScope))).toBe("CONFIG");
    expect(codeOf(() => sealer.open(sealer.seal(1, claims), withScope))).toBe("CONFIG");
    // @ts-expect-error: claims with a scope are a type error too
    expect(codeOf(() => sealer.seal(1, { kind: "custom", scope: "eu" }))).toBe("CONFIG");
    // @ts-expect-error: so is an expectation with one
    expect(codeOf(() => sealer.open(sealer.seal(1, claims), { kind: "custom", scope: "eu" }))).toBe("CONFIG");
  });
});

describe("claims and expectations that are none", () => {
  it.each([undefined, null, "custom", 7, {}, { kind: "nothing" }])(
    "%j is CONFIG, sealing and opening",
    (given) => {
      expect(codeOf(() => sealer.seal(1, given as unknown as SealClaims))).toBe("CONFIG");
      const envelope = sealer.seal(1, claims);
      expect(codeOf(() => sealer.open(envelope, given as unknown as SealClaims))).toBe("CONFIG");
      expect(codeOf(() => sealer.open(envelope, () => given as unknown as SealClaims))).toBe("CONFIG");
    },
  );
});

describe("onUse", () => {
  it("is told kid, state, kind, operation and size, and no data", () => {
    const uses: Use[] = [];
    const counted = createSealer({ keyring, pad: true, compress: true, onUse: (use) => uses.push(use) });
    counted.open(counted.seal("x".repeat(998), claims), claims);
    const use = { kid: kid("sealer"), state: "primary", kind: "custom", bytes: 1000 };
    expect(uses).toEqual([
      { ...use, operation: "seal" },
      { ...use, operation: "open" },
    ]);
  });

  it("is not told of what failed", () => {
    const onUse = vi.fn();
    const counted = createSealer({ keyring, onUse });
    expect(codeOf(() => counted.seal(1n, claims))).toBe("FORMAT");
    expect(codeOf(() => counted.open(sealer.seal(1, claims), { kind: "signal" }))).toBe("CONTEXT");
    expect(onUse).not.toHaveBeenCalled();
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("counter down");
      },
    ],
    ["rejects", () => Promise.reject(new Error("counter down"))],
    [
      "returns a thenable that throws",
      () =>
        // biome-ignore lint/suspicious/noThenProperty: a hostile thenable is what this is about
        Object.defineProperty({}, "then", {
          get() {
            throw new Error("no");
          },
        }),
    ],
  ])("that %s breaks nothing", async (_, onUse) => {
    const counted = createSealer({ keyring, onUse: onUse as () => void });
    expect(counted.open(counted.seal("value", claims), claims)).toBe("value");
    // A rejection nobody handles would fail the test run here.
    await new Promise((resolve) => setImmediate(resolve));
  });

  it("may seal something itself", () => {
    let nested: Envelope | undefined;
    const counted = createSealer({
      keyring,
      onUse: () => {
        nested = sealer.seal("nested", claims);
      },
    });
    expect(counted.open(counted.seal("value", claims), claims)).toBe("value");
    expect(sealer.open(nested, claims)).toBe("nested");
  });
});

const wrongOptions: readonly (readonly [string, unknown, RegExp])[] = [
  ["no options", undefined, /keyring/],
  ["null", null, /keyring/],
  ["no ring", {}, /^keyring: /],
  ["a key in place of a ring", { keyring: key("sealer") }, /createKeyring/],
  ["a promise of a ring", { keyring: Promise.resolve(keyring) }, /await/],
  ["an unknown option", { keyring, compres: true }, /unknown option compres\. .* compress,/],
  ["an empty scope", { keyring, scope: "" }, /^scope: /],
  ["a scope that is a number", { keyring, scope: 7 }, /^scope: /],
  ["a scope too long", { keyring, scope: "x".repeat(257) }, /^scope: /],
  ["half a surrogate pair as scope", { keyring, scope: "\ud83d" }, /^scope: /],
  ["compress as text", { keyring, compress: "yes" }, /^compress: /],
  ["pad as number", { keyring, pad: 1 }, /^pad: /],
  ["a limit of zero", { keyring, maxPlaintextBytes: 0 }, /^maxPlaintextBytes: /],
  ["a limit that is no whole number", { keyring, maxInflatedBytes: 1.5 }, /^maxInflatedBytes: /],
  ["a limit that is NaN", { keyring, maxPlaintextBytes: Number.NaN }, /^maxPlaintextBytes: /],
  ["a limit as text", { keyring, maxPlaintextBytes: "64MB" }, /^maxPlaintextBytes: /],
  ["an onUse that is no function", { keyring, onUse: true }, /^onUse: /],
];

describe("options", () => {
  it.each(wrongOptions)(
    "%s is CONFIG, and the message names the option and a fix, not the value",
    (_, options, message) => {
      const thrown = caught(() => createSealer(options as SealerOptions));
      expect(thrown.code).toBe("CONFIG");
      expect(thrown.message).toMatch(message);
      expect(thrown.message).not.toContain("ssk1_");
      expect(thrown.message).not.toContain("64MB");
    },
  );

  it("limits hold for sealing and for opening", () => {
    const small = createSealer({ keyring, maxPlaintextBytes: 100 });
    expect(codeOf(() => small.seal("x".repeat(99), claims))).toBe("TOO_LARGE");
    expect(codeOf(() => small.open(sealer.seal("x".repeat(99), claims), claims))).toBe("TOO_LARGE");
    expect(small.open(sealer.seal("x".repeat(98), claims), claims)).toBe("x".repeat(98));
    const padder = createSealer({ keyring, maxPlaintextBytes: 100, pad: true });
    expect(padder.open(padder.seal("x".repeat(98), claims), claims)).toBe("x".repeat(98));
    const deflater = createSealer({ keyring, compress: true });
    const tight = createSealer({ keyring, maxInflatedBytes: 1000 });
    expect(codeOf(() => tight.open(deflater.seal("x".repeat(1000), claims), claims))).toBe("INFLATE_LIMIT");
  });

  it("may be as low as one byte, and a scope as long as 256 characters", () => {
    const sealer = createSealer({ keyring, maxPlaintextBytes: 1, scope: "x".repeat(256) });
    expect(sealer.open(sealer.seal(7, claims), claims)).toBe(7);
    expect(codeOf(() => sealer.seal(77, claims))).toBe("TOO_LARGE");
  });

  it("a value over 64 MiB is refused without any option", () => {
    expect(codeOf(() => sealer.sealJson(" ".repeat(2 ** 26 + 1), claims))).toBe("TOO_LARGE");
  });
});

describe("errors", () => {
  it("come back as errors to throw again", () => {
    const error = Object.assign(new RangeError("card 4242 declined", { cause: "bank" }), { code: "E_CARD" });
    const envelope = sealer.sealError(error, { kind: "step.error", step: "s" });
    expect(JSON.stringify(envelope)).not.toContain("declined");
    const opened = sealer.openError(envelope, { kind: "step.error", step: "s" }) as typeof error;
    expect(opened).toBeInstanceOf(RangeError);
    expect(opened).toMatchObject({
      message: "card 4242 declined",
      cause: "bank",
      code: "E_CARD",
      stack: error.stack,
    });
  });

  it("are bound to their place as values are", () => {
    const envelope = sealer.sealError(new Error("x"), { kind: "step.error", step: "s" });
    expect(codeOf(() => sealer.openError(envelope, { kind: "step.error", step: "t" }))).toBe("CONTEXT");
  });

  it("are not made of a sealed value that is none", () => {
    expect(codeOf(() => sealer.openError(sealer.seal({ message: "x" }, claims), claims))).toBe("CORRUPT");
    expect(codeOf(() => sealer.openError(sealer.seal(undefined, claims), claims))).toBe("CORRUPT");
  });
});

describe("a runtime without Buffer and without Node's modules", () => {
  it("opens what Node sealed, and seals what Node opens", async () => {
    const copy = await freshCopy();
    const value = { text: "größe 🧾".repeat(500), list: [1, null, false] };
    const fromNode = sealer.seal(value, claims);
    const fromCopy = withoutNode(() => {
      const there = copy.createSealer({ keyring: copy.createKeyring({ key: key("sealer") }), pad: true });
      expect(there.open(fromNode, claims)).toEqual(value);
      expect(codeIn(() => there.open({ ...fromNode, data: `${fromNode.data}=` }, claims))).toBe("FORMAT");
      const at = fromNode.data.length - 10;
      const other = fromNode.data[at] === "A" ? "B" : "A";
      const altered = fromNode.data.slice(0, at) + other + fromNode.data.slice(at + 1);
      expect(codeIn(() => there.open({ ...fromNode, data: altered }, claims))).toBe("CORRUPT");
      expect(there.open(there.seal(Uint8Array.of(1), claims), claims)).toEqual(Uint8Array.of(1));
      return there.seal(value, claims);
    });
    expect(sealer.open(fromCopy, claims)).toEqual(value);
  });

  it("says so when it is asked to compress, or to open what is compressed", async () => {
    const copy = await freshCopy();
    const compressed = createSealer({ keyring, compress: true }).seal("x".repeat(1000), claims);
    expect(inspectEnvelope(compressed).compressed).toBe(true);
    withoutNode(() => {
      const ring = copy.createKeyring({ key: key("sealer") });
      expect(codeIn(() => copy.createSealer({ keyring: ring, compress: true }))).toBe("CONFIG");
      expect(codeIn(() => copy.createSealer({ keyring: ring }).open(compressed, claims))).toBe("UNSUPPORTED");
    });
  });

  it("is not asked for randomness or modules while the package loads", async () => {
    const random = vi.spyOn(crypto, "getRandomValues");
    const builtin = vi.spyOn(process, "getBuiltinModule");
    const copy = await freshCopy();
    expect(random).not.toHaveBeenCalled();
    expect(builtin).not.toHaveBeenCalled();
    copy.createSealer({ keyring: copy.createKeyring({ key: key("sealer") }) }).seal(1, claims);
    expect(random).toHaveBeenCalled();
    expect(builtin).toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});

/** The code of what is thrown by another copy of the package, whose class is another one. */
function codeIn(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return "nothing was thrown";
}

function caught(call: () => unknown): StepsealError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(StepsealError);
    return error as StepsealError;
  }
  throw new Error("nothing was thrown");
}

describe("a ring", () => {
  it("must be one of this copy of the package", async () => {
    const copy = await freshCopy();
    const foreign = copy.createKeyring({ key: key("sealer") }) as unknown as Keyring;
    expect(codeOf(() => createSealer({ keyring: foreign }))).toBe("CONFIG");
  });
});

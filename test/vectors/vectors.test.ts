import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import { createKeyring, createSealer, inspectEnvelope, type Keyring, StepsealError } from "stepseal";
import { describe, expect, it } from "vitest";
import { type Claims, encodeClaims } from "../../src/claims.ts";
import { encodeValue } from "../../src/codec.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { kernelEngine } from "../../src/engines/kernel.ts";
import { nativeEngine } from "../../src/engines/native.ts";
import { portableEngine } from "../../src/engines/portable.ts";
import { type Envelope, sealEnvelope } from "../../src/envelope.ts";
import { openingKey, sealingKey } from "../../src/keyring/keyring.ts";
import type { OpenExpected } from "../../src/sealer.ts";
import { type PlainValue, valueIn } from "./accepted-cases.ts";

/** Of the frozen files. A change here is a change of the format. */
const FROZEN = {
  "accepted.json": "6b059215b8b705acf88f11d143cd4403646a89ea13903fb1ae9f0f4666955381",
  "run-keys.json": "09fc52919a4b99c889fe8edfb101fd0839db79caed2163fd6699ea0eabfdbc95",
  "rejected.json": "34aa0f56d9ef1d2e47f1aace405d642b42057b311d92997cb2341b9ecc0308c7",
};

interface KeyVector {
  readonly root: string;
  readonly text: string;
  readonly kid: string;
}
interface AcceptedVector {
  readonly name: string;
  readonly claims: Readonly<Record<string, string>>;
  readonly value: PlainValue;
  readonly flags: number;
  readonly nonce: string;
  readonly content?: string;
  readonly envelope?: Envelope;
  readonly contentSha256?: string;
  readonly dataSha256?: string;
}
interface RejectedVector {
  readonly name: string;
  readonly code: string;
  readonly envelope: unknown;
  readonly expected?: Readonly<Record<string, unknown>>;
  readonly scope?: string;
  readonly ring?: string;
}

const read = (file: string): string => readFileSync(new URL(`v1/${file}`, import.meta.url), "utf8");
const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");

const accepted = JSON.parse(read("accepted.json")) as {
  keys: Record<"A" | "B", KeyVector>;
  vectors: AcceptedVector[];
};
const rejected = JSON.parse(read("rejected.json")) as {
  expected: Record<string, unknown>;
  vectors: RejectedVector[];
};
const runKeys = JSON.parse(read("run-keys.json")) as {
  vectors: { key: "A" | "B"; run: string; runKey: string; text: string }[];
};
const { A, B } = accepted.keys;

const rings: Readonly<Record<string, Keyring>> = {
  A: createKeyring({ key: A.text }),
  B: createKeyring({ key: B.text }),
  "B with A": createKeyring({ key: B.text, fallbackKeys: [A.text] }),
  "A disabled": createKeyring({
    keys: [
      { key: B.text, state: "primary" },
      { key: A.text, state: "disabled" },
    ],
  }),
  "A compromised": createKeyring({
    keys: [
      { key: B.text, state: "primary" },
      { key: A.text, state: "compromised" },
    ],
  }),
  "A destroyed": createKeyring({
    keys: [
      { key: B.text, state: "primary" },
      { kid: A.kid, state: "destroyed", destroyedAt: "2026-01-31" },
    ],
  }),
};

/** Claims as the code has them, the scope apart. */
function claimsOf(plain: Readonly<Record<string, unknown>>): {
  scope: string | undefined;
  claims: OpenExpected;
} {
  const { scope, parent, ...rest } = plain;
  const claims =
    parent === undefined ? rest : { ...rest, parent: Uint8Array.from(Buffer.from(String(parent), "hex")) };
  return { scope: scope as string | undefined, claims: claims as unknown as OpenExpected };
}

function sealerFor(ring: Keyring, scope: string | undefined): ReturnType<typeof createSealer> {
  return createSealer(scope === undefined ? { keyring: ring } : { keyring: ring, scope });
}

const engines: Engine[] = [portableEngine, nativeEngine()!];

describe("the frozen vectors", () => {
  it.each(Object.entries(FROZEN))("%s is what it was when it was published", (file, digest) => {
    expect(sha256(read(file))).toBe(digest);
  });

  it.each(Object.entries(accepted.keys))(
    "key %s has the kid and the text that its root says",
    (_, { root, text, kid }) => {
      expect(createKeyring({ key: `hex:${root}` }).primary).toBe(kid);
      expect(createKeyring({ key: text }).primary).toBe(kid);
    },
  );

  it.each(runKeys.vectors)("the run key of $run under $key is what the root says", ({ key, run, ...is }) => {
    const { kid } = accepted.keys[key];
    expect(rings["B with A"]!.runKey(run, kid)).toBe(is.text);
    const held = openingKey(createKeyring({ runKeys: [is.text] }), kid, run);
    expect(Buffer.from(held).toString("hex")).toBe(is.runKey);
  });
});

describe("docs/envelope-v1.md", () => {
  const page = readFileSync(new URL("../../docs/envelope-v1.md", import.meta.url), "utf8");
  const [first] = accepted.vectors;
  const { scope, claims } = claimsOf(first!.claims);
  const bytes = Buffer.from(first!.envelope!.data.slice(21), "base64url");
  const encoded = Buffer.from(
    encodeClaims(scope === undefined ? (claims as Claims) : ({ ...claims, scope } as Claims)),
  );
  const sealed = bytes.subarray(4 + encoded.length + 24);

  it.each([
    ["root", A.root],
    ["text of the root", A.text],
    ["kid", A.kid],
    ["sealing key", Buffer.from(sealingKey(rings.A!, claims.run).key).toString("hex")],
    ["claims", encoded.toString("hex")],
    ["content", first!.content!],
    ["nonce", first!.nonce],
    ["label and kid", `\`${Buffer.from("stepseal/v1").toString("hex")}\` \`${A.kid}\``],
    ["ciphertext", sealed.subarray(0, -16).toString("hex")],
    ["tag", sealed.subarray(-16).toString("hex")],
    ["data", first!.envelope!.data],
  ])("shows the %s of the first vector", (_, shown) => {
    expect(page).toContain(shown);
  });
});

describe("what every implementation writes and reads", () => {
  it.each(accepted.vectors)("$name: sealed to the same bytes on each engine", (vector) => {
    const { scope, claims } = claimsOf(vector.claims);
    const { kid, key } = sealingKey(rings.A!, claims.run);
    const content = contentOf(vector);
    // The kernel is for short messages: its memory is one page.
    for (const engine of content.length > 50_000 ? engines : [...engines, kernelEngine()!]) {
      const sealed = sealEnvelope(
        { kid, key, flags: vector.flags, claims: claims as Claims, scope, content },
        (nonce) => nonce.set(Buffer.from(vector.nonce, "hex")),
        engine,
      );
      if (vector.envelope !== undefined) expect(sealed).toEqual(vector.envelope);
      else expect(sha256(sealed.data)).toBe(vector.dataSha256);
    }
  });

  it.each(accepted.vectors)("$name: opens to its value", (vector) => {
    const { scope, claims } = claimsOf(vector.claims);
    const envelope = vector.envelope ?? remade(vector);
    const opened = sealerFor(rings.A!, scope).open(envelope, claims);
    expect(opened).toEqual(valueIn(vector.value));
    expect(opened instanceof Uint8Array).toBe("raw" in vector.value);
    expect(inspectEnvelope(envelope)).toMatchObject({ kid: A.kid, claims: { kind: vector.claims.kind } });
  });

  it.each(accepted.vectors.filter(({ flags }) => (flags & 1) === 0))(
    "$name: encoded to the same content",
    (vector) => {
      const options = {
        compress: false,
        pad: (vector.flags & 2) !== 0,
        maxPlaintextBytes: 2 ** 26,
        maxInflatedBytes: 2 ** 24,
      };
      const { content, flags } = encodeValue(valueIn(vector.value), options);
      expect(flags).toBe(vector.flags);
      if (vector.content !== undefined) expect(Buffer.from(content).toString("hex")).toBe(vector.content);
      else expect(sha256(content)).toBe(vector.contentSha256);
    },
  );

  it("holds every kind of claim, every flag, a scope, and run keys", () => {
    expect(new Set(accepted.vectors.map(({ claims }) => claims.kind)).size).toBe(12);
    expect(new Set(accepted.vectors.map(({ flags }) => flags))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
    expect(accepted.vectors.some(({ claims }) => claims.scope !== undefined)).toBe(true);
    expect(accepted.vectors.some(({ claims }) => claims.run !== undefined)).toBe(true);
  });
});

describe("what every implementation refuses", () => {
  it.each(rejected.vectors)("$name: $code", (vector) => {
    const { claims } = claimsOf(vector.expected ?? rejected.expected);
    const sealer = sealerFor(rings[vector.ring ?? "A"]!, vector.scope);
    let thrown: unknown;
    try {
      sealer.open(vector.envelope, claims);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(StepsealError);
    expect((thrown as StepsealError).code).toBe(vector.code);
  });

  it("is refused for that reason alone: the message it was made of opens", () => {
    const { claims } = claimsOf(rejected.expected);
    const untouched = rejected.vectors.find(({ name }) => name === "another kind")!.envelope;
    expect(createSealer({ keyring: rings.A! }).open(untouched, claims)).toEqual({ total: 4200 });
  });

  it("opens the bomb where the limit allows it, so that the limit is what stops it", () => {
    const bomb = rejected.vectors.find(({ name }) => name === "a deflate bomb")!.envelope;
    const { claims } = claimsOf(rejected.expected);
    const sealer = createSealer({ keyring: rings.A!, maxInflatedBytes: 2 ** 25 });
    expect(() => sealer.open(bomb, claims)).not.toThrow();
  });
});

/** The bytes that are encrypted. Deflate may compress in other ways, so those of a vector are taken as given. */
function contentOf(vector: AcceptedVector): Uint8Array {
  if (vector.content !== undefined) {
    const content = Buffer.from(vector.content, "hex");
    if (vector.flags === 1)
      expect(inflateRawSync(content).toString()).toBe(JSON.stringify(valueIn(vector.value)));
    return content;
  }
  return Buffer.from(JSON.stringify(valueIn(vector.value)));
}

/** The envelope of a vector that gives only its digest. */
function remade(vector: AcceptedVector): Envelope {
  const { scope, claims } = claimsOf(vector.claims);
  const key = openingKey(rings.A!, A.kid, claims.run);
  const content = contentOf(vector);
  return sealEnvelope(
    { kid: A.kid, key, flags: vector.flags, claims: claims as Claims, scope, content },
    (nonce) => nonce.set(Buffer.from(vector.nonce, "hex")),
  );
}

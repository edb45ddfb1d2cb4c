import { inspect } from "node:util";
import { expect, test } from "vitest";
import { createSigner, createVerifier, signedFetch } from "../../src/transport/index.ts";
import { at, bytes, INNGEST, QSTASH, URL_OF_APP } from "./support.ts";

const SECRETS = [...Object.values(INNGEST), ...Object.values(QSTASH)].flatMap((key) => {
  const bare = key.slice(-24);
  return [bare, Buffer.from(bare).toString("hex"), Buffer.from(bare).toString("base64").slice(0, 30)];
});

const deep = { depth: 20, showHidden: true, getters: true, maxStringLength: null } as const;

/** The secrets that stand in any text that a value can be turned into. */
function leaks(value: unknown): string[] {
  const texts = [
    inspect(value, deep),
    inspect(value, { ...deep, customInspect: false }),
    JSON.stringify(value) ?? "",
    String(value),
    value instanceof Error ? `${value.stack} ${inspect(value.cause, deep)}` : "",
  ].join("\n");
  return SECRETS.filter((secret) => texts.includes(secret) || texts.includes([...bytes(secret)].join(", ")));
}

const inngest = {
  scheme: "inngest",
  signingKey: INNGEST.old,
  signingKeyFallback: INNGEST.new,
  now: at(),
} as const;
const qstash = {
  scheme: "qstash",
  currentSigningKey: QSTASH.old,
  nextSigningKey: QSTASH.new,
  url: URL_OF_APP,
  now: at(),
} as const;
const regions = { EU_CENTRAL_1: { currentSigningKey: QSTASH.other } };

test("the search finds a key that is there", () => {
  expect(leaks({ key: INNGEST.old })).not.toEqual([]);
  expect(leaks(new Error("x", { cause: QSTASH.new }))).not.toEqual([]);
});

test("signers, verifiers and calls show no key, before and after use", async () => {
  const body = bytes('{"n":1}');
  for (const [signer, verifier] of [
    [createSigner(inngest), createVerifier(inngest)],
    [createSigner(qstash), createVerifier({ ...qstash, regions })],
  ] as const) {
    for (let i = 0; i < 2; i++) {
      expect([signer, verifier].flatMap(leaks)).toEqual([]);
      const signed = await signer.sign({ body });
      expect([signed, await verifier.verify({ ...signed, body })].flatMap(leaks)).toEqual([]);
    }
  }
  expect(leaks(signedFetch({ signingKey: INNGEST.old, signingKeyFallback: INNGEST.new }))).toEqual([]);
});

test("no refusal shows a key, a signature or a part of a body", async () => {
  const body = bytes('{"secret":"a private body"}');
  const shown: unknown[] = [];
  for (const verifier of [createVerifier(inngest), createVerifier({ ...qstash, regions })]) {
    const name = verifier.scheme === "inngest" ? "x-inngest-signature" : "upstash-signature";
    const mine = await createSigner(verifier.scheme === "inngest" ? inngest : qstash).sign({ body });
    const value = mine.headers[name]!;
    for (const [header, sent] of [
      [undefined, body],
      [value.slice(1), body],
      [value, bytes('{"secret":"a private body","secret":1}')],
      [value, bytes("a private body")],
      [value.replace(/.$/, "!"), body],
      [value, bytes('{"secret":"another"}')],
    ] as const) {
      const error = await verifier
        .verify({ headers: { [name]: header }, body: sent })
        .catch((refusal: unknown) => refusal);
      expect(error).toBeInstanceOf(Error);
      shown.push(error);
      expect(inspect(error, deep)).not.toContain("private body");
      expect(inspect(error, deep)).not.toContain(value.slice(-30, -1));
    }
  }
  expect(shown.flatMap(leaks)).toEqual([]);
});

test("an option that is wrong is told without its value", () => {
  for (const key of [`${INNGEST.old} `, ` ${INNGEST.old}`, `"${INNGEST.old}"\n`]) {
    for (const options of [
      { scheme: "inngest", signingKey: key },
      { scheme: "inngest", signingKey: "x", signingKeyFallback: key },
      { ...qstash, currentSigningKey: key },
      { ...qstash, regions: { EU: { currentSigningKey: key } } },
    ]) {
      try {
        createVerifier(options as never);
        expect.unreachable();
      } catch (error) {
        expect(error).toMatchObject({ code: "CONFIG" });
        expect(leaks(error)).toEqual([]);
      }
    }
  }
});

test("a key id is one of the key alone, and short", async () => {
  const ids = new Set<string>();
  for (const signingKey of Object.values(INNGEST)) {
    const { keyId } = await createSigner({ scheme: "inngest", signingKey }).sign({ body: bytes("") });
    const again = await createSigner({ scheme: "inngest", signingKey }).sign({ body: bytes("{}") });
    expect(keyId).toMatch(/^[0-9a-f]{8}$/);
    expect(again.keyId).toBe(keyId);
    ids.add(keyId);
  }
  expect(ids.size).toBe(3);
});

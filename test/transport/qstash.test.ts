import { createHash } from "node:crypto";
import { Receiver } from "@upstash/qstash";
import { CompactSign } from "jose";
import { afterAll, describe, expect, test, vi } from "vitest";
import { createSigner, createVerifier, memoryReplayStore } from "../../src/transport/index.ts";
import vectors from "../fixtures/qstash-vectors.json" with { type: "json" };
import { at, bytes, QSTASH, refusal, T0, URL_OF_APP } from "./support.ts";

afterAll(() => {
  vi.useRealTimers();
});

/** Our code for each reason that the vectors give. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  mac: ["MISMATCH"],
  alg: ["UNSUPPORTED_ALGORITHM"],
  malformed: ["MALFORMED"],
  iss: ["MALFORMED"],
  // Missing or no number, and past or ahead.
  exp: ["MALFORMED", "EXPIRED"],
  nbf: ["MALFORMED", "FROM_FUTURE"],
  lifetime: ["MALFORMED"],
  sub: ["WRONG_DESTINATION"],
  body: ["BODY_ALTERED"],
  "body-claim": ["MALFORMED"],
};

interface Vector {
  readonly name: string;
  readonly now: number;
  readonly currentSigningKey: string;
  readonly nextSigningKey: string;
  readonly body: string;
  readonly signature: string;
  readonly url?: string;
  readonly clockTolerance?: number;
  readonly receiver: { readonly ok: boolean; readonly message?: string };
  readonly strict: { readonly ok: boolean; readonly why?: string };
}
const cases = vectors.vectors as readonly Vector[];

describe("the 37 signed requests of the fixtures", () => {
  test("are 37", () => expect(cases).toHaveLength(37));

  test.each(cases)("$name: the real Receiver answers as recorded, and ours as it must", async (vector) => {
    const { now, url, clockTolerance, body, signature, ...rest } = vector;
    const { currentSigningKey, nextSigningKey, receiver, strict } = rest;
    const keys = { currentSigningKey, nextSigningKey };

    vi.useFakeTimers({ toFake: ["Date"], now: now * 1000 });
    const answer = new Receiver(keys).verify({
      signature,
      body,
      ...(url !== undefined && { url }),
      ...(clockTolerance !== undefined && { clockTolerance }),
    });
    await (receiver.ok ? expect(answer).resolves.toBe(true) : expect(answer).rejects.toThrow());

    const verifier = createVerifier({
      scheme: "qstash",
      ...keys,
      ...(url === undefined ? { dangerouslyAcceptAnyUrl: true } : { url }),
      ...(clockTolerance !== undefined && { clockTolerance }),
      now: () => now * 1000,
    });
    const code = await refusal(
      verifier.verify({ headers: { "upstash-signature": signature }, body: bytes(body) }),
    );
    if (strict.ok) expect(code).toBeUndefined();
    else expect(CODES[strict.why!]).toContain(code);
  });
});

const options = { scheme: "qstash", currentSigningKey: QSTASH.old, url: URL_OF_APP, now: at() } as const;
const BODY = '{"n":1}';
const hash = (text: string): string => createHash("sha256").update(text).digest("base64url");

/** A token made with jose, with claims or header changed. */
async function token(change: {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  key?: string;
}): Promise<string> {
  const claims = { iss: "Upstash", sub: URL_OF_APP, exp: T0 + 300, nbf: T0, body: hash(BODY) };
  const signer = new CompactSign(bytes(JSON.stringify({ ...claims, ...change.claims })));
  signer.setProtectedHeader({ alg: "HS256", ...change.header });
  return signer.sign(bytes(change.key ?? QSTASH.old), { crit: { x: true } });
}

const verify = (signature: string, more: object = {}): Promise<unknown> =>
  createVerifier({ ...options, ...more }).verify({
    headers: { "Upstash-Signature": signature },
    body: bytes(BODY),
  });

describe("an authentic token is refused when it", () => {
  test.each([
    ["has no issuer", { claims: { iss: undefined } }, "MALFORMED"],
    ["has exp in the past", { claims: { exp: T0 - 1, nbf: T0 - 100 } }, "EXPIRED"],
    ["expires now", { claims: { exp: T0, nbf: T0 - 100 } }, "EXPIRED"],
    ["begins in a second", { claims: { nbf: T0 + 1 } }, "FROM_FUTURE"],
    ["ends before it begins", { claims: { exp: T0 + 1, nbf: T0 + 2 } }, "MALFORMED"],
    ["ends when it begins", { claims: { exp: T0 + 1, nbf: T0 + 1 } }, "MALFORMED"],
    ["has begun with the epoch", { claims: { nbf: 0, exp: 300 } }, "EXPIRED"],
    ["lives longer than 600 s", { claims: { exp: T0 + 601 } }, "MALFORMED"],
    ["has exp as a text", { claims: { exp: String(T0 + 300) } }, "MALFORMED"],
    ["has a negative nbf", { claims: { nbf: -1, exp: 300 } }, "MALFORMED"],
    ["is for another path", { claims: { sub: `${URL_OF_APP}/other` } }, "WRONG_DESTINATION"],
    ["is for no URL", { claims: { sub: undefined } }, "WRONG_DESTINATION"],
    ["is for a list of URLs", { claims: { sub: [URL_OF_APP] } }, "WRONG_DESTINATION"],
    ["is for another body", { claims: { body: hash(`${BODY} `) } }, "BODY_ALTERED"],
    ["has no hash", { claims: { body: "" } }, "BODY_ALTERED"],
    ["has a number for a hash", { claims: { body: 1 } }, "MALFORMED"],
    ["is critical of something", { header: { crit: ["x"], x: 1 } }, "UNSUPPORTED_ALGORITHM"],
    ["is HS384", { header: { alg: "HS384" } }, "UNSUPPORTED_ALGORITHM"],
  ])("%s", async (_name, change, code) => {
    expect(await refusal(verify(await token({})))).toBeUndefined();
    expect(await refusal(verify(await token(change)))).toBe(code);
    // Of a token that no key made, none of this is told.
    const forged = await token({ ...change, key: QSTASH.other });
    expect(await refusal(verify(forged))).toBe(code === "UNSUPPORTED_ALGORITHM" ? code : "MISMATCH");
  });

  test("but not when it lives for exactly 600 s, or for one", async () => {
    for (const exp of [T0 + 600, T0 + 1])
      expect(await refusal(verify(await token({ claims: { exp } })))).toBeUndefined();
  });

  test("has a claim wrong and was signed with the next key: the claim is the reason", async () => {
    const keys = { currentSigningKey: QSTASH.new, nextSigningKey: QSTASH.old };
    expect(await refusal(verify(await token({ claims: { exp: T0 - 1, nbf: T0 - 9 } }), keys))).toBe(
      "EXPIRED",
    );
    expect(await refusal(verify(await token({ claims: { sub: "https://x.test/" } }), keys))).toBe(
      "WRONG_DESTINATION",
    );
  });
});

describe("a header that is no token is refused:", () => {
  const segment = (text: string): string => Buffer.from(text).toString("base64url");
  const good = segment('{"alg":"HS256"}');
  const mac = "A".repeat(43);
  test.each([
    ["nothing", "", "MISSING"],
    ["two segments", `${good}.e30`, "MALFORMED"],
    ["four segments", `${good}.e30.${mac}.x`, "MALFORMED"],
    ["no payload", `${good}..${mac}`, "MALFORMED"],
    ["a header that is not JSON", `${segment("alg")}.e30.${mac}`, "MALFORMED"],
    ["a header that is a list", `${segment("[]")}.e30.${mac}`, "MALFORMED"],
    ["a header that is a text", `${segment('"alg"')}.e30.${mac}`, "MALFORMED"],
    ["a header that is null", `${segment("null")}.e30.${mac}`, "MALFORMED"],
    ["a header in base64", `${good}=.e30.${mac}`, "MALFORMED"],
    ["a short MAC", `${good}.e30.${mac.slice(4)}`, "MALFORMED"],
    ["stray bits after the MAC", `${good}.e30.${"A".repeat(42)}B`, "MALFORMED"],
    ["white space in the MAC", `${good}.e30.${"A".repeat(20)} ${"A".repeat(23)}`, "MALFORMED"],
    ["no algorithm", `${segment("{}")}.e30.${mac}`, "UNSUPPORTED_ALGORITHM"],
    ["alg none without a MAC", `${segment('{"alg":"none"}')}.e30.`, "UNSUPPORTED_ALGORITHM"],
    ["alg none in capitals", `${segment('{"alg":"NONE"}')}.e30.${mac}`, "UNSUPPORTED_ALGORITHM"],
    ["HS256 in lower case", `${segment('{"alg":"hs256"}')}.e30.${mac}`, "UNSUPPORTED_ALGORITHM"],
    ["RS256", `${segment('{"alg":"RS256"}')}.e30.${mac}`, "UNSUPPORTED_ALGORITHM"],
    [
      "an unencoded payload",
      `${segment('{"alg":"HS256","b64":false,"crit":["b64"]}')}.e30.${mac}`,
      "UNSUPPORTED_ALGORITHM",
    ],
  ])("%s", async (_name, signature, code) => {
    expect(await refusal(verify(signature))).toBe(code);
  });
});

test("the real Receiver accepts what is signed here, with current and next key, padded or not", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: at()() });
  for (const text of ["", BODY, "not JSON", '{"name":"Zoë","emoji":"🔐"}']) {
    const { headers, keyId } = await createSigner(options).sign({ body: bytes(text) });
    const signature = headers["upstash-signature"]!;
    for (const keys of [
      { currentSigningKey: QSTASH.old, nextSigningKey: QSTASH.new },
      { currentSigningKey: QSTASH.new, nextSigningKey: QSTASH.old },
    ]) {
      expect(await new Receiver(keys).verify({ signature, body: text, url: URL_OF_APP })).toBe(true);
      const verifier = createVerifier({ ...options, ...keys });
      expect(await verifier.verify({ headers, body: bytes(text) })).toEqual({
        scheme: "qstash",
        keyId,
        usedFallback: keys.currentSigningKey === QSTASH.new,
      });
    }
    const other = { currentSigningKey: QSTASH.new, nextSigningKey: QSTASH.other };
    await expect(new Receiver(other).verify({ signature, body: text, url: URL_OF_APP })).rejects.toThrow();
  }
});

test("what is signed here is a JWT, and two of one body at one time have different ids", async () => {
  const sign = async (): Promise<unknown[]> => {
    const { headers } = await createSigner(options).sign({ body: bytes(BODY) });
    const [header, payload] = headers["upstash-signature"]!.split(".");
    return [header!, payload!].map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
  };
  const [[header, first], [, second]] = [await sign(), await sign()];
  expect(header).toEqual({ alg: "HS256", typ: "JWT" });
  expect(first).toMatchObject({ iss: "Upstash", sub: URL_OF_APP, nbf: T0, iat: T0, body: hash(BODY) });
  const ids = [first, second].map((claims) => (claims as { jti: string }).jti);
  for (const id of ids) expect(id).toMatch(/^jwt_[0-9a-f-]{36}$/);
  expect(ids[0]).not.toBe(ids[1]);
});

test("another spelling of a MAC is no second delivery", async () => {
  const replay = memoryReplayStore({ now: at() });
  const signature = await token({});
  expect(await refusal(verify(signature, { replay }))).toBeUndefined();
  expect(await refusal(verify(signature, { replay }))).toBe("REPLAYED");
  expect(await refusal(verify(`${signature}=`, { replay }))).toBe("REPLAYED");
  expect(await refusal(verify(`${signature}==`, { replay }))).toBe("REPLAYED");
});

describe("the configured URL", () => {
  test("may be one of a list", async () => {
    const url = ["https://app.example.com/other", URL_OF_APP];
    expect(await refusal(verify(await token({}), { url }))).toBeUndefined();
    expect(await refusal(verify(await token({}), { url: url.slice(0, 1) }))).toBe("WRONG_DESTINATION");
  });

  test.each([
    ["missing", { url: undefined }],
    ["an empty list", { url: [] }],
    ["a list with one that is none", { url: ["https://app.example.com/a", "/b"] }],
    ["a path", { url: "/api/workflow" }],
    ["there and not to be looked at", { dangerouslyAcceptAnyUrl: true }],
    ["not to be looked at, perhaps", { url: undefined, dangerouslyAcceptAnyUrl: false }],
  ])("is an error when it is %s", (_name, change) => {
    expect(() => createVerifier({ ...options, ...change } as never)).toThrow(
      expect.objectContaining({ code: "CONFIG" }),
    );
  });
});

test.each([
  ["clockTolerance", -1],
  ["clockTolerance", 301],
  ["maxLifetime", Number.POSITIVE_INFINITY],
  ["maxLifetime", 86_401],
])("%s of %s is an error", (name, value) => {
  expect(() => createVerifier({ ...options, [name]: value })).toThrow(
    expect.objectContaining({ code: "CONFIG", message: expect.stringContaining(name) }),
  );
});

test.each([
  ["clockTolerance", 300],
  ["maxLifetime", 86_400],
])("%s of %s is none", (name, value) => {
  expect(() => createVerifier({ ...options, [name]: value })).not.toThrow();
});

test("the next key of the environment is tried after the current one", async () => {
  const env = { QSTASH_CURRENT_SIGNING_KEY: QSTASH.new, QSTASH_NEXT_SIGNING_KEY: QSTASH.old };
  const fromEnv = { currentSigningKey: undefined, env };
  expect(await verify(await token({}), fromEnv)).toMatchObject({ usedFallback: true });
  expect(await verify(await token({ key: QSTASH.new }), fromEnv)).toMatchObject({ usedFallback: false });
});

test.each([
  ["currentSigningKey", { currentSigningKey: " k" }],
  ["nextSigningKey", { currentSigningKey: "k", nextSigningKey: "k\n" }],
  ["regions.EU_CENTRAL_1.currentSigningKey", { regions: { EU_CENTRAL_1: { currentSigningKey: " k" } } }],
  ["regions.EU_CENTRAL_1", { regions: { EU_CENTRAL_1: { key: "k" } } }],
  ["QSTASH_CURRENT_SIGNING_KEY", { env: { QSTASH_CURRENT_SIGNING_KEY: " k" } }],
  ["QSTASH_NEXT_SIGNING_KEY", { env: { QSTASH_CURRENT_SIGNING_KEY: "k", QSTASH_NEXT_SIGNING_KEY: " k" } }],
])("a wrong key is named: %s", async (name, keys) => {
  const signature = await token({});
  const verified = async (): Promise<unknown> =>
    createVerifier({ scheme: "qstash", url: URL_OF_APP, now: at(), ...keys } as never).verify({
      headers: { "upstash-signature": signature },
      body: bytes(BODY),
    });
  await expect(verified()).rejects.toMatchObject({
    code: "CONFIG",
    message: expect.stringMatching(new RegExp(`^${name}: `)),
  });
});

describe("keys by region", () => {
  const regional = {
    scheme: "qstash",
    url: URL_OF_APP,
    now: at(),
    regions: { EU_CENTRAL_1: { currentSigningKey: QSTASH.old, nextSigningKey: QSTASH.new } },
  } as const;
  const env = {
    QSTASH_REGION: "eu-central-1",
    EU_CENTRAL_1_QSTASH_CURRENT_SIGNING_KEY: QSTASH.old,
    EU_CENTRAL_1_QSTASH_NEXT_SIGNING_KEY: QSTASH.new,
    QSTASH_CURRENT_SIGNING_KEY: QSTASH.other,
    QSTASH_NEXT_SIGNING_KEY: QSTASH.other,
  };
  const asked = async (verifierOptions: object, region: string | undefined): Promise<string | undefined> => {
    const verifier = createVerifier({ ...verifierOptions, url: URL_OF_APP, now: at() } as never);
    const headers = { "upstash-signature": await token({}), "upstash-region": region };
    return refusal(verifier.verify({ headers, body: bytes(BODY) }));
  };

  test.each([
    ["EU-CENTRAL-1", undefined],
    ["eu-central-1", undefined],
    ["EU_CENTRAL_1", undefined],
    // The SDK warns and tries the standard keys.
    ["US-EAST-1", "NO_KEYS"],
    ["MARS-1", "NO_KEYS"],
    ["__proto__", "NO_KEYS"],
  ])("of %s are the ones to try, from options and from the environment", async (region, code) => {
    expect(await asked(regional, region)).toBe(code);
    expect(await asked({ ...regional, currentSigningKey: QSTASH.old }, region)).toBe(code);
    expect(await asked({ scheme: "qstash", env }, region)).toBe(code);
  });

  test("are the standard ones for a request that names no region", async () => {
    expect(await asked(regional, undefined)).toBe("NO_KEYS");
    expect(await asked({ ...regional, currentSigningKey: QSTASH.old }, undefined)).toBeUndefined();
    expect(await asked({ scheme: "qstash", env }, undefined)).toBe("MISMATCH");
  });

  test("are not looked for where no region is configured", async () => {
    expect(await asked(options, "US-EAST-1")).toBeUndefined();
  });

  test("agree with the real Receiver for a region that has keys", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: at()() });
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    try {
      const request = { signature: await token({}), body: BODY, url: URL_OF_APP };
      expect(await new Receiver().verify({ ...request, upstashRegion: "EU-CENTRAL-1" })).toBe(true);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

test("the public keys of the local server are accepted nowhere", async () => {
  // They stand in @upstash/qstash, which takes them where QSTASH_DEV is set.
  const local = await token({ key: "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r" });
  vi.useFakeTimers({ toFake: ["Date"], now: at()() });
  vi.stubEnv("QSTASH_DEV", "true");
  try {
    expect(await new Receiver().verify({ signature: local, body: BODY, url: URL_OF_APP })).toBe(true);
    expect(await refusal(verify(local))).toBe("MISMATCH");
    expect(await refusal(verify(local, { currentSigningKey: undefined }))).toBe("NO_KEYS");
  } finally {
    vi.unstubAllEnvs();
  }
});

test.each(["/api/workflow", "app.example.com", ""])("nothing is signed for %j, which is no URL", (url) => {
  expect(() => createSigner({ scheme: "qstash", currentSigningKey: "sig_current", url })).toThrow(
    expect.objectContaining({ code: "CONFIG" }),
  );
});

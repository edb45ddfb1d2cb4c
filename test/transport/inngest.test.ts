import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createSigner, createVerifier, memoryReplayStore } from "../../src/transport/index.ts";
import { at, bytes, INNGEST, refusal, T0 } from "./support.ts";

const options = { scheme: "inngest", signingKey: INNGEST.old, now: at() } as const;
const signer = createSigner(options);
const verifier = createVerifier(options);

/** Made without this project: key without prefix, canonical text, time in decimal. */
const reference = (covered: string, time: number | string = T0): string =>
  createHmac("sha256", INNGEST.old.slice("signkey-prod-".length)).update(`${covered}${time}`).digest("hex");

const headers = (value: string): Record<string, string> => ({ "x-inngest-signature": value });
const signed = (covered: string): Record<string, string> => headers(`t=${T0}&s=${reference(covered)}`);

describe("a request is signed over the canonical JSON of its body", () => {
  test.each([
    ["an empty body, which covers nothing", "", ""],
    ["members in another order", '{"b":1,"a":2}', '{"a":2,"b":1}'],
    ["white space", '{ "a" : [ 1 , 2 ] }\n', '{"a":[1,2]}'],
    ["numbers spelt otherwise", '{"a":[1.0,1e2]}', '{"a":[1,100]}'],
    ["minus zero", "[-0]", "[0]"],
    ["escapes", String.raw`{"\u0061":"\u00e9\/"}`, '{"a":"é/"}'],
    ["names that are numbers", '{"9":1,"10":2}', '{"10":2,"9":1}'],
    ["names that objects treat specially", '{"b":1,"__proto__":{"x":1}}', '{"__proto__":{"x":1},"b":1}'],
    [
      "colons and quotes inside texts",
      String.raw`{"a":"x\":\\","b:":":"}`,
      String.raw`{"a":"x\":\\","b:":":"}`,
    ],
    ["the same name in two objects", '{"a":{"x":1},"b":{"x":1}}', '{"a":{"x":1},"b":{"x":1}}'],
  ])("%s", async (_name, sent, covered) => {
    const body = bytes(sent);
    expect((await signer.sign({ body })).headers).toEqual(signed(covered));
    expect(await refusal(verifier.verify({ headers: signed(covered), body }))).toBeUndefined();
  });
});

test("a response is signed over its bytes, whatever they are", async () => {
  for (const text of ['{"b":1,"a":2}', "", "not JSON"]) {
    const { headers, keyId } = await signer.signResponse({ body: bytes(text) });
    expect(headers).toEqual(signed(text));
    expect(await verifier.verifyResponse({ headers, body: bytes(text) })).toEqual({
      scheme: "inngest",
      keyId,
      usedFallback: false,
    });
    expect(await refusal(verifier.verifyResponse({ headers, body: bytes(`${text} `) }))).toBe("MISMATCH");
  }
});

const BODY = '{"n":1}';
const GOOD = `t=${T0}&s=${reference(BODY)}`;

describe("a header is refused when it", () => {
  test.each([
    ["is absent", {}, "MISSING"],
    ["is empty", headers(""), "MISSING"],
    ["is there twice", { "x-inngest-signature": [GOOD, GOOD] }, "MALFORMED"],
    ["is there twice, in two spellings", { ...headers(GOOD), "X-Inngest-Signature": GOOD }, "MALFORMED"],
    ["is there twice, joined by the server", headers(`${GOOD}, ${GOOD}`), "MALFORMED"],
    ["has no time", headers(GOOD.slice(GOOD.indexOf("s="))), "MALFORMED"],
    ["has no MAC", headers(`t=${T0}`), "MALFORMED"],
    ["has two times", headers(`t=${T0}&${GOOD}`), "MALFORMED"],
    ["has two MACs", headers(`${GOOD}&s=${reference(BODY)}`), "MALFORMED"],
    ["has something more", headers(`${GOOD}&v=1`), "MALFORMED"],
    ["has white space", headers(` ${GOOD}`), "MALFORMED"],
    ["has a time that is no number", headers(GOOD.replace(`${T0}`, "soon")), "MALFORMED"],
    ["has a fraction of a second", headers(GOOD.replace(`${T0}`, `${T0}.5`)), "MALFORMED"],
    ["has a time below zero", headers(GOOD.replace("t=", "t=-")), "MALFORMED"],
    ["has a time with letters after it", headers(GOOD.replace("&", "abc&")), "MALFORMED"],
    ["has a time of too many digits", headers(`t=${"9".repeat(13)}&s=${reference(BODY)}`), "MALFORMED"],
    ["has a MAC in upper case", headers(`t=${T0}&s=${reference(BODY).toUpperCase()}`), "MALFORMED"],
    ["has a MAC that is too short", headers(GOOD.slice(0, -2)), "MALFORMED"],
    ["has a MAC that is too long", headers(`${GOOD}00`), "MALFORMED"],
    ["has a MAC that is not hex", headers(GOOD.slice(0, -1).concat("g")), "MALFORMED"],
    ["has a line break after it", headers(`${GOOD}\n`), "MALFORMED"],
  ])("%s", async (_name, given, code) => {
    expect(await refusal(verifier.verify({ headers: headers(GOOD), body: bytes(BODY) }))).toBeUndefined();
    expect(await refusal(verifier.verify({ headers: given, body: bytes(BODY) }))).toBe(code);
  });
});

test("the two fields of a header may stand in either order, and are one signature to a replay store", async () => {
  const [time, mac] = GOOD.split("&");
  const once = createVerifier({ ...options, replay: memoryReplayStore({ now: at() }) });
  const turned = { headers: headers(`${mac}&${time}`), body: bytes(BODY) };
  expect(await refusal(once.verify(turned))).toBeUndefined();
  expect(await refusal(once.verify({ ...turned, headers: headers(GOOD) }))).toBe("REPLAYED");
});

test("a digit cannot move between body and time, though nothing separates them under the HMAC", async () => {
  // "10" at 1767225600 and "1" at 01767225600 have one MAC.
  const mac = reference("10");
  expect(mac).toBe(reference("1", `0${T0}`));
  expect(
    await refusal(verifier.verify({ headers: headers(`t=${T0}&s=${mac}`), body: bytes("10") })),
  ).toBeUndefined();
  expect(await refusal(verifier.verify({ headers: headers(`t=0${T0}&s=${mac}`), body: bytes("1") }))).toBe(
    "MALFORMED",
  );
});

describe("a body is refused, though its MAC is right, when it", () => {
  test.each([
    ["names a member twice", '{"a":1,"a":2}', '{"a":2}'],
    ["names a member twice, once with escapes", String.raw`{"a":1,"\u0061":2}`, '{"a":2}'],
    ["names a member twice, deep inside", '{"x":[{"a":{"b":1,"b":1}}]}', '{"x":[{"a":{"b":1}}]}'],
    ["names __proto__ twice", '{"__proto__":1,"__proto__":2}', '{"__proto__":2}'],
    ["holds a number beyond a double, which the SDK signs as null", "[1e400]", "[null]"],
    ["holds one far below zero", "[-1e400]", "[null]"],
    ["is a text, which the SDK signs as the JSON it spells", JSON.stringify(BODY), BODY],
    ["is an empty text, which the SDK signs as no body", '""', ""],
    ["begins with a byte order mark", `\ufeff${BODY}`, BODY],
    ["is white space", " ", ""],
  ])("%s", async (_name, sent, covered) => {
    expect(await refusal(verifier.verify({ headers: signed(covered), body: bytes(sent) }))).toBe("MALFORMED");
  });

  test("is not UTF-8", async () => {
    const body = new Uint8Array([0x22, 0xff, 0x22]);
    expect(await refusal(verifier.verify({ headers: headers(GOOD), body }))).toBe("MALFORMED");
  });

  test("is nested deeper than 1 000 levels", async () => {
    const nested = (depth: number): Uint8Array =>
      bytes(`${'{"a":['.repeat(depth / 2)}${"]}".repeat(depth / 2)}`);
    const { headers } = await signer.sign({ body: nested(1000) });
    expect(await refusal(verifier.verify({ headers, body: nested(1000) }))).toBeUndefined();
    expect(await refusal(verifier.verify({ headers, body: nested(1002) }))).toBe("MALFORMED");
    expect(await refusal(signer.sign({ body: bytes("[".repeat(4_000_000)) }))).toBe("MALFORMED");
  });

  test.each(["{", '"', '"\\"', '{"a"', '{"a":"\\', "nul", "{'a':1}", "[1,]", "01", "{}{}"])(
    "is no JSON: %s",
    async (sent) => {
      expect(await refusal(verifier.verify({ headers: headers(GOOD), body: bytes(sent) }))).toBe("MALFORMED");
    },
  );
});

describe("the time of a signature", () => {
  test.each([
    [300, undefined],
    [300.001, "EXPIRED"],
    [1e9, "EXPIRED"],
    [-300, undefined],
    [-300.001, "FROM_FUTURE"],
  ])("that was made %s s ago is answered %s", async (age, code) => {
    const body = bytes(BODY);
    const later = createVerifier({ ...options, now: at(age) });
    expect(await refusal(later.verify({ headers: headers(GOOD), body }))).toBe(code);
    // Its age is not told of a signature that no key made.
    const forged = headers(GOOD.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")));
    expect(await refusal(later.verify({ headers: forged, body }))).toBe("MISMATCH");
  });
});

describe("keys", () => {
  const request = { headers: headers(GOOD), body: bytes(BODY) };

  test("with and without their prefix are one", async () => {
    const bare = createVerifier({ ...options, signingKey: INNGEST.old.slice("signkey-prod-".length) });
    expect(await bare.verify(request)).toEqual(await verifier.verify(request));
  });

  test.each([
    ...["signkey-0-k", "signkey-9-k", "signkey-A-k", "signkey-Z-k", "signkey-a-k", "signkey-z-k"],
    ...["signkey-_-k", "signkey-branch_1-k", "signkey-prod-k-k", "signkey-prod-signkey-prod-k"],
    // What has no prefix: no environment, another character in it, no end, something before it.
    ...[
      "signkey--k",
      "signkey-/-k",
      "signkey-:-k",
      "signkey-@-k",
      "signkey-[-k",
      "signkey-`-k",
      "signkey-{-k",
    ],
    ...["signkey-pr.od-k", "signkey-é-k", "signkey-prod", "xsignkey-prod-k", "SIGNKEY-prod-k", "k"],
  ])("lose the prefix that the SDK takes off %s, and nothing else", async (signingKey) => {
    const secret = signingKey.replace(/^signkey-\w+-/, "");
    const mac = createHmac("sha256", secret).update(`${BODY}${T0}`).digest("hex");
    const { headers: made } = await createSigner({ ...options, signingKey }).sign({ body: bytes(BODY) });
    expect(made).toEqual(headers(`t=${T0}&s=${mac}`));
  });

  test("come from the environment when none is given, as soon as they are there", async () => {
    const env: Record<string, string> = {};
    const lazy = createVerifier({ scheme: "inngest", env, now: at() });
    expect(await refusal(lazy.verify(request))).toBe("NO_KEYS");
    env.INNGEST_SIGNING_KEY = INNGEST.other;
    env.INNGEST_SIGNING_KEY_FALLBACK = INNGEST.old;
    expect(await lazy.verify(request)).toMatchObject({ usedFallback: true });
  });

  test("come each from code or else from the environment, as the SDK has it", async () => {
    const env = { INNGEST_SIGNING_KEY: INNGEST.old, INNGEST_SIGNING_KEY_FALLBACK: INNGEST.old };
    for (const [given, usedFallback] of [
      [{ signingKey: INNGEST.new }, true],
      [{ signingKeyFallback: INNGEST.new }, false],
      [{ signingKey: "", signingKeyFallback: undefined }, false],
    ] as const) {
      const mixed = createVerifier({ scheme: "inngest", ...given, env, now: at() });
      expect(await mixed.verify(request)).toMatchObject({ usedFallback });
    }
    const inCode = { signingKey: INNGEST.new, signingKeyFallback: INNGEST.other, env, now: at() };
    expect(await refusal(createVerifier({ scheme: "inngest", ...inCode }).verify(request))).toBe("MISMATCH");
  });

  test.each([
    ["none", {}],
    ["an empty one", { signingKey: "" }],
    ["a fallback alone", { signingKeyFallback: INNGEST.old }],
  ])(
    "that are missing (%s) refuse everything, and what is signed with an empty key first",
    async (_name, keys) => {
      const mac = createHmac("sha256", "").update(`${BODY}${T0}`).digest("hex");
      const none = createVerifier({ scheme: "inngest", env: {}, now: at(), ...keys });
      for (const given of [request.headers, headers(`t=${T0}&s=${mac}`), {}]) {
        expect(await refusal(none.verify({ ...request, headers: given }))).toBe("NO_KEYS");
        expect(await refusal(none.verifyResponse({ ...request, headers: given }))).toBe("NO_KEYS");
      }
      expect(await refusal(createSigner({ scheme: "inngest", env: {}, ...keys }).sign(request))).toBe(
        "NO_KEYS",
      );
    },
  );

  test.each([
    ["a prefix alone", "signkey-prod-"],
    ["white space around it", `${INNGEST.old}\n`],
    ["no text", 7 as unknown as string],
  ])("that are wrong (%s) are an error at once", (_name, signingKey) => {
    expect(() => createVerifier({ scheme: "inngest", signingKey })).toThrow(
      expect.objectContaining({ code: "CONFIG", message: expect.stringMatching(/^signingKey: /) }),
    );
  });

  test.each([
    ["signingKeyFallback", { signingKeyFallback: "signkey-prod-" }],
    ["INNGEST_SIGNING_KEY", { env: { INNGEST_SIGNING_KEY: " k" } }],
    ["signingKeyFallback", { env: { INNGEST_SIGNING_KEY: "k" }, signingKeyFallback: "k " }],
    [
      "INNGEST_SIGNING_KEY_FALLBACK",
      { env: { INNGEST_SIGNING_KEY: "k", INNGEST_SIGNING_KEY_FALLBACK: "signkey-prod-" } },
    ],
  ])("that are wrong are named: %s", async (name, keys) => {
    const verified = async (): Promise<unknown> =>
      createVerifier({ scheme: "inngest", env: {}, now: at(), ...keys }).verify(request);
    await expect(verified()).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringMatching(new RegExp(`^${name}: `)),
    });
  });

  test("of an unknown scheme are an error", () => {
    expect(() => createVerifier({ scheme: "none" } as never)).toThrow(
      expect.objectContaining({ code: "CONFIG" }),
    );
  });
});

test("a body that is not bytes is an error, for it may have been decoded and encoded", async () => {
  for (const body of [BODY, JSON.parse(BODY), null, undefined]) {
    const call = verifier.verify({ headers: headers(GOOD), body: body as never });
    await expect(call).rejects.toMatchObject({ code: "CONFIG" });
  }
});

test("a refusal has a name, and a cause only where there is one", async () => {
  const refused = await verifier.verify({ headers: {}, body: bytes(BODY) }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ name: "SignatureError", code: "MISSING" });
  expect(refused).not.toHaveProperty("cause");
});

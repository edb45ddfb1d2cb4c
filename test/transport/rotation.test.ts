import { describe, expect, test } from "vitest";
import { createSigner, createVerifier, type Verification } from "../../src/transport/index.ts";
import { at, bytes, INNGEST, QSTASH, refusal, URL_OF_APP } from "./support.ts";

type Name = "old" | "new";
const BODY = bytes('{"n":1}');

const schemes = [
  {
    scheme: "inngest",
    options: (primary: Name, fallback?: Name) => ({
      scheme: "inngest" as const,
      signingKey: INNGEST[primary],
      signingKeyFallback: fallback && INNGEST[fallback],
      now: at(),
    }),
  },
  {
    scheme: "qstash",
    options: (primary: Name, fallback?: Name) => ({
      scheme: "qstash" as const,
      currentSigningKey: QSTASH[primary],
      nextSigningKey: fallback && QSTASH[fallback],
      url: URL_OF_APP,
      now: at(),
    }),
  },
];

/** Steps of a rotation: the keys of the verifier, and whether it accepts what each key signs. */
const STEPS: readonly [keys: readonly [Name, Name?], old: boolean, fresh: boolean][] = [
  [["old"], true, false],
  [["old", "new"], true, true],
  [["new", "old"], true, true],
  [["new"], false, true],
];

describe.each(schemes)("while keys rotate, $scheme", ({ options }) => {
  test.each(STEPS)("with %j accepts the old key: %s, the new one: %s", async (keys, old, fresh) => {
    for (const [name, isAccepted] of [
      ["old", old],
      ["new", fresh],
    ] as const) {
      const used: Verification[] = [];
      const verifier = createVerifier({ ...options(...keys), onFallbackUsed: (one) => void used.push(one) });
      const { headers, keyId } = await createSigner(options(name)).sign({ body: BODY });
      if (!isAccepted) {
        expect(await refusal(verifier.verify({ headers, body: BODY }))).toBe("MISMATCH");
        expect(used).toEqual([]);
        continue;
      }
      const verification = await verifier.verify({ headers, body: BODY });
      expect(verification).toMatchObject({ keyId, usedFallback: name !== keys[0] });
      expect(used).toEqual(name === keys[0] ? [] : [verification]);
    }
  });

  test("a signer signs with either key", async () => {
    const [primary, fallback] = await Promise.all(
      (["primary", "fallback"] as const).map((signWith) =>
        createSigner({ ...options("old", "new"), signWith }).sign({ body: BODY }),
      ),
    );
    const single = await Promise.all(
      (["old", "new"] as const).map((name) => createSigner(options(name)).sign({ body: BODY })),
    );
    expect([primary!.keyId, fallback!.keyId]).toEqual(single.map(({ keyId }) => keyId));
    expect(
      await refusal(createSigner({ ...options("old"), signWith: "fallback" }).sign({ body: BODY })),
    ).toBe("NO_KEYS");
    expect(() => createSigner({ ...options("old"), signWith: "next" as never })).toThrow(
      expect.objectContaining({ code: "CONFIG" }),
    );
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("stop");
      },
    ],
    [
      "rejects with",
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        throw new Error("stop");
      },
    ],
  ])("what onFallbackUsed %s refuses the request", async (_how, onFallbackUsed) => {
    const verifier = createVerifier({ ...options("new", "old"), onFallbackUsed });
    const { headers } = await createSigner(options("old")).sign({ body: BODY });
    await expect(verifier.verify({ headers, body: BODY })).rejects.toThrow("stop");
  });
});

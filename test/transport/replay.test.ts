import { describe, expect, test } from "vitest";
import {
  createSigner,
  createVerifier,
  memoryReplayStore,
  type ReplayStore,
  SignatureError,
} from "../../src/transport/index.ts";
import { heapUsed } from "../heap.ts";
import { at, bytes, INNGEST, QSTASH, refusal, T0, URL_OF_APP } from "./support.ts";

const BODY = bytes('{"n":1}');

/** One scheme under a clock that the test moves. */
const schemes = [
  {
    scheme: "inngest" as const,
    make: (now: () => number, replay?: ReplayStore) => {
      const keys = { scheme: "inngest", signingKey: INNGEST.old, now } as const;
      return { signer: createSigner(keys), verifier: createVerifier({ ...keys, ...(replay && { replay }) }) };
    },
  },
  {
    scheme: "qstash" as const,
    make: (now: () => number, replay?: ReplayStore) => {
      const keys = { scheme: "qstash", currentSigningKey: QSTASH.old, url: URL_OF_APP, now } as const;
      return { signer: createSigner(keys), verifier: createVerifier({ ...keys, ...(replay && { replay }) }) };
    },
  },
];

describe.each(schemes)("$scheme", ({ scheme, make }) => {
  test("without a store, a signature is good for repeats in its time", async () => {
    const { signer, verifier } = make(at());
    const { headers } = await signer.sign({ body: BODY });
    for (let i = 0; i < 3; i++) {
      expect(await refusal(verifier.verify({ headers, body: BODY }))).toBeUndefined();
    }
  });

  test("with a store, a second delivery is refused, and a retry that was signed anew goes through", async () => {
    let seconds = 0;
    const now = (): number => at(seconds)();
    const { signer, verifier } = make(now, memoryReplayStore({ now }));
    const first = await signer.sign({ body: BODY });
    expect(await refusal(verifier.verify({ ...first, body: BODY }))).toBeUndefined();
    expect(await refusal(verifier.verify({ ...first, body: BODY }))).toBe("REPLAYED");
    seconds = 1;
    const retry = await signer.sign({ body: BODY });
    expect(await refusal(verifier.verify({ ...retry, body: BODY }))).toBeUndefined();
    expect(await refusal(verifier.verify({ ...first, body: BODY }))).toBe("REPLAYED");
  });

  test("what is remembered of a request in memory is its signature alone", async () => {
    const many = 1500;
    const store = memoryReplayStore();
    const { signer, verifier } = make(at(), store);
    const requests = async (from: number): Promise<void> => {
      for (let n = from; n < from + many; n++) {
        const body = bytes(`{"n":${n}}`);
        await verifier.verify({ ...(await signer.sign({ body })), body });
      }
    };
    await requests(0);
    const before = await heapUsed();
    await requests(many);
    const each = ((await heapUsed()) - before) / many;
    // The documentation says 170 bytes; a token has 400.
    expect(each).toBeLessThan(300);
    expect(store.claim("still there", 1)).toBe(true);
  });

  test("a signature is remembered at every moment at which it could be accepted", async () => {
    // From the earliest acceptance, where the signer's clock is ahead, to the end.
    const first = scheme === "inngest" ? -300 : 0;
    let seconds = first;
    const now = (): number => at(seconds)();
    const { verifier } = make(now, memoryReplayStore({ now }));
    const signed = await make(at()).signer.sign({ body: BODY });
    expect(await refusal(verifier.verify({ ...signed, body: BODY }))).toBeUndefined();
    const codes = new Set<string | undefined>();
    for (seconds = first; seconds <= 1000; seconds += 0.5) {
      codes.add(await refusal(verifier.verify({ ...signed, body: BODY })));
    }
    expect(codes).toEqual(new Set(["REPLAYED", "EXPIRED"]));
  });

  test("a forged request takes no room in the store", async () => {
    const { signer, verifier } = make(at(), memoryReplayStore({ now: at(), maxEntries: 1 }));
    const { headers } = await signer.sign({ body: BODY });
    expect(await refusal(verifier.verify({ headers, body: bytes('{"n":2}') }))).toMatch(
      /MISMATCH|BODY_ALTERED/,
    );
    expect(await refusal(verifier.verify({ headers, body: BODY }))).toBeUndefined();
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("ECONNREFUSED");
      },
    ],
    ["rejects", () => Promise.reject(new Error("ECONNREFUSED"))],
    ["answers null", () => null],
    ["answers 1", () => 1],
    ["answers OK", async () => "OK"],
  ])("a store that %s lets nothing through", async (_name, claim) => {
    const { signer, verifier } = make(at(), { claim: claim as never });
    const { headers } = await signer.sign({ body: BODY });
    expect(await refusal(verifier.verify({ headers, body: BODY }))).toBe("REPLAY_UNAVAILABLE");
  });

  test("what a store failed with is the cause, and a refusal of its own stays as it is", async () => {
    const failure = new Error("ECONNREFUSED");
    const full = new SignatureError("REPLAY_UNAVAILABLE", "full");
    for (const [thrown, told] of [
      [failure, { message: "The replay store failed.", cause: failure }],
      [full, full],
    ]) {
      const { signer, verifier } = make(at(), { claim: () => Promise.reject(thrown) });
      const { headers } = await signer.sign({ body: BODY });
      const reason = await verifier.verify({ headers, body: BODY }).catch((error: unknown) => error);
      if (told === full) expect(reason).toBe(full);
      else expect(reason).toMatchObject(told as object);
    }
  });

  test("the store is told scheme, signature and a time that covers the rest of the window", async () => {
    const claims: [string, number][] = [];
    const store: ReplayStore = {
      claim: (key, seconds) => {
        claims.push([key, seconds]);
        return true;
      },
    };
    const { headers } = await make(at()).signer.sign({ body: BODY });
    await make(at(10.5), store).verifier.verify({ headers, body: BODY });
    const [[key, seconds]] = claims as [[string, number]];
    expect(key).toMatch(scheme === "inngest" ? /^inngest:[0-9a-f]{64}$/ : /^qstash:[\w-]{43}$/);
    // 289.5 s are left, and clocks differ by up to a minute.
    expect(seconds).toBe(350);
  });
});

test("an Inngest request without a body may repeat: two of one second have one signature", async () => {
  const { signer, verifier } = schemes[0]!.make(at(), memoryReplayStore({ now: at() }));
  const { headers } = await signer.sign({ body: bytes("") });
  for (let i = 0; i < 2; i++) {
    expect(await refusal(verifier.verify({ headers, body: bytes("") }))).toBeUndefined();
  }
});

describe("the store in memory", () => {
  test("claims a key once, until it expires", () => {
    let now = T0 * 1000;
    const store = memoryReplayStore({ now: () => now });
    expect([store.claim("a", 10), store.claim("a", 10), store.claim("b", 10)]).toEqual([true, false, true]);
    now += 9_999;
    expect(store.claim("a", 10)).toBe(false);
    now += 1;
    expect(store.claim("a", 10)).toBe(true);
  });

  test("when full, refuses what is new, keeps what it has, and goes on when some expire", () => {
    let now = T0 * 1000;
    const store = memoryReplayStore({ maxEntries: 2, now: () => now });
    store.claim("a", 10);
    store.claim("b", 60);
    expect(() => store.claim("c", 60)).toThrow(expect.objectContaining({ code: "REPLAY_UNAVAILABLE" }));
    expect([store.claim("a", 10), store.claim("b", 60)]).toEqual([false, false]);
    now += 10_000;
    expect(store.claim("c", 60)).toBe(true);
    expect(() => store.claim("d", 60)).toThrow(expect.objectContaining({ code: "REPLAY_UNAVAILABLE" }));
  });

  test.each([0, -1, 1.5, Number.NaN])("of %s entries is an error", (maxEntries) => {
    expect(() => memoryReplayStore({ maxEntries })).toThrow(expect.objectContaining({ code: "CONFIG" }));
  });
});

import { afterEach, describe, expect, test, vi } from "vitest";
import { StepsealError } from "../../src/errors.ts";
import { createKeyring } from "../../src/keyring/keyring.ts";
import { keyringFromEnv, loadKeyring } from "../../src/keyring/load.ts";
import { file, mustFail } from "./must-fail.ts";
import { key, kid, root } from "./roots.ts";

const ringJson = JSON.stringify({
  keys: [
    { key: key("one"), state: "primary" },
    { key: key("two"), state: "standby" },
    { kid: kid("three"), state: "destroyed", destroyedAt: "2026-01-31" },
  ],
});
const ringKeys = [
  { kid: kid("one"), state: "primary" },
  { kid: kid("two"), state: "standby" },
  { kid: kid("three"), state: "destroyed" },
];

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

describe("what must fail says where, what was found and the fix", () => {
  test.each(mustFail)("$name", async ({ run, says, code = "CONFIG" }) => {
    const error = await Promise.resolve()
      .then(run)
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(error).toBeInstanceOf(StepsealError);
    expect(error).toMatchObject({ code });
    expect((error as StepsealError).cause).toBeUndefined();
    for (const part of says) expect((error as StepsealError).message).toContain(part);
  });
});

describe("the environment", () => {
  test("is process.env by default, read at the call", async () => {
    vi.stubEnv("STEPSEAL_KEYRING_FILE", undefined);
    vi.stubEnv("STEPSEAL_KEY", key("one"));
    vi.stubEnv("STEPSEAL_KEY_FALLBACK", key("two"));
    const keys = [
      { kid: kid("one"), state: "primary" },
      { kid: kid("two"), state: "decrypt-only" },
    ];
    expect(keyringFromEnv().keys).toEqual(keys);
    expect((await loadKeyring()).keys).toEqual(keys);
    expect((await loadKeyring({})).keys).toEqual(keys);
  });

  test("may end a key with a line break, as files of secrets do", () => {
    expect(keyringFromEnv({ STEPSEAL_KEY: `${key("one")}\n` }).primary).toBe(kid("one"));
  });

  test("separates fallback keys by commas and white space, in every text form, with and without a state", () => {
    const forms = ["f1", "f2", "f3", "f4", "f5"].map((name) => Buffer.from(root(name)));
    const ring = keyringFromEnv({
      STEPSEAL_KEY: key("one"),
      STEPSEAL_KEY_FALLBACK: ` ${key("f1")}, hex:${forms[1]!.toString("hex")}:standby\n\tbase64:${forms[2]!.toString("base64")}:disabled,,base64:${forms[3]!.toString("base64url")} ${key("f5")}:compromised ${kid("f6")}:destroyed,${key("f7")}:decrypt-only,`,
    });
    expect(ring.keys).toEqual([
      { kid: kid("one"), state: "primary" },
      { kid: kid("f1"), state: "decrypt-only" },
      { kid: kid("f2"), state: "standby" },
      { kid: kid("f3"), state: "disabled" },
      { kid: kid("f4"), state: "decrypt-only" },
      { kid: kid("f5"), state: "compromised" },
      { kid: kid("f6"), state: "destroyed" },
      { kid: kid("f7"), state: "decrypt-only" },
    ]);
  });

  test.each(["", "  ", ",", " , \n"])(
    "may leave %j in STEPSEAL_KEY_FALLBACK: that names no key",
    (fallback) => {
      const ring = keyringFromEnv({ STEPSEAL_KEY: key("one"), STEPSEAL_KEY_FALLBACK: fallback });
      expect(ring.keys).toHaveLength(1);
      const path = file("blank-fallback.json", ringJson);
      expect(keyringFromEnv({ STEPSEAL_KEY_FALLBACK: fallback, STEPSEAL_KEYRING_FILE: path }).keys).toEqual(
        ringKeys,
      );
    },
  );

  test("may name a file", async () => {
    const env = { STEPSEAL_KEYRING_FILE: file("env.json", ringJson) };
    expect(keyringFromEnv(env).keys).toEqual(ringKeys);
    expect((await loadKeyring({ env })).keys).toEqual(ringKeys);
  });

  test("that is missing altogether is told apart from one in which nothing is set", () => {
    vi.stubGlobal("process", undefined);
    expect(() => keyringFromEnv()).toThrow("STEPSEAL_KEY is not set. This runtime has no process.env.");
    expect(() => keyringFromEnv({})).toThrow("STEPSEAL_KEY is not set. Make a key");
  });
});

describe("a file", () => {
  test("is a ring of keys with their states", async () => {
    expect((await loadKeyring({ file: file("ring.json", ringJson) })).keys).toEqual(ringKeys);
  });

  test("may begin with a byte order mark", async () => {
    expect((await loadKeyring({ file: file("bom.json", `\uFEFF${ringJson}`) })).keys).toEqual(ringKeys);
  });

  test("may have any name, one like a key too", async () => {
    const path = file("abcdefghijklmnopqrstuvwxyz0123456789", ringJson);
    expect((await loadKeyring({ file: path })).keys).toEqual(ringKeys);
  });

  test.each([
    ["process", undefined],
    ["process.getBuiltinModule", {}],
    ["node:fs", { getBuiltinModule: () => undefined }],
  ])(
    "cannot be read where there is no %s, and the message says what else there is",
    async (_name, process) => {
      const path = file("nowhere.json", ringJson);
      vi.stubGlobal("process", process);
      const errors = [
        await loadKeyring({ file: path }).catch((thrown: unknown) => thrown),
        await Promise.resolve()
          .then(() => keyringFromEnv({ STEPSEAL_KEYRING_FILE: path }))
          .catch((thrown: unknown) => thrown),
      ];
      vi.unstubAllGlobals();
      for (const error of errors) {
        expect(error).toMatchObject({ code: "CONFIG" });
        expect((error as Error).message).toContain("this runtime has no file system");
        expect((error as Error).message).toContain("STEPSEAL_KEY, or give loadKeyring a provider");
      }
    },
  );
});

describe("a provider", () => {
  test.each([
    ["options", () => ({ key: key("one") })],
    ["a promise of options", async () => ({ key: key("one") })],
    ["keys with states", async () => ({ keys: [{ key: key("one"), state: "primary" as const }] })],
    ["a ring", () => createKeyring({ key: key("one") })],
    ["a promise of a ring", async () => createKeyring({ key: key("one") })],
  ])("may return %s", async (_name, provider) => {
    expect((await loadKeyring({ provider })).primary).toBe(kid("one"));
  });

  test("gives the very ring it returned", async () => {
    const ring = createKeyring({ key: key("one") });
    expect(await loadKeyring({ provider: () => ring })).toBe(ring);
  });

  test("is called once", async () => {
    const provider = vi.fn(async () => ({ key: key("one") }));
    await loadKeyring({ provider, timeoutMs: 1_000 });
    expect(provider).toHaveBeenCalledTimes(1);
  });

  test("leaves no timer behind, whether it answers, fails or is late", async () => {
    vi.useFakeTimers();
    try {
      await loadKeyring({ provider: () => ({ key: key("one") }) });
      expect(vi.getTimerCount()).toBe(0);
      await loadKeyring({ provider: () => Promise.reject(new Error("no")) }).catch(() => {});
      expect(vi.getTimerCount()).toBe(0);
      const late = loadKeyring({ provider: () => new Promise(() => {}) }).catch((thrown: unknown) => thrown);
      await vi.advanceTimersByTimeAsync(9_999);
      expect(vi.getTimerCount()).toBe(1);
      await vi.advanceTimersByTimeAsync(1);
      expect(await late).toMatchObject({ code: "CONFIG" });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("that fails after its time is up does so unheard, not as an unhandled rejection", async () => {
    let fail: (reason: Error) => void = () => {};
    const answer = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const loading = loadKeyring({ provider: () => answer, timeoutMs: 1 });
    await expect(loading).rejects.toThrow("no answer after 1 ms");
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    fail(new Error("too late"));
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

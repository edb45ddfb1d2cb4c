import { createKeyring, createKeyringSource, type Keyring } from "stepseal";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type KeyOptions, sealerSource } from "../../src/adapters/sealer-source.ts";
import { codeOf } from "../code-of.ts";
import { KEY, keyring, OTHER_KEY } from "./inngest/keys.ts";

/** A source whose sealers are the rings that they are made of, and how often one was made. */
function sourceOf(options: KeyOptions, make: (ring: Keyring) => Keyring | Promise<Keyring> = (ring) => ring) {
  const made: Keyring[] = [];
  const source = sealerSource("wrap", options, (ring) => {
    made.push(ring);
    return make(ring);
  });
  return { ...source, made };
}

function thrownBy(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

describe("keys that are at hand", () => {
  test("are those of the ring, of the text, or of the environment", () => {
    const ring = keyring();
    expect(sourceOf({ keyring: ring }).sealer()).toBe(ring);
    const fromText = sourceOf({ key: KEY, fallbackKeys: [OTHER_KEY] }).sealer() as Keyring;
    expect(fromText.keys.map(({ kid }) => kid)).toEqual(
      createKeyring({ key: KEY, fallbackKeys: [OTHER_KEY] }).keys.map(({ kid }) => kid),
    );
    expect((sourceOf({ key: KEY }).sealer() as Keyring).keys).toHaveLength(1);
    const fromEnv = sealerSource("wrap", {}, (each) => each, { STEPSEAL_KEY: KEY });
    expect((fromEnv.sealer() as Keyring).primary).toBe(ring.primary);
  });

  test("make one sealer, at once, and there is nobody to ask for newer ones", () => {
    const { sealer, made, refreshedSealer } = sourceOf({ keyring: keyring() });
    expect(made).toHaveLength(1);
    expect(sealer()).toBe(sealer());
    expect(made).toHaveLength(1);
    expect(refreshedSealer).toBeUndefined();
  });

  test("that do not make one are told at once", () => {
    const wrong = new Error("wrong");
    const make = (): never => {
      throw wrong;
    };
    expect(() => sealerSource("wrap", { key: KEY }, make)).toThrow(wrong);
  });

  test.each<[options: KeyOptions, says: string]>([
    [{ keyring: keyring(), key: KEY }, '"keyring" and "key" or "fallbackKeys" exclude each other'],
    [{ keyring: keyring(), fallbackKeys: [] }, '"keyring" and "key" or "fallbackKeys" exclude each other'],
    [{ keyring: () => keyring(), key: KEY }, '"keyring" and "key" or "fallbackKeys" exclude each other'],
    [{ fallbackKeys: [KEY] }, 'option "fallbackKeys" needs "key"'],
  ])("that exclude each other, or need another, are refused by name: %#", (options, says) => {
    expect(codeOf(() => sourceOf(options))).toBe("CONFIG");
    expect(() => sourceOf(options)).toThrow(/^wrap: option/);
    expect(() => sourceOf(options)).toThrow(says);
  });
});

describe("a function that loads a ring", () => {
  test("is called once, when it is first needed, and what it gave is there at once from then on", async () => {
    let calls = 0;
    const ring = keyring();
    const { sealer, made, refreshedSealer } = sourceOf({
      keyring: async () => {
        calls++;
        return ring;
      },
    });
    expect([calls, made]).toEqual([0, []]);
    expect(await Promise.all([sealer(), sealer()])).toEqual([ring, ring]);
    expect(sealer()).toBe(ring);
    expect([calls, made]).toEqual([1, [ring]]);
    expect(refreshedSealer).toBeUndefined();
  });

  test("that fails is called again by who comes next, and says no more than the name of what it threw", async () => {
    const answers: (() => unknown)[] = [
      () => Promise.reject(new TypeError("secret")),
      () => {
        throw "secret";
      },
      () => codeOf,
      () => Promise.reject(Object.assign(new Error("ours"), { name: "StepsealError" })),
      () => keyring(),
    ];
    const { sealer, made } = sourceOf({ keyring: (() => answers.shift()?.()) as () => Keyring });
    const told = async (): Promise<unknown> => {
      try {
        return await sealer();
      } catch (error) {
        return error;
      }
    };
    for (const says of [
      /failed with TypeError;/,
      /failed with string;/,
      /did not return a keyring;/,
      /failed with StepsealError;/,
    ]) {
      const error = (await told()) as Error;
      expect(error).toMatchObject({
        name: "StepsealError",
        code: "CONFIG",
        message: expect.stringMatching(says),
      });
      expect(error.message).toMatch(/^wrap: the function in option "keyring"/);
      expect(`${error.message} ${String(error.cause)}`).not.toContain("secret");
    }
    expect(await told()).toMatchObject({ primary: keyring().primary });
    expect(made).toHaveLength(1);
  });

  test("whose failure is one of ours tells that one", async () => {
    const { sealer } = sourceOf({ keyring: async () => createKeyring({ key: "no key" }) });
    const told = await (async () => sealer())().catch((error: unknown) => error);
    expect(told).toEqual(thrownBy(() => createKeyring({ key: "no key" })));
  });
});

describe("a sealer that takes time to be made", () => {
  test("is made once for those who come meanwhile, and is there at once from then on", async () => {
    const ring = keyring();
    const { sealer, made } = sourceOf({ keyring: ring }, async (each) => each);
    expect(sealer()).toBe(sealer());
    expect(await sealer()).toBe(ring);
    expect(sealer()).toBe(ring);
    expect(made).toHaveLength(1);
  });

  test("is made again where it failed", async () => {
    const ring = keyring();
    let tries = 0;
    const { sealer } = sourceOf({ keyring: ring }, async (each) => {
      if (++tries === 1) throw new Error("not loaded");
      return each;
    });
    await expect(sealer()).rejects.toThrow("not loaded");
    expect(await sealer()).toBe(ring);
    expect(tries).toBe(2);
  });
});

describe("a source", () => {
  afterEach(() => void vi.useRealTimers());

  test("makes a sealer for each ring that it gives, and gives it at once", async () => {
    const rings = [createKeyring({ key: KEY }), createKeyring({ key: OTHER_KEY })];
    const left = [...rings];
    vi.useFakeTimers({ toFake: ["Date"] });
    const keys = createKeyringSource({ provider: () => left.shift()! });
    const { sealer, refreshedSealer, made } = sourceOf({ keyring: keys });
    expect(made).toEqual([]);
    const first = (await sealer()) as Keyring;
    expect(first.primary).toBe(rings[0]!.primary);
    expect(sealer()).toBe(first);
    vi.advanceTimersByTime(31_000);
    const second = (await refreshedSealer?.()) as Keyring;
    expect(second.primary).toBe(rings[1]!.primary);
    expect(sealer()).toBe(second);
    expect(made).toEqual([first, second]);
  });
});

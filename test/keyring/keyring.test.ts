import { describe, expect, test } from "vitest";
import { StepsealError } from "../../src/errors.ts";
import {
  assembleKeyring,
  createKeyring,
  isKeyring,
  type KeyEntry,
  Keyring,
  type KeyState,
  openingKey,
  sealingKey,
} from "../../src/keyring/keyring.ts";
import { expand, key, kid, root } from "./roots.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function codeOf(action: () => unknown): { code: string; message: string; kid: string | undefined } {
  try {
    action();
  } catch (error) {
    if (error instanceof StepsealError) return { code: error.code, message: error.message, kid: error.kid };
    throw error;
  }
  throw new Error("expected a StepsealError");
}

describe("derivation", () => {
  // Computed outside this project, from the format's text alone.
  test.each([
    {
      name: "one",
      kid: "240f50c682a3ac4b",
      seal: "9d6ee2fbe8923e3df5e5f2edc991919c284bf0bf9854f8bae03072d8aeaa8ec8",
      run: "ff24e0cf3d9d106de6a03759b477e77f69c176e73a8e6921559201cf2e1a2ec7",
      emptyRun: "1ef844317c4227e28d5e94e5b2d6df49d14e3d8b65c7a8333c1b1f38af38d760",
      wideRun: "b86d79e688463b7123773b493ba349d6463f616248edcd908c1202920f28b331",
    },
    {
      name: "two",
      kid: "6c20871ef8dc8500",
      seal: "8191ef7267cd9797157c8006a6a9300c57c45f358a76783c1f04654854ed97e8",
      run: "63e84e1ae70179a301c6f2e18355ebfc2d7842887647a1ddfa97f46b30265432",
      emptyRun: "93c9f712fa17c76bc75c575fbdf94396a6d1a2cadae60438b3016b3c92516c58",
      wideRun: "aa56f45dfc03708f2bc85d7f6f63c9258359bda0fe09c0729883a0c0821096ca",
    },
  ])("of root $name gives the kid and the keys that the format states", (vector) => {
    const ring = createKeyring({ key: key(vector.name) });
    expect(ring.primary).toBe(vector.kid);
    expect(hex(sealingKey(ring, undefined).key)).toBe(vector.seal);
    expect(hex(sealingKey(ring, "01J0RUN").key)).toBe(vector.run);
    expect(hex(sealingKey(ring, "").key)).toBe(vector.emptyRun);
    expect(hex(sealingKey(ring, "läuft-✓").key)).toBe(vector.wideRun);
  });

  test("agrees with Node's own HKDF for many roots and runs", () => {
    for (let i = 0; i < 30; i++) {
      const name = `agree ${i}`;
      const ring = createKeyring({ key: key(name) });
      expect(ring.primary).toBe(kid(name));
      expect(hex(openingKey(ring, ring.primary, undefined))).toBe(hex(expand(name, "stepseal/v1/seal", 32)));
      expect(hex(openingKey(ring, ring.primary, `run-${i}`))).toBe(
        hex(expand(name, `stepseal/v1/run\0run-${i}`, 32)),
      );
    }
  });

  test("is the same for each text form of one key", () => {
    const bytes = Buffer.from(root("one"));
    for (const text of [`hex:${bytes.toString("hex")}`, `base64:${bytes.toString("base64")}`]) {
      expect(createKeyring({ key: text }).primary).toBe(kid("one"));
    }
  });
});

describe("the states", () => {
  const entries: KeyEntry[] = [
    { key: key("standby"), state: "standby" },
    { key: key("primary"), state: "primary" },
    { key: key("decrypt-only"), state: "decrypt-only" },
    { key: key("disabled"), state: "disabled" },
    { key: key("compromised"), state: "compromised" },
    { kid: kid("destroyed"), state: "destroyed", destroyedAt: "2026-01-31" },
    { kid: "00000000000000ff", state: "destroyed" },
  ];
  const ring = createKeyring({ keys: entries });

  test("are listed with their kids, in the order given", () => {
    const states: KeyState[] = ["standby", "primary", "decrypt-only", "disabled", "compromised", "destroyed"];
    expect(ring.keys).toEqual([
      ...states.map((state) => ({ kid: kid(state), state })),
      { kid: "00000000000000ff", state: "destroyed" },
    ]);
    expect(ring.primary).toBe(kid("primary"));
  });

  test("let the primary alone seal", () => {
    expect(sealingKey(ring, undefined).kid).toBe(kid("primary"));
    expect(sealingKey(ring, "run").kid).toBe(kid("primary"));
  });

  test.each(["primary", "standby", "decrypt-only"])("let a %s key open", (state) => {
    expect(hex(openingKey(ring, kid(state), undefined))).toBe(hex(expand(state, "stepseal/v1/seal", 32)));
    expect(hex(openingKey(ring, kid(state), "r"))).toBe(hex(expand(state, "stepseal/v1/run\0r", 32)));
  });

  test.each([
    ["disabled", "KEY_DISABLED", "decrypt-only"],
    ["compromised", "KEY_COMPROMISED", "compromised"],
    ["destroyed", "KEY_DESTROYED", "destroyed on 2026-01-31"],
  ])("refuse a %s key with a code, its kid and what follows", (state, code, part) => {
    for (const run of [undefined, "run"]) {
      const error = codeOf(() => openingKey(ring, kid(state), run));
      expect(error).toMatchObject({ code, kid: kid(state) });
      expect(error.message).toContain(kid(state));
      expect(error.message).toContain(part);
    }
  });

  test("refuse a destroyed key whose date nobody wrote down", () => {
    expect(codeOf(() => openingKey(ring, "00000000000000ff", undefined)).message).toContain(
      "which was destroyed. Nothing",
    );
  });

  test("name an unknown kid together with every kid of the ring and its state, and say a retry can help", () => {
    const error = codeOf(() => openingKey(ring, "aaaaaaaaaaaaaaaa", "run"));
    expect(error).toMatchObject({ code: "UNKNOWN_KEY", kid: "aaaaaaaaaaaaaaaa" });
    for (const part of [
      "aaaaaaaaaaaaaaaa",
      "a retry can",
      ...ring.keys.map((k) => `${k.kid} (${k.state})`),
    ]) {
      expect(error.message).toContain(part);
    }
  });
});

describe("key and fallbackKeys", () => {
  test("make a primary and decrypt-only keys", () => {
    const ring = createKeyring({ key: key("one"), fallbackKeys: [key("two"), key("three")] });
    expect(ring.keys).toEqual([
      { kid: kid("one"), state: "primary" },
      { kid: kid("two"), state: "decrypt-only" },
      { kid: kid("three"), state: "decrypt-only" },
    ]);
  });

  test("may name no fallback, or undefined", () => {
    expect(createKeyring({ key: key("one"), fallbackKeys: [] }).keys).toHaveLength(1);
    expect(createKeyring({ key: key("one"), fallbackKeys: undefined } as never).keys).toHaveLength(1);
  });

  test("are read once: later changes of the options do not reach the ring", () => {
    const options = { key: key("one"), fallbackKeys: [key("two")] };
    const ring = createKeyring(options);
    options.key = key("three");
    options.fallbackKeys.push(key("four"));
    expect(ring.keys.map((held) => held.kid)).toEqual([kid("one"), kid("two")]);
  });

  test("count only when they are the object's own", () => {
    const inherited = Object.create({ fallbackKeys: [key("two")] }) as { key: string };
    inherited.key = key("one");
    expect(createKeyring(inherited).keys).toHaveLength(1);
  });
});

test.each(["2026-01-31", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123Z", "2024-02-29"])(
  "a tombstone may be dated %s",
  (destroyedAt) => {
    const ring = createKeyring({
      keys: [
        { key: key("one"), state: "primary" },
        { kid: kid("two"), state: "destroyed", destroyedAt },
      ],
    });
    expect(codeOf(() => openingKey(ring, kid("two"), undefined)).message).toContain(`on ${destroyedAt}.`);
  },
);

describe("run keys", () => {
  const ring = createKeyring({ key: key("one"), fallbackKeys: [key("two")] });

  test("are derived once for many values of a run", () => {
    const first = openingKey(ring, kid("one"), "run-a");
    expect(openingKey(ring, kid("one"), "run-a")).toBe(first);
    openingKey(ring, kid("one"), "run-b");
    expect(openingKey(ring, kid("one"), "run-a")).toBe(first);
    expect(sealingKey(ring, "run-a").key).toBe(first);
  });

  test("differ between keys, runs, and no run, whatever the run is called", () => {
    const runs = [
      undefined,
      "undefined",
      "",
      "a",
      "b",
      "ab",
      kid("one"),
      kid("two"),
      `${kid("two")}a`,
      "seal",
    ];
    const keys = runs.flatMap((run) => [kid("one"), kid("two")].map((id) => hex(openingKey(ring, id, run))));
    expect(new Set(keys).size).toBe(runs.length * 2);
  });

  test("are forgotten from the least recently used on, at 512 over all keys", () => {
    const small = createKeyring({ key: key("one"), fallbackKeys: [key("two")] });
    const first = openingKey(small, kid("one"), "first");
    const second = openingKey(small, kid("two"), "second");
    for (let i = 0; i < 509; i++) openingKey(small, i % 2 ? kid("one") : kid("two"), `fill ${i}`);
    expect(openingKey(small, kid("one"), "first")).toBe(first);
    openingKey(small, kid("one"), "the 512th");
    openingKey(small, kid("one"), "one too many");
    expect(openingKey(small, kid("one"), "first")).toBe(first);
    const again = openingKey(small, kid("two"), "second");
    expect(again).not.toBe(second);
    expect(again).toEqual(second);
  });

  test("are all kept up to the 512th", () => {
    const small = createKeyring({ key: key("one"), fallbackKeys: [key("two")] });
    const oldest = openingKey(small, kid("one"), "oldest");
    for (let i = 0; i < 511; i++) openingKey(small, i % 2 ? kid("one") : kid("two"), `fill ${i}`);
    expect(openingKey(small, kid("one"), "oldest")).toBe(oldest);
  });

  test("stay right when a key that was handed out is forgotten", () => {
    const small = createKeyring({ key: key("one") });
    const held = openingKey(small, kid("one"), "held");
    for (let i = 0; i < 600; i++) openingKey(small, kid("one"), `fill ${i}`);
    expect(hex(held)).toBe(hex(expand("one", "stepseal/v1/run\0held", 32)));
  });
});

describe("a ring", () => {
  const ring = createKeyring({ key: key("one") });

  test("is frozen, its list and entries too", () => {
    expect(Object.isFrozen(ring)).toBe(true);
    expect(Object.isFrozen(ring.keys)).toBe(true);
    expect(ring.keys.every((entry) => Object.isFrozen(entry))).toBe(true);
  });

  test.each(["primary", "standby", "decrypt-only"] as const)(
    "wipes the root of a %s key once it is read",
    (state) => {
      const bytes = root("wiped");
      const other =
        state === "primary" ? [] : [{ where: "other", state: "primary", root: root("one") } as const];
      const made = assembleKeyring([...other, { where: "here", state, root: bytes }], "keys");
      expect(bytes).toEqual(new Uint8Array(32));
      expect(hex(openingKey(made, kid("wiped"), undefined))).toBe(
        hex(expand("wiped", "stepseal/v1/seal", 32)),
      );
    },
  );

  test("is told from what only looks like one", () => {
    expect(isKeyring(ring)).toBe(true);
    expect(ring).toBeInstanceOf(Keyring);
    const lookalikes = [
      undefined,
      null,
      "ring",
      {},
      ring.toJSON(),
      structuredClone(ring),
      Object.create(ring),
    ];
    for (const other of lookalikes) {
      expect(isKeyring(other)).toBe(false);
      expect(codeOf(() => sealingKey(other as never, undefined)).code).toBe("CONFIG");
      expect(codeOf(() => openingKey(other as never, kid("one"), undefined)).code).toBe("CONFIG");
    }
  });
});

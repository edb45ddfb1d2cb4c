import { createKeyring, createSealer, type Keyring, type Use } from "stepseal";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { continueCounts } from "../../src/keyring/keyring.ts";
import { codeOf } from "../code-of.ts";
import { key, kid } from "./roots.ts";

const claims = { kind: "custom" } as const;
const START = Date.parse("2026-03-01T10:00:00.000Z");

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

const rotated = (): Keyring => createKeyring({ key: key("two"), fallbackKeys: [key("one")] });
const old = createSealer({ keyring: createKeyring({ key: key("one") }) });

describe("ring.report()", () => {
  test("says of each key how often and when last it sealed and opened, as plain JSON", () => {
    const keyring = rotated();
    const sealer = createSealer({ keyring });
    const sealed = old.seal(1, claims);
    sealer.open(sealed, claims);
    vi.advanceTimersByTime(1500);
    sealer.open(sealed, claims);
    sealer.seal(1, { ...claims, run: "a" });
    const report = keyring.report();
    expect(report).toEqual([
      { kid: kid("two"), state: "primary", seals: 1, opens: 0, lastSealedAt: "2026-03-01T10:00:01.500Z" },
      {
        kid: kid("one"),
        state: "decrypt-only",
        seals: 0,
        opens: 2,
        lastOpenedAt: "2026-03-01T10:00:01.500Z",
      },
    ]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test("does not count what failed", () => {
    const keyring = rotated();
    const sealer = createSealer({ keyring });
    expect(codeOf(() => sealer.seal(1n, claims))).toBe("FORMAT");
    expect(codeOf(() => sealer.open(old.seal(1, claims), { kind: "signal" }))).toBe("CONTEXT");
    expect(keyring.report().every(({ seals, opens }) => seals + opens === 0)).toBe(true);
  });

  test("goes on where the ring that it replaces was", () => {
    const before = createKeyring({ key: key("one") });
    createSealer({ keyring: before }).seal(1, claims);
    const after = rotated();
    continueCounts(after, before);
    createSealer({ keyring: after }).open(old.seal(1, claims), claims);
    expect(after.report()).toMatchObject([
      { kid: kid("two"), seals: 0, opens: 0 },
      { kid: kid("one"), seals: 1, opens: 1 },
    ]);
  });
});

describe("a compromised key", () => {
  const keys = [
    { key: key("two"), state: "primary" },
    { key: key("one"), state: "compromised" },
  ] as const;

  test("stays closed, and the error names the override", () => {
    const keyring = createKeyring({ keys });
    const sealed = old.seal(1, claims);
    expect(() => createSealer({ keyring }).open(sealed, claims)).toThrow(/dangerouslyOpenCompromised/);
    expect(codeOf(() => createSealer({ keyring }).open(sealed, claims))).toBe("KEY_COMPROMISED");
  });

  test("that is overridden by its kid opens, and every opening is reported", () => {
    const uses: Use[] = [];
    const keyring = createKeyring({ keys, dangerouslyOpenCompromised: [kid("one")] });
    const sealer = createSealer({ keyring, onUse: (use) => uses.push(use) });
    for (const run of ["a", "b"]) expect(sealer.open(old.seal(run, { ...claims, run }), claims)).toBe(run);
    expect(uses).toMatchObject([
      { kid: kid("one"), state: "compromised", operation: "open" },
      { kid: kid("one"), state: "compromised", operation: "open" },
    ]);
    expect(keyring.report()[1]).toMatchObject({ kid: kid("one"), state: "compromised", opens: 2 });
    expect(sealer.seal(1, claims).data).toContain(kid("two"));
  });

  test("beside another that is not overridden opens alone", () => {
    const keyring = createKeyring({
      keys: [...keys, { key: key("three"), state: "compromised" }],
      dangerouslyOpenCompromised: [kid("three")],
    });
    expect(codeOf(() => createSealer({ keyring }).open(old.seal(1, claims), claims))).toBe("KEY_COMPROMISED");
  });
});

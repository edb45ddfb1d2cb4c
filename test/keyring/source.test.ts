import {
  createKeyring,
  createKeyringSource,
  createSealer,
  type Keyring,
  type KeyringOptions,
  type KeyringSourceOptions,
  type StepsealError,
} from "stepseal";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { codeOf } from "../code-of.ts";
import { key, kid } from "./roots.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const ONE = { key: key("one") };
const TWO = { key: key("two"), fallbackKeys: [key("one")] };

/** A provider that answers when it is told to. */
function slowProvider() {
  const waiting: { answer: (options: KeyringOptions) => void; fail: (error: Error) => void }[] = [];
  const provider = vi.fn(
    () =>
      new Promise<KeyringOptions>((answer, fail) => {
        waiting.push({ answer, fail });
      }),
  );
  return { provider, next: () => waiting.shift()! };
}

/** A source, and what it told. */
function sourceOf(provider: KeyringSourceOptions["provider"], options: Partial<KeyringSourceOptions> = {}) {
  const refreshed: string[] = [];
  const errors: StepsealError[] = [];
  const source = createKeyringSource({
    provider,
    everyMs: 300_000,
    minIntervalMs: 30_000,
    timeoutMs: 5_000,
    onRefresh: (ring) => refreshed.push(ring.primary),
    onError: (error) => errors.push(error),
    ...options,
  });
  return { source, refreshed, errors };
}

describe("the first ring", () => {
  test("is waited for once by all who ask, and then there at once", async () => {
    const { provider, next } = slowProvider();
    const { source, refreshed } = sourceOf(provider);
    const all = Promise.all([source.get(), source.get(), source.refresh()]);
    next().answer(ONE);
    const [first] = await all;
    expect(new Set(await all).size).toBe(1);
    expect(provider).toHaveBeenCalledTimes(1);
    expect(source.get()).toBe(first);
    expect(refreshed).toEqual([]);
  });

  test("that fails is asked for again by the next call, and the error shows nothing that the provider said", async () => {
    const { provider, next } = slowProvider();
    const { source, errors } = sourceOf(provider);
    const failing = Promise.resolve(source.get());
    next().fail(Object.assign(new Error("secret-token-5"), { code: "ECONNREFUSED" }));
    const error = await failing.catch((thrown: unknown) => thrown as StepsealError);
    expect(error).toMatchObject({ code: "CONFIG" });
    expect((error as Error).message).toContain("provider: failed (Error, ECONNREFUSED)");
    expect((error as Error).message).not.toContain("secret-token-5");
    const again = source.get();
    next().answer(ONE);
    expect((await again).primary).toBe(kid("one"));
    expect(errors).toEqual([]);
  });

  test("that never comes is an error after its time, and is asked for again", async () => {
    const { provider, next } = slowProvider();
    const { source } = sourceOf(provider);
    const late = Promise.resolve(source.get()).catch((thrown: unknown) => thrown);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await late).toMatchObject({
      code: "CONFIG",
      message: expect.stringContaining("no answer after 5000 ms"),
    });
    next();
    const again = source.get();
    next().answer(ONE);
    expect((await again).primary).toBe(kid("one"));
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a ring that is older than everyMs", () => {
  test("is used while the next one comes, and replaced then", async () => {
    const { provider, next } = slowProvider();
    const { source, refreshed } = sourceOf(provider);
    const loading = source.get();
    next().answer(ONE);
    const first = await loading;
    await vi.advanceTimersByTimeAsync(299_999);
    expect(source.get()).toBe(first);
    expect(provider).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    for (let i = 0; i < 5; i++) expect(source.get()).toBe(first);
    expect(provider).toHaveBeenCalledTimes(2);
    next().answer(TWO);
    await vi.advanceTimersByTimeAsync(0);
    expect((source.get() as Keyring).primary).toBe(kid("two"));
    expect(refreshed).toEqual([kid("two")]);
  });

  test("stays when the provider fails or hangs, which is told each time, and is asked for again at minIntervalMs", async () => {
    const { provider, next } = slowProvider();
    const { source, errors, refreshed } = sourceOf(provider);
    const loading = source.get();
    next().answer(ONE);
    const first = await loading;
    await vi.advanceTimersByTimeAsync(300_000);
    source.get();
    next().fail(new TypeError("down"));
    await vi.advanceTimersByTimeAsync(29_999);
    expect(source.get()).toBe(first);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("failed (TypeError)")]);
    expect(provider).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(1);
    source.get();
    expect(provider).toHaveBeenCalledTimes(3);
    next();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(errors).toHaveLength(2);
    expect(errors[1]!.message).toContain("no answer after 5000 ms");
    expect(source.get()).toBe(first);
    next().answer(TWO);
    await vi.advanceTimersByTimeAsync(0);
    expect(refreshed).toEqual([kid("two")]);
  });

  test("hands its counts on", async () => {
    const rings = [ONE, TWO];
    const { source } = sourceOf(() => rings.shift() ?? TWO);
    const claims = { kind: "custom" } as const;
    createSealer({ keyring: await source.get() }).seal(1, claims);
    await vi.advanceTimersByTimeAsync(30_000);
    const keyring = await source.refresh();
    expect(keyring.report()).toMatchObject([
      { kid: kid("two"), seals: 0 },
      { kid: kid("one"), state: "decrypt-only", seals: 1 },
    ]);
  });
});

describe("refresh()", () => {
  async function loaded() {
    const { provider, next } = slowProvider();
    const made = sourceOf(provider);
    const loading = made.source.get();
    next().answer(ONE);
    return { ...made, provider, next, first: await loading };
  }

  test("asks nobody within minIntervalMs of the last answer", async () => {
    const { source, provider, first } = await loaded();
    await vi.advanceTimersByTimeAsync(29_999);
    for (let i = 0; i < 10; i++) expect(await source.refresh()).toBe(first);
    expect(provider).toHaveBeenCalledTimes(1);
  });

  test("is one for all who call it, and each gets the new ring", async () => {
    const { source, provider, next, refreshed } = await loaded();
    await vi.advanceTimersByTimeAsync(30_000);
    const calls = Promise.all([source.refresh(), source.refresh(), source.refresh()]);
    next().answer(TWO);
    expect((await calls).map(({ primary }) => primary)).toEqual([kid("two"), kid("two"), kid("two")]);
    expect(provider).toHaveBeenCalledTimes(2);
    expect(refreshed).toEqual([kid("two")]);
  });

  test("that fails gives the ring there is, and is told once", async () => {
    const { source, next, errors, first } = await loaded();
    await vi.advanceTimersByTimeAsync(30_000);
    const calls = Promise.all([source.refresh(), source.refresh()]);
    next().fail(new Error("down"));
    expect(await calls).toEqual([first, first]);
    expect(errors).toHaveLength(1);
  });

  test("waits for no answer whose time is up: a platform that froze the process may have dropped it", async () => {
    const { source, provider, next, refreshed } = await loaded();
    await vi.advanceTimersByTimeAsync(30_000);
    void source.refresh();
    const dropped = next();
    // The clock goes on and no timer fires, as in a process that sleeps.
    vi.setSystemTime(Date.now() + 60_000);
    const again = source.refresh();
    expect(provider).toHaveBeenCalledTimes(3);
    next().answer(TWO);
    expect((await again).primary).toBe(kid("two"));
    dropped.answer(ONE);
    await vi.advanceTimersByTimeAsync(0);
    expect((source.get() as Keyring).primary).toBe(kid("two"));
    expect(new Set(refreshed)).toEqual(new Set([kid("two")]));
  });

  test("works on when the clock is set back", async () => {
    const { source, next } = await loaded();
    vi.setSystemTime(Date.now() - 3_600_000);
    const again = source.refresh();
    next().answer(TWO);
    expect((await again).primary).toBe(kid("two"));
  });
});

test.each([
  ["throw", () => Promise.reject(new Error("down"))],
  ["answer", () => TWO],
])("observers that throw or reject change nothing when providers %s", async (_, second) => {
  const answers = [() => ONE, second];
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  for (const observer of [
    () => Promise.reject(new Error("observer")),
    () => {
      throw new Error("observer");
    },
  ]) {
    const left = [...answers];
    const { source } = sourceOf(() => left.shift()!(), { onRefresh: observer, onError: observer });
    await source.get();
    await vi.advanceTimersByTimeAsync(30_000);
    expect((await source.refresh()).keys.length).toBeGreaterThan(0);
  }
  vi.useRealTimers();
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

test.each<[string, unknown, string]>([
  ["nothing", undefined, "createKeyringSource options: found undefined"],
  ["a ring", createKeyring(ONE), "unknown option primary"],
  ["no provider", {}, "provider: found undefined, expected a function"],
  ["a provider that is a key", { provider: key("one") }, "provider: found a string of 54 characters"],
  ["no observer", { provider: () => ONE, onError: 1 }, "onError: found a number"],
  ["another that is none", { provider: () => ONE, onRefresh: "log" }, "onRefresh: found a string"],
  ["a time in seconds", { provider: () => ONE, timeoutMs: 0.5 }, "timeoutMs: expected a whole number"],
  ["no interval", { provider: () => ONE, everyMs: 0 }, "everyMs: expected a whole number"],
  [
    "a time too long",
    { provider: () => ONE, minIntervalMs: 2 ** 31 },
    "minIntervalMs: expected a whole number",
  ],
  ["a misspelt option", { provider: () => ONE, every: 5 }, "unknown option every"],
])("%s makes no source, and the message says why", (_, options, says) => {
  const make = () => createKeyringSource(options as KeyringSourceOptions);
  expect(codeOf(make)).toBe("CONFIG");
  expect(make).toThrow(says);
  expect(make).not.toThrow(key("one"));
});

test("times are those that were given, from one millisecond to the longest that a timer has", async () => {
  const provider = vi.fn(() => ONE);
  const { source } = sourceOf(provider, { everyMs: 1, minIntervalMs: 1, timeoutMs: 1 });
  await source.get();
  await vi.advanceTimersByTimeAsync(1);
  source.get();
  expect(provider).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(1);
  await source.refresh();
  expect(provider).toHaveBeenCalledTimes(3);

  const longest = 2 ** 31 - 1;
  const { source: slow } = sourceOf(provider, {
    everyMs: longest,
    minIntervalMs: longest,
    timeoutMs: longest,
  });
  await slow.get();
  vi.setSystemTime(Date.now() + 1_000_000_000);
  await slow.refresh();
  slow.get();
  expect(provider).toHaveBeenCalledTimes(4);
});

test("times that were not given are those of docs/keys.md", async () => {
  const provider = vi.fn(() => ONE);
  const source = createKeyringSource({ provider });
  await source.get();
  vi.setSystemTime(Date.now() + 29_999);
  await source.refresh();
  expect(provider).toHaveBeenCalledTimes(1);
  vi.setSystemTime(Date.now() + 1);
  await source.refresh();
  expect(provider).toHaveBeenCalledTimes(2);
  vi.setSystemTime(Date.now() + 299_999);
  source.get();
  expect(provider).toHaveBeenCalledTimes(2);
  vi.setSystemTime(Date.now() + 1);
  source.get();
  expect(provider).toHaveBeenCalledTimes(3);
});

test.each(["card 4111", "x y", "a\n", "A".repeat(41), ""])(
  "an error's name that is no name is not told: %j",
  async (name) => {
    const error = Object.assign(new Error("down"), { name, code: `${name} ` });
    const { source } = sourceOf(() => Promise.reject(error));
    await expect(source.get()).rejects.toThrow(/provider: failed\. /);
  },
);

import type { Inngest } from "inngest";
import {
  createKeyring,
  createKeyringSource,
  type Keyring,
  type KeyringOptions,
  type KeyringSource,
} from "stepseal";
import { isPlatformError } from "stepseal/inngest";
import { createTestEngine } from "stepseal/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { expectRefused, stored, type Victim, victim, victims } from "../../security/victim.ts";
import { createApp, KEY, keyring, MODES, OTHER_KEY } from "./harness.ts";

const OLD: KeyringOptions = { key: KEY };
const NEW: KeyringOptions = { key: OTHER_KEY, fallbackKeys: [KEY] };

// The clock of the sources; that of the platform is the engine's.
let now = Date.parse("2026-03-01T10:00:00Z");
beforeEach(() => {
  vi.spyOn(Date, "now").mockImplementation(() => now);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(MODES)("$name, a source", ({ checkpointing }) => {
  const deploy = (v: Victim, source: KeyringSource | (() => Promise<Keyring>)) =>
    createApp(victims(v.seen, 4), { engine: v.engine, checkpointing, seal: { keyring: source } });

  /** A run that sleeps, sealed under the new key. */
  async function asleep(): Promise<Victim> {
    const v = await victim({ checkpointing, retries: 4, seal: { keyring: createKeyring(NEW) } });
    v.engine.cancel(v.engine.runsOf("refund")[0]!.id);
    return v;
  }

  test("is loaded once for many requests, and serves whole runs", async () => {
    const provider = vi.fn(async () => NEW);
    const v = await asleep();
    await deploy(v, createKeyringSource({ provider }));
    await v.engine.advance("1h");
    expect(v.runs[0]!.status).toBe("completed");
    expect(provider).toHaveBeenCalledTimes(1);
  });

  test("whose ring lacks the key of a run fetches it before user code runs, and no request is refused", async () => {
    const v = await asleep();
    const answers = [OLD, NEW];
    const provider = vi.fn(async () => answers.shift()!);
    const source = createKeyringSource({ provider, minIntervalMs: 1_000 });
    await deploy(v, source);
    await source.get();
    now += 1_000;
    await v.engine.advance("1h");
    expect(v.runs[0]!.status).toBe("completed");
    expect(v.runs[0]!.attempts).toBe(1);
    expect(v.seen).toContain("awake");
    expect(provider).toHaveBeenCalledTimes(2);
    expect(v.engine.wire.some(({ body }) => body.includes("UNKNOWN_KEY"))).toBe(false);
    // What the run answered after the refresh is sealed under the key that is primary now.
    expect(JSON.stringify(v.runs[0]!.output)).toContain(createKeyring(NEW).primary);
  });

  test.each([{}, { plaintextFrom: { platformErrors: false } }])(
    "whose ring lacks a later step's key leaves an earlier step's error the function's own, with %j",
    async (options) => {
      const seen: unknown[] = [];
      // Hashed, "second" comes before "fails": its error is open when the key of the other is found missing.
      const functions = (client: Inngest) => [
        client.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ step }) => {
          const failure = await step
            .run("second", () => {
              throw new RangeError("mine");
            })
            .catch((error: unknown) => error);
          await step.sleep("a", "1h");
          const result = await step.run("fails", () => "result");
          await step.sleep("b", "1h");
          seen.push((failure as Error).message, isPlatformError(failure), result);
        }),
      ];
      const engine = createTestEngine();
      const seal = (keyring: Keyring | KeyringSource) => ({
        engine,
        checkpointing,
        seal: { keyring, ...options },
      });
      const { inngest } = await createApp(functions, seal(createKeyring(OLD)));
      await inngest.send({ name: "go" });
      await engine.idle();
      await createApp(functions, seal(createKeyring(NEW)));
      await engine.advance("1h");
      const answers = [OLD, NEW];
      const source = createKeyringSource({ provider: async () => answers.shift()!, minIntervalMs: 1_000 });
      await createApp(functions, seal(source));
      await source.get();
      now += 1_000;
      await engine.advance("1h");
      expect(engine.runsOf("fn")[0]!.status).toBe("completed");
      expect(seen).toEqual(["mine", false, "result"]);
      expect(answers).toEqual([]);
    },
  );

  test("asks once where the key is nowhere, and the run is retried as with any ring", async () => {
    const v = await asleep();
    const provider = vi.fn(async () => OLD);
    const source = createKeyringSource({ provider, minIntervalMs: 1_000 });
    await deploy(v, source);
    await source.get();
    now += 1_000;
    await v.engine.advance("1h");
    await v.engine.advance("1m");
    expect(v.seen).toEqual([]);
    expect(v.runs[0]!.status).toBe("running");
    expect(v.runs[0]!.attempts).toBeGreaterThan(1);
    // However many requests came within minIntervalMs.
    expect(provider).toHaveBeenCalledTimes(2);
    now += 1_000;
    provider.mockImplementation(async () => NEW);
    await v.engine.advance("1d");
    expect(v.runs[0]!.status).toBe("completed");
  });

  test("that fails to refresh keeps its ring, tells why, and the run is retried", async () => {
    const v = await asleep();
    const errors: Error[] = [];
    const provider = vi.fn(async () => OLD);
    const source = createKeyringSource({
      provider,
      minIntervalMs: 1_000,
      onError: (error) => errors.push(error),
    });
    await deploy(v, source);
    const ring = await source.get();
    provider.mockImplementation(async () => {
      throw new Error("secret-token-5");
    });
    now += 1_000;
    await v.engine.advance("1h");
    expect(source.get()).toBe(ring);
    expect(errors.length).toBe(1);
    expect(errors[0]!.message).toContain("provider: failed (Error)");
    expect(v.runs[0]!.status).toBe("running");
    const said = JSON.stringify(v.engine.wire) + stored(v.runs[0]) + v.log.join();
    expect(said).not.toContain("secret-token-5");
  });

  test("that does not load answers nothing, and is asked again by the next request", async () => {
    const v = await asleep();
    const provider = vi.fn(async () => NEW).mockRejectedValueOnce(new Error("down"));
    const source = createKeyringSource({ provider });
    await expect(deploy(v, source)).rejects.toThrow("did not register (status 500)");
    await deploy(v, source);
    await v.engine.advance("1h");
    expect(v.runs[0]!.status).toBe("completed");
    expect(provider).toHaveBeenCalledTimes(2);
  });

  test("does not serve for another refusal: a disabled key is final", async () => {
    const v = await asleep();
    const keys = [
      { key: KEY, state: "primary" },
      { key: OTHER_KEY, state: "disabled" },
    ] as const;
    const provider = vi.fn(async () => ({ keys }));
    const source = createKeyringSource({ provider, minIntervalMs: 1 });
    await deploy(v, source);
    await v.engine.advance("1h");
    expectRefused(v.runs[0], v.seen, "KEY_DISABLED");
    expect(provider).toHaveBeenCalledTimes(1);
  });

  test("does not slow or serialise parallel steps: nothing is awaited between them", async () => {
    const orderWith = async (seal: { keyring: KeyringSource } | null): Promise<string[]> => {
      const order: string[] = [];
      const { engine, inngest } = await createApp(
        (client) => [
          client.createFunction({ id: "wide", triggers: { event: "shop/wide" } }, async ({ step }) => {
            const work = async (id: string): Promise<void> => {
              order.push(`${id} begins`);
              await new Promise((resolve) => setImmediate(resolve));
              order.push(`${id} ends`);
            };
            await Promise.all(["a", "b", "c"].map((id) => step.run(id, () => work(id))));
          }),
        ],
        { checkpointing, seal },
      );
      await inngest.send({ name: "shop/wide", data: {} });
      await engine.idle();
      return order;
    };
    const keyring = createKeyringSource({ provider: async () => NEW });
    expect(await orderWith({ keyring })).toEqual(await orderWith(null));
  });
});

test("a ring that is no source, and a copy of one, are no keyring", async () => {
  const source = createKeyringSource({ provider: () => OLD });
  for (const other of [{ ...source }, { get: () => keyring(), refresh: async () => keyring() }]) {
    await expect(createApp(() => [], { seal: { keyring: other as KeyringSource } })).rejects.toThrow(
      "a source (createKeyringSource)",
    );
  }
});

import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import {
  createKeyring,
  createKeyringSource,
  createSealer,
  type KeyringOptions,
  type Sealer,
  StepsealError,
} from "stepseal";
import { afterEach, describe, expect, it, vi } from "vitest";
import { requestKeys } from "../../../src/adapters/upstash/keys.ts";
import { createApp, KEY, OTHER_KEY, type Workflows } from "./harness.ts";

const sleeper = (): Workflows => ({
  sleeper: createWorkflow(async (context: WorkflowContext<string>) => {
    const before = await context.run("before", () => context.requestPayload);
    await context.sleep("nap", 60);
    await context.run("after", () => before);
  }),
});

afterEach(() => void vi.useRealTimers());

describe("keys of a workflow", () => {
  it.each([undefined, 0])(
    "are asked for again where one is missing, in the same request (%s)",
    async (lazyFetchAboveBytes) => {
      const app = await createApp(sleeper(), {
        seal: { key: KEY },
        ...(lazyFetchAboveBytes !== undefined && { lazyFetchAboveBytes }),
      });
      const run = await app.trigger("sleeper", "x");
      await app.qstash.idle();

      vi.useFakeTimers({ toFake: ["Date"] });
      let asked = 0;
      const rings: KeyringOptions[] = [{ key: OTHER_KEY }, { key: OTHER_KEY, fallbackKeys: [KEY] }];
      const source = createKeyringSource({
        provider: () => rings[Math.min(asked++, 1)] as KeyringOptions,
      });
      await source.get();
      // Later than the shortest time between two askings.
      vi.setSystemTime(Date.now() + 60_000);
      app.deploy(sleeper(), { keyring: source });
      const before = app.qstash.deliveries.length;
      await app.qstash.advance("2m");
      expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
      expect(asked).toBe(2);
      expect(app.qstash.deliveries.slice(before).map(({ status }) => status)).not.toContain(503);
    },
  );

  it("that cannot be loaded now are worth a retry", async () => {
    let isDown = true;
    const refused: unknown[] = [];
    const app = await createApp(sleeper(), { seal: { key: KEY } });
    const run = await app.trigger("sleeper", "x");
    const load = async () => {
      if (isDown) throw new Error("the vault is down: password=hunter2");
      return createKeyring({ key: KEY });
    };
    app.deploy(sleeper(), { keyring: load, onRefused: (reason) => void refused.push(reason) });
    await app.qstash.idle();
    expect(app.qstash.deliveries.map(({ status }) => status)).toEqual([503]);
    expect(String(refused)).toContain("keyring");
    // What the provider says could hold anything.
    expect(JSON.stringify(app.qstash.wire)).not.toContain("hunter2");
    isDown = false;
    await app.qstash.advance("1h");
    expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
  });

  it("of another scope open nothing", async () => {
    const app = await createApp(sleeper(), { seal: { key: KEY, scope: "production" } });
    await app.trigger("sleeper", "x", { retries: 0 });
    app.deploy(sleeper(), { key: KEY, scope: "staging" });
    await app.qstash.idle();
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["CONTEXT"]);
  });

  it("tell of each use, and of no data", async () => {
    const uses: string[] = [];
    const app = await createApp(sleeper(), {
      seal: {
        key: KEY,
        onUse: ({ kind, operation, kid }) => void uses.push(`${operation} ${kind} ${kid.length}`),
      },
    });
    await app.trigger("sleeper", "x");
    await app.qstash.advance("2m");
    expect(new Set(uses)).toEqual(
      new Set([
        "seal invoke.field 16",
        "open invoke.field 16",
        "seal step.output 16",
        "open step.output 16",
        "seal fn.output 16",
      ]),
    );
  });

  it("are asked for again only where one is missing, and the new ones are kept", async () => {
    const [old, fresh] = [KEY, OTHER_KEY].map((key) => createSealer({ keyring: createKeyring({ key }) }));
    const refreshedSealer = vi.fn(async () => fresh as Sealer);
    const keys = await requestKeys({ sealer: () => old as Sealer, refreshedSealer });
    expect(keys.sealer).toBe(old);
    const failing = (code: "CORRUPT" | "UNKNOWN_KEY") => () => {
      throw new StepsealError(code, "why");
    };
    await expect(keys.open(failing("CORRUPT"))).rejects.toMatchObject({ code: "CORRUPT" });
    await expect(keys.open(() => JSON.parse("{"))).rejects.toThrow(SyntaxError);
    expect([refreshedSealer.mock.calls.length, keys.sealer === old]).toEqual([0, true]);

    const read = vi.fn((sealer: Sealer) => (sealer === fresh ? "opened" : failing("UNKNOWN_KEY")()));
    expect(await keys.open(read)).toBe("opened");
    expect([refreshedSealer.mock.calls.length, keys.sealer === fresh]).toEqual([1, true]);
    await expect(keys.open(failing("UNKNOWN_KEY"))).rejects.toMatchObject({ code: "UNKNOWN_KEY" });
  });
});

import { createHash } from "node:crypto";
import type { Inngest } from "inngest";
import { createKeyring, createSealer } from "stepseal";
import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
import { createTestEngine, type Run, type StoredStep } from "stepseal/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createApp, keyring, MODES, OTHER_KEY, SDK } from "./harness.ts";

/** A step's id as the platform knows it. */
const hashed = (id: string): string => createHash("sha1").update(id).digest("hex");

const BRANCHES = ["a", "b", "c", "d"];

/** Opens when as many have come as it waits for; one that comes alone waits until the request times out. */
function barrier(expected: number): () => Promise<void> {
  let waiting = 0;
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    waiting += 1;
    if (waiting === expected) open();
    return opened;
  };
}

/** Chains of three steps, side by side: the second and third are found while the earlier ones are memoized. */
function chains(inngest: Inngest, meet: readonly (() => Promise<void>)[]) {
  return inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ step }) => {
    const before = await step.run("before", () => "before");
    const round = (n: number) =>
      Promise.all(
        BRANCHES.map((id) =>
          step.run(`${id}${n}`, async () => {
            await meet[n]!();
            return `${before} ${id}${n}`;
          }),
        ),
      );
    return [await round(0), await round(1), await round(2)];
  });
}

const SEALS: readonly (readonly [name: string, seal: EncryptionMiddlewareOptions | null])[] = [
  ["without stepseal", null],
  ["sealed", {}],
  ["sealed with a ring that is loaded late", { keyring: async () => keyring() }],
];

describe.each(MODES)("$name, parallel steps", ({ checkpointing }) => {
  test.each(SEALS)("run at the same time when a run is resumed, %s", async (_name, seal) => {
    const meet = [barrier(4), barrier(4), barrier(4)];
    const { engine, inngest } = await createApp((client) => [chains(client, meet)], {
      checkpointing,
      seal,
      engineOptions: { concurrency: 4, requestTimeout: 5_000 },
    });
    await inngest.send({ name: "go", data: { encrypted: 1 } });
    await engine.advance("1m");
    const [run] = engine.runs;
    expect(run?.status).toBe("completed");
    const plans = engine.wire
      .filter((entry) => entry.channel === "response" && entry.status === 206)
      .map((entry) => [JSON.parse(entry.body)].flat().filter((op) => op.op === "StepPlanned").length)
      .filter((planned) => planned > 0);
    // Every round is planned as a whole, in one answer; v3 plans what is left of it again after each step.
    expect(new Set(plans)).toEqual(new Set(SDK.v4 ? [4] : [4, 3, 2, 1]));
    expect(plans.length).toBeGreaterThanOrEqual(3);
  });

  test("take as many requests with stepseal as without", async () => {
    const counts: unknown[] = [];
    for (const [, seal] of SEALS) {
      const free = async () => {};
      const { engine, inngest } = await createApp((client) => [chains(client, [free, free, free])], {
        checkpointing,
        seal,
      });
      await inngest.send({ name: "go", data: { encrypted: 1 } });
      await engine.advance("1m");
      const messages = engine.wire.filter(({ url }) => !url.includes("/realtime/publish/tee"));
      counts.push({ requests: engine.runs[0]!.requests, messages: messages.length });
    }
    expect(counts).toEqual([counts[0], counts[0], counts[0]]);
  });
});

/** What a platform may put in the place of one step's sealed result. */
type Forgery = (run: Run, held: NonNullable<StoredStep>) => StoredStep;

const data =
  (value: unknown): Forgery =>
  () => ({ data: value });

const FORGERIES: readonly (readonly [name: string, forge: Forgery, code: RegExp])[] = [
  ["a changed ciphertext", (_, held) => ({ data: changed(held.data) }), /./],
  ["the result of a sibling", (run) => ({ data: run.steps.get(hashed("b"))!.data }), /./],
  ["a truncated envelope", (_, held) => ({ data: { ...(held.data as object), data: "ss1." } }), /./],
  ["a text", data("made up"), /plaintext stands where/],
  ["a number", data(7), /plaintext stands where/],
  ["an object", data({ paid: true }), /plaintext stands where/],
  ["null", data(null), /plaintext stands where/],
  ["nothing, as of a sleep", () => null, /plaintext stands where/],
  ["an event", data({ name: "x", data: { paid: true } }), /plaintext stands where/],
  ["a signal", data({ signal: "x", data: null }), /plaintext stands where/],
];

/** The same envelope with one character of its ciphertext changed. */
function changed(envelope: unknown): object {
  const { data: text, ...rest } = envelope as { data: string };
  const at = text.length - 20;
  const other = text[at] === "A" ? "B" : "A";
  return { ...rest, data: text.slice(0, at) + other + text.slice(at + 1) };
}

describe.each(MODES)("$name, a forged step among parallel siblings", ({ checkpointing }) => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => {
    unhandled.push(reason);
  };
  beforeEach(() => {
    unhandled.length = 0;
    process.on("unhandledRejection", note);
  });
  afterEach(() => {
    process.off("unhandledRejection", note);
  });

  /** Plays a run up to its sleep, forges the result of step `a`, and wakes the run. */
  async function wakeWith(forge: Forgery) {
    const seen: string[] = [];
    const say = (what: string) => () => {
      seen.push(what);
    };
    const engine = createTestEngine({ requestTimeout: 5_000 });
    const { inngest } = await createApp(
      (client) => [
        client.createFunction({ id: "fn", triggers: { event: "go" }, retries: 1 }, async ({ step }) => {
          try {
            await Promise.all([
              step
                .run("a", () => "a")
                .then(say("a was seen"))
                .catch(say("a was caught"))
                .finally(say("a's finally")),
              step.run("b", () => "b"),
              step.sleep("nap", "1h").then(() => step.run("sibling", say("a sibling started"))),
            ]);
            await step.run("after", say("what comes after started"));
          } catch {
            seen.push("caught");
          } finally {
            seen.push("finally");
          }
        }),
      ],
      { checkpointing, engine },
    );
    await inngest.send({ name: "go", data: { encrypted: 1 } });
    await engine.idle();
    const [run] = engine.runs;
    expect(run!.status).toBe("running");
    const held = run!.steps.get(hashed("a"));
    expect(held?.data).toMatchObject({ __ENCRYPTED__: true });
    seen.length = 0;
    run!.steps.set(hashed("a"), forge(run!, held!));
    await engine.advance("1d");
    // A rejection that nobody handles is reported after the microtasks.
    await new Promise((resolve) => setImmediate(resolve));
    return { run: run!, seen };
  }

  test("without a forgery the run goes on", async () => {
    const { run, seen } = await wakeWith((_, held) => held);
    expect(run.status).toBe("completed");
    expect(seen).toContain("a sibling started");
    expect(seen).toContain("what comes after started");
    expect(unhandled).toEqual([]);
  });

  test.each(FORGERIES)(
    "%s fails the run at once, and no user code runs on it",
    async (_name, forge, reason) => {
      const { run, seen } = await wakeWith(forge);
      expect(seen).toEqual([]);
      expect(run).toMatchObject({ status: "failed", attempts: 1 });
      const { message } = run.error as { message: string };
      expect(message).toMatch(reason);
      expect(message).toContain(`step ${hashed("a")}`);
      expect(unhandled).toEqual([]);
    },
  );

  test("a result under a key that is not held is tried again, and then fails the run", async () => {
    const sealer = createSealer({ keyring: createKeyring({ key: OTHER_KEY }) });
    const { run, seen } = await wakeWith((held) => ({
      data: sealer.seal("a", { kind: "step.output", fn: "app-fn", run: held.id, step: hashed("a") }),
    }));
    expect(seen).toEqual([]);
    expect(run).toMatchObject({ status: "failed", attempts: 2 });
    expect((run.error as { message: string }).message).toContain(`step ${hashed("a")}`);
    expect(unhandled).toEqual([]);
  });
});

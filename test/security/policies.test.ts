import { createKeyring, inspectEnvelope, isSealed, type Keyring } from "stepseal";
import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
import { describe, expect, test } from "vitest";
import { createApp, KEY, keyring, MODES, OTHER_KEY } from "../adapters/inngest/harness.ts";
import {
  A,
  expectRefused,
  stored,
  storedSteps,
  type Victim,
  type VictimOptions,
  victim,
  victims,
} from "./victim.ts";

const ring = keyring();
const withState = (state: "decrypt-only" | "disabled" | "compromised" | "destroyed"): Keyring =>
  createKeyring({
    keys: [
      { key: OTHER_KEY, state: "primary" },
      state === "destroyed" ? { kid: ring.primary, state, destroyedAt: "2026-03-31" } : { key: KEY, state },
    ],
  });

/** A victim whose runs sleep, without the run of "refund". */
async function asleep(options: VictimOptions): Promise<Victim> {
  const v = await victim(options);
  v.engine.cancel(v.engine.runsOf("refund")[0]!.id);
  return v;
}

describe.each(MODES)("$name", ({ checkpointing }) => {
  /** A new deploy of the app, with other options. */
  const deploy = (v: Victim, seal: EncryptionMiddlewareOptions | null) =>
    createApp(victims(v.seen, 4), { engine: v.engine, checkpointing, seal });

  test("a missing key loses nothing: the run is retried, and goes on once the key is deployed", async () => {
    const v = await asleep({ checkpointing, retries: 4 });
    const [run] = v.runs;
    const before = storedSteps(run!);
    await deploy(v, { keyring: createKeyring({ key: OTHER_KEY }) });
    await v.engine.advance("1h");
    expect(v.seen).toEqual([]);
    expect(run!.status).toBe("running");
    expect(run!.attempts).toBeGreaterThan(1);
    const answers = v.engine.wire.filter((entry) => entry.runId === run!.id && entry.status === 500);
    expect(answers.length).toBeGreaterThan(0);
    for (const { body } of answers) {
      expect(body).toMatch(/UNKNOWN_KEY/);
      expect(body).toContain(ring.primary);
      expect(body).toContain(createKeyring({ key: OTHER_KEY }).primary);
    }
    expect(storedSteps(run!)).toMatchObject(before as object);
    await deploy(v, { keyring: withState("decrypt-only") });
    await v.engine.advance("1d");
    expect(run!.status).toBe("completed");
    expect(v.seen).toContain("awake");
  });

  test.each(["disabled", "compromised", "destroyed"] as const)(
    "a %s key opens nothing, and the run fails at once",
    async (state) => {
      const v = await asleep({ checkpointing, retries: 4 });
      await deploy(v, { keyring: withState(state) });
      await v.engine.advance("1h");
      expectRefused(v.runs[0], v.seen, `KEY_${state.toUpperCase()}`, "shop/pay", ring.primary);
      expect(v.runs[0]!.attempts).toBe(1);
    },
  );

  test("of a destroyed key its tombstone says when; no policy opens what it sealed, and new runs go on", async () => {
    for (const plaintext of ["reject", "warn", "accept"] as const) {
      const v = await asleep({ checkpointing, retries: 4 });
      const { inngest } = await deploy(v, { keyring: withState("destroyed"), plaintext });
      await v.engine.advance("1h");
      expectRefused(v.runs[0], v.seen, "KEY_DESTROYED", "2026-03-31", ring.primary);
      expect(v.runs[0]!.attempts).toBe(1);
      await inngest.send({ name: "shop/pay", data: { n: 9, encrypted: { card: "card-9" } } });
      await v.engine.advance("2h");
      expect(v.engine.runsOf("pay").at(-1)).toMatchObject({ status: "completed" });
    }
  });

  test("Keyring.report counts what a run sealed and opened under each key, through a rotation", async () => {
    const before = keyring();
    const v = await asleep({ checkpointing, seal: { keyring: before } });
    // The fields of two events, and two results of each of their runs.
    expect(before.report()).toMatchObject([{ kid: ring.primary, state: "primary", seals: 6 }]);
    const uses: { kid: string; operation: "seal" | "open" }[] = [];
    const after = withState("decrypt-only");
    await deploy(v, { keyring: after, onUse: (use) => uses.push(use) });
    await v.engine.advance("1h");
    expect(v.runs[0]!.status).toBe("completed");
    const told = (kid: string, operation: "seal" | "open") =>
      uses.filter((use) => use.kid === kid && use.operation === operation).length;
    // One request: its event, which comes twice, and two results are opened, and the result of the run is sealed.
    const [fresh, old] = after.report();
    expect(fresh).toMatchObject({ kid: after.primary, state: "primary", seals: 1, opens: 0 });
    expect(old).toMatchObject({ kid: ring.primary, state: "decrypt-only", seals: 0, opens: 4 });
    expect([told(after.primary, "seal"), told(ring.primary, "open")]).toEqual([1, 4]);
    expect([fresh, old].map((key) => Object.keys(key!).filter((name) => name.startsWith("last")))).toEqual([
      ["lastSealedAt"],
      ["lastOpenedAt"],
    ]);
  });

  test.each(["warn", "accept"] as const)(
    'plaintext: "%s" lets plaintext through, of every step type',
    async (plaintext) => {
      for (const data of [{ secret: "legacy" }, null, { name: "x", data: {} }, "text"]) {
        const v = await asleep({ checkpointing, seal: { plaintext } });
        v.runs[0]!.steps.set(A, { data });
        await v.engine.advance("1h");
        expect(v.runs[0]!.status).toBe("completed");
        expect(v.seen[0]).toEqual(data);
        const warnings = v.log.filter((line) => line.includes("plaintext accepted") && line.includes(A));
        expect(warnings.length > 0).toBe(plaintext === "warn");
        expect(v.log.join()).not.toContain("legacy");
      }
    },
  );

  test.each(["warn", "accept"] as const)(
    'plaintext: "%s" still refuses a sealed value from elsewhere',
    async (plaintext) => {
      const v = await victim({ checkpointing, seal: { plaintext } });
      v.runs[0]!.steps.set(A, v.engine.runsOf("refund")[0]!.steps.get(A)!);
      v.engine.cancel(v.engine.runsOf("refund")[0]!.id);
      await v.engine.advance("1h");
      expectRefused(v.runs[0], v.seen, "CONTEXT", A);
    },
  );

  test.each([
    { runBinding: "trigger", allowed: true },
    { runBinding: "run", allowed: false },
    { runBinding: "function", allowed: true },
  ] as const)(
    'a rerun from a step under runBinding "$runBinding": $allowed',
    async ({ runBinding, allowed }) => {
      const v = await asleep({ checkpointing, seal: { runBinding } });
      await v.engine.advance("1h");
      expect(v.runs[0]!.status).toBe("completed");
      v.seen.length = 0;
      const again = v.engine.rerun(v.runs[0]!.id, { fromStep: "b" });
      await v.engine.advance("2h");
      expect(again.status).toBe(allowed ? "completed" : "failed");
      if (allowed) expect(v.seen).toContain("awake");
      else expectRefused(again, v.seen, "CONTEXT", "run", A);
    },
  );

  test.each([
    { runBinding: "trigger", allowed: false },
    { runBinding: "run", allowed: false },
    { runBinding: "function", allowed: true },
  ] as const)(
    'another run\'s result of the same step under runBinding "$runBinding": $allowed',
    async ({ runBinding, allowed }) => {
      const v = await victim({ checkpointing, seal: { runBinding }, orders: 2 });
      v.runs[0]!.steps.set(A, v.runs[1]!.steps.get(A)!);
      for (const run of [v.runs[1]!, ...v.engine.runsOf("refund")]) v.engine.cancel(run.id);
      await v.engine.advance("1h");
      if (allowed) expect(v.seen[0]).toEqual({ secret: "pay-a-2" });
      else expectRefused(v.runs[0], v.seen, "CONTEXT", A);
    },
  );

  test.each([
    { runBinding: "trigger", allowed: true },
    { runBinding: "run", allowed: false },
  ] as const)(
    'a result of a run whose event has no sealed field, and was given this one\'s id, under runBinding "$runBinding": $allowed',
    async ({ runBinding, allowed }) => {
      const seen: unknown[] = [];
      const { engine, inngest } = await createApp(
        (client) => [
          client.createFunction(
            { id: "fn", retries: 0, triggers: { event: "go" } },
            async ({ event, step }) => {
              const a = await step.run("a", () => `a ${event.data.n}`);
              await step.sleep("nap", "1h");
              seen.push(a);
            },
          ),
        ],
        { checkpointing, seal: { runBinding } },
      );
      await inngest.send([1, 2].map((n) => ({ name: "go", data: { n } })));
      await engine.idle();
      const [mine, other] = engine.runs;
      mine!.event.id = other!.event.id;
      mine!.steps.set(A, other!.steps.get(A)!);
      engine.cancel(other!.id);
      await engine.advance("1h");
      if (allowed) expect(seen).toEqual(["a 2"]);
      else expectRefused(mine, seen, "CONTEXT", A);
    },
  );

  test.each([
    { name: "another scope", to: { scope: "staging" } },
    { name: "no scope", to: {} },
  ])("what was sealed in one scope does not open in $name", async ({ to }) => {
    const v = await asleep({ checkpointing, seal: { scope: "production" } });
    expect(inspectEnvelope(v.runs[0]!.event.data.encrypted).claims.scope).toBe("production");
    await deploy(v, to);
    await v.engine.advance("1h");
    expectRefused(v.runs[0], v.seen, "CONTEXT", "scope", "production");
  });

  test("decryptOnly opens what is old and seals nothing that is new", async () => {
    const v = await asleep({ checkpointing });
    const wireBefore = v.engine.wire.length;
    const { inngest } = await deploy(v, { decryptOnly: true });
    await v.engine.advance("1h");
    expect(v.runs[0]).toMatchObject({ status: "completed", output: { done: 1 } });
    expect(v.seen).toContainEqual({ secret: "pay-a-1" });
    await inngest.send({ name: "shop/pay", data: { n: 9, encrypted: { card: "card-9" } } });
    await v.engine.advance("2h");
    expect(v.engine.runsOf("pay").at(-1)).toMatchObject({ status: "completed" });
    const since = v.engine.wire.slice(wireBefore);
    expect(since.filter((entry) => entry.body.includes("ss1."))).toEqual([]);
    expect(since.some((entry) => entry.body.includes("card-9"))).toBe(true);
  });

  test("eventFields names what is sealed in events, and nothing else is", async () => {
    const seen: unknown[] = [];
    const { engine, inngest } = await createApp(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, ({ event }) => {
          seen.push(event.data);
        }),
      ],
      { checkpointing, seal: { eventFields: ["ssn", "note"] } },
    );
    const data = { ssn: "123", note: null, encrypted: "plain by choice", other: 1 };
    await inngest.send({ name: "go", data });
    await engine.idle();
    const kept = engine.events[0]!.data;
    expect([kept.ssn, kept.note].map(isSealed)).toEqual([true, true]);
    expect(kept).toMatchObject({ encrypted: "plain by choice", other: 1 });
    expect(seen).toEqual([data]);
  });

  test("onUse hears of each seal and open, with kid, kind, operation and bytes, and of no data", async () => {
    const uses: object[] = [];
    const v = await asleep({ checkpointing, seal: { onUse: (use) => uses.push(use) } });
    await v.engine.advance("1h");
    expect(v.runs[0]!.status).toBe("completed");
    for (const use of uses) {
      expect(Object.keys(use).sort()).toEqual(["bytes", "kid", "kind", "operation", "state"]);
      expect(use).toMatchObject({ kid: ring.primary, bytes: expect.any(Number) });
    }
    const of = (operation: string, kind: string) =>
      uses.filter(
        (use) => "kind" in use && use.kind === kind && "operation" in use && use.operation === operation,
      );
    for (const [operation, kind] of [
      ["seal", "event.field"],
      ["open", "event.field"],
      ["seal", "step.output"],
      ["open", "step.output"],
      ["seal", "fn.output"],
    ] as const) {
      expect(of(operation, kind).length, `${operation} ${kind}`).toBeGreaterThan(0);
    }
    expect(JSON.stringify(uses)).not.toMatch(/pay-a|card-1/);
    expect(stored(v.runs[0])).toBeUndefined();
  });

  test("what onUse throws decides nothing", async () => {
    const onUse = (): never => {
      throw new Error("observer");
    };
    const v = await asleep({ checkpointing, seal: { onUse } });
    await v.engine.advance("1h");
    expect(v.runs[0]!.status).toBe("completed");
  });
});

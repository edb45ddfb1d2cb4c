import type { Inngest } from "inngest";
import { createKeyring, createSealer, inspectEnvelope, isSealed, type Keyring } from "stepseal";
import type { Run, TestEngine } from "stepseal/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { run as cli, useCli } from "../../cli/support.ts";
import { codeOf } from "../../code-of.ts";
import { createApp, keyring } from "./harness.ts";

const { file } = useCli();

const functions = (inngest: Inngest) => {
  const child = inngest.createFunction(
    { id: "child", triggers: { event: "never" } },
    ({ event }) => `child of ${event.data.encrypted}`,
  );
  const parent = inngest.createFunction(
    { id: "parent", triggers: { event: "go" }, retries: 0 },
    async ({ event, step }) => {
      const { who, fails } = event.data.encrypted;
      await step.run("charge", (amount) => `charged ${who} ${amount}`, 42);
      await step.run("decline", () => Promise.reject(new TypeError(`declined ${who}`))).catch(() => {});
      await step.invoke("call", { function: child, data: { encrypted: who } });
      await step.waitForEvent("wait", { event: "paid", timeout: "1d" });
      if (fails) throw new RangeError(`gave up on ${who}`);
      return { done: who };
    },
  );
  return [child, parent];
};

/** Everything sealed that stands in a value, in order. */
function envelopesIn(value: unknown): unknown[] {
  if (isSealed(value)) return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(envelopesIn) : [];
}

/** What the platform stores of a run, as an export holds it. */
const exported = ({ id, events, steps, output, error }: Run) => ({
  id,
  events,
  steps: [...steps.values()],
  output,
  error,
});

const KINDS = ["step.output", "step.error", "fn.output", "fn.error"] as const;
const open = (ring: Keyring, value: unknown): unknown =>
  createSealer({ keyring: ring }).open(value, { kind: KINDS });

describe("with a run key and nothing else", () => {
  const key = keyring();
  let engine: TestEngine;
  let ada: Run;
  let bob: Run;
  let childOfAda: Run;
  let adaOnly: Keyring;
  beforeAll(async () => {
    ({ engine } = await createApp(functions, { checkpointing: false }));
    const sealer = createSealer({ keyring: key });
    const event = (name: string, encrypted: unknown) => ({
      name,
      data: { encrypted: sealer.seal(encrypted, { kind: "event.field", event: name, field: "encrypted" }) },
    });
    await engine.send([event("go", { who: "ada" }), event("go", { who: "bob", fails: true })]);
    await engine.idle();
    await engine.send(event("paid", "a wait's event"));
    await engine.idle();
    [ada, bob] = engine.runsOf("parent") as [Run, Run];
    [childOfAda] = engine.runsOf("child") as [Run];
    adaOnly = createKeyring({ runKeys: [key.runKey(ada.id)] });
  });

  test("results and errors of the run's steps open, and so does its own result", () => {
    expect([ada.status, bob.status]).toEqual(["completed", "failed"]);
    const [charge, decline, , wait] = [...ada.steps.values()];
    expect(envelopesIn(charge).map((value) => open(adaOnly, value))).toEqual(["charged ada 42"]);
    const [declined] = envelopesIn(decline);
    expect(open(adaOnly, declined)).toMatchObject({
      name: "TypeError",
      message: "declined ada",
    });
    expect(open(adaOnly, ada.output)).toEqual({ done: "ada" });
    // The event that was waited for is nobody's.
    expect(codeOf(() => open(adaOnly, envelopesIn(wait)[0]))).toBe("UNKNOWN_KEY");
  });

  test("inputs of the run's steps open", () => {
    const sent = engine.wire.flatMap(({ body }) => (body === "" ? [] : envelopesIn(JSON.parse(body))));
    const isInput = (value: unknown) => {
      const { kind, run } = inspectEnvelope(value).claims;
      return kind === "step.input" && run === ada.id;
    };
    const inputs = sent.filter(isInput);
    expect(inputs.length).toBeGreaterThan(0);
    for (const value of inputs) {
      expect(createSealer({ keyring: adaOnly }).open(value, { kind: "step.input" })).toEqual([42]);
    }
  });

  test("its own error opens", () => {
    const bobOnly = createKeyring({ runKeys: [key.runKey(bob.id)] });
    const [failure] = envelopesIn(bob.error);
    expect(open(bobOnly, failure)).toMatchObject({
      name: "RangeError",
      message: "gave up on bob",
    });
  });

  test("nothing of another run opens", () => {
    const others = envelopesIn([[...bob.steps.values()], bob.output, bob.error]);
    expect(others.length).toBeGreaterThanOrEqual(4);
    for (const value of others) expect(codeOf(() => open(adaOnly, value))).toBe("UNKNOWN_KEY");
  });

  test("what an invoked function returned opens with the key of its run", () => {
    const [, , call] = [...ada.steps.values()];
    const [returned] = envelopesIn(call);
    expect(codeOf(() => open(adaOnly, returned))).toBe("UNKNOWN_KEY");
    const both = createKeyring({ runKeys: [key.runKey(ada.id), key.runKey(childOfAda.id)] });
    expect(open(both, returned)).toBe("child of ada");
  });

  test("the command line opens the same of an export, and says what it cannot", async () => {
    const stored = file("runs.json", JSON.stringify([exported(ada), exported(bob)]));
    const held = file("run.key", `${key.runKey(ada.id)}\n${key.runKey(childOfAda.id)}\n`);
    const { code, stdout, stderr } = await cli(["decrypt", "--run-key-file", held, stored]);
    expect(code).toBe(1);
    const [first, second] = JSON.parse(stdout);
    expect(JSON.stringify(first.steps)).toContain("charged ada 42");
    expect(JSON.stringify(first.steps)).toContain("declined ada");
    expect(JSON.stringify(first.steps)).toContain("child of ada");
    expect(first.output).toEqual({ done: "ada" });
    // Of no run: the event that started it, and the one it waited for.
    expect(first.events).toEqual(ada.events);
    expect(first.steps[3]).toEqual([...ada.steps.values()][3]);
    expect(second).toEqual(JSON.parse(JSON.stringify(exported(bob))));
    expect(stderr).toContain("UNKNOWN_KEY");
    expect(stdout + stderr).not.toMatch(/charged bob|gave up|ssrk1_/);
  });
});

import { describe, expect, test } from "vitest";
import { app, MODES, trigger } from "./app.ts";

describe.each(MODES)("waits, checkpointing $checkpointing", (mode) => {
  test("a sleep ends on the virtual clock and leaves null", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
          await step.sleep("nap", "90m");
          await step.sleepUntil("until", new Date(Date.UTC(2040, 0, 2)));
          return "awake";
        }),
      ],
      { ...mode, engine: { now: Date.UTC(2040, 0, 1) } },
    );
    await trigger(engine, "go");
    await engine.advance("89m");
    expect(engine.runs[0]?.steps.size).toBe(0);
    await engine.advance("1m");
    expect([...(engine.runs[0]?.steps.values() ?? [])]).toEqual([null]);
    await engine.advance("1d");
    expect(engine.runs[0]).toMatchObject({ status: "completed", output: "awake" });
    expect(engine.now).toBe(Date.UTC(2040, 0, 1) + 90 * 60_000 + 86_400_000);
  });

  test("waitForEvent gets the whole event that matches, or null when none comes in time", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
          const hit = await step.waitForEvent("hit", { event: "paid", timeout: "1h", match: "data.order" });
          const literal = await step.waitForEvent("literal", {
            event: "paid",
            timeout: "1h",
            if: "async.data.kind == 'b' && event.data.order == async.data.order",
          });
          const missed = await step.waitForEvent("missed", { event: "never", timeout: "1h" });
          return { hit: hit?.data, literal: literal?.data, missed };
        }),
      ],
      mode,
    );
    await trigger(engine, "go", { order: 7 });
    await trigger(engine, "paid", { order: 8 });
    expect(engine.runs[0]?.steps.size).toBe(0);
    await trigger(engine, "paid", { order: 7, b: 1, a: 2 });
    const [first] = [...(engine.runs[0]?.steps.values() ?? [])];
    expect(Object.keys(first ?? {}).sort()).toEqual(["data", "id", "name", "ts", "user"]);
    await trigger(engine, "paid", { order: 7, kind: "a" });
    await trigger(engine, "paid", { order: 7, kind: "b" });
    expect(engine.runs[0]?.steps.size).toBe(2);
    await engine.advance("1h");
    expect(engine.runs[0]?.output).toEqual({
      hit: { order: 7, b: 1, a: 2 },
      literal: { order: 7, kind: "b" },
      missed: null,
    });
  });

  test("a signal sent by a step or by the client reaches the run that waits for it", async () => {
    const { engine, inngest } = await app(
      (client) => [
        client.createFunction({ id: "waiter", triggers: { event: "go" } }, async ({ step }) => {
          const one = await step.waitForSignal("one", { signal: "s1", timeout: "1h" });
          const two = await step.waitForSignal("two", { signal: "s2", timeout: "1h" });
          const none = await step.waitForSignal("none", { signal: "s3", timeout: "1h" });
          return { one, two, none };
        }),
        client.createFunction({ id: "sender", triggers: { event: "signal" } }, async ({ step }) =>
          step.sendSignal("send", { signal: "s1", data: { n: 1 } }),
        ),
      ],
      mode,
    );
    await trigger(engine, "go");
    await trigger(engine, "signal");
    expect(await inngest.sendSignal({ signal: "s2", data: [2] })).toEqual({ runId: engine.runs[0]?.id });
    expect(await inngest.sendSignal({ signal: "unknown", data: 0 })).toEqual({ runId: undefined });
    await engine.advance("1h");
    expect(engine.runsOf("waiter")[0]?.output).toEqual({
      one: { signal: "s1", data: { n: 1 } },
      two: { signal: "s2", data: [2] },
      none: null,
    });
  });

  test("two runs that wait for one signal conflict, unless the second replaces the first", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ event, step }) =>
          step.waitForSignal("wait", {
            signal: "s",
            timeout: "1h",
            ...(event.data.replace ? { onConflict: "replace" as const } : {}),
          }),
        ),
      ],
      mode,
    );
    await trigger(engine, "go");
    await trigger(engine, "go");
    await trigger(engine, "go", { replace: true });
    expect(engine.runs.map((run) => run.status)).toEqual(["running", "failed", "running"]);
    expect(JSON.stringify(engine.runs[1]?.error)).toContain("Signal conflict");
  });

  test("an event cancels the runs it matches, and only those", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction(
          { id: "fn", triggers: { event: "go" }, cancelOn: [{ event: "stop", match: "data.user" }] },
          async ({ step }) => step.sleep("nap", "1h"),
        ),
        inngest.createFunction(
          { id: "told", triggers: { event: "inngest/function.cancelled" } },
          async ({ event }) => [event.data.function_id, event.data.event.data],
        ),
      ],
      mode,
    );
    await trigger(engine, "go", { user: 1 });
    await trigger(engine, "go", { user: 2 });
    await trigger(engine, "stop", { user: 2 });
    expect(engine.runsOf("fn").map((run) => run.status)).toEqual(["running", "cancelled"]);
    expect(engine.runsOf("told")[0]?.output).toEqual(["app-fn", { user: 2 }]);
    await engine.advance("1h");
    expect(engine.runsOf("fn").map((run) => run.status)).toEqual(["completed", "cancelled"]);
  });

  test("a cancelled run is over: nothing runs after it", async () => {
    let ran = 0;
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
          await step.sleep("nap", "1h");
          ran += 1;
        }),
      ],
      mode,
    );
    await trigger(engine, "go");
    engine.cancel(engine.runs[0]?.id ?? "");
    await engine.advance("2h");
    expect(engine.runs[0]).toMatchObject({ status: "cancelled", output: undefined, error: undefined });
    expect(ran).toBe(0);
    expect(engine.events.map((event) => event.name)).toEqual([
      "go",
      "inngest/function.finished",
      "inngest/function.cancelled",
    ]);
  });
});

test.each([
  "event.data.a > 3",
  "event.data.a == 1 || async.data.b == 2",
  "async.data.list.exists(x, x == 1)",
  "size(async.data.list) == 1",
  "event.data.a == ",
  "user.id == async.user.id",
])("an expression the engine cannot evaluate is an error that names it: %s", async (expression) => {
  const { engine } = await app((inngest) => [
    inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) =>
      step.waitForEvent("wait here", { event: "x", timeout: "1h", if: expression }),
    ),
  ]);
  await engine.send({ name: "go" });
  await expect(engine.idle()).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining(JSON.stringify(expression)),
  });
  await expect(engine.idle()).resolves.toBeUndefined();
  expect(engine.runs[0]?.status).toBe("failed");
});

test.each(["1 fortnight", "", "h", -1, Number.NaN])("%o is no duration", async (duration) => {
  const { engine } = await app(() => []);
  await expect(engine.advance(duration)).rejects.toMatchObject({ code: "CONFIG" });
});

import { NonRetriableError, RetryAfterError } from "inngest";
import { describe, expect, test } from "vitest";
import { app, MODES, trigger } from "./app.ts";

describe.each(MODES)("retries, checkpointing $checkpointing", (mode) => {
  test("a failing step is tried again with the platform's pauses, attempt by attempt", async () => {
    const attempts: number[] = [];
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step, attempt }) => {
          await step.run("first", () => 1);
          return step.run("flaky", () => {
            attempts.push(attempt);
            if (attempts.length < 3) throw new Error("not yet");
            return "at last";
          });
        }),
      ],
      mode,
    );
    await trigger(engine, "go");
    expect(attempts).toEqual([0]);
    await engine.advance("14s");
    expect(attempts).toEqual([0]);
    await engine.advance("1s");
    expect(attempts).toEqual([0, 1]);
    await engine.advance("30s");
    expect(attempts).toEqual([0, 1, 2]);
    expect(engine.runs[0]).toMatchObject({ status: "completed", output: "at last", attempts: 3 });
  });

  test("a step that fails for good is stored as an error, which the function may catch", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 1 }, async ({ step }) => {
          try {
            await step.run("bad", () => {
              throw Object.assign(new TypeError("broken", { cause: new Error("why") }), { code: "E_CODE" });
            });
          } catch (error) {
            return `${(error as Error).name}: ${(error as Error).message}`;
          }
        }),
      ],
      mode,
    );
    await trigger(engine, "go");
    await engine.advance("1m");
    expect(engine.runs[0]?.output).toBe("TypeError: broken");
    const [state] = [...(engine.runs[0]?.steps.values() ?? [])];
    expect(Object.keys(state?.error ?? {}).sort()).toEqual(["cause", "message", "name", "stack"]);
    expect(state?.error).toMatchObject({ name: "TypeError", message: "broken", cause: { message: "why" } });
  });

  test("an error that is not caught fails the run after the last attempt", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 2 }, async () => {
          throw new RangeError("out of range");
        }),
      ],
      mode,
    );
    await trigger(engine, "go");
    await engine.advance("1h");
    expect(engine.runs[0]).toMatchObject({
      status: "failed",
      attempts: 3,
      requests: 3,
      error: { error: "NonRetriableError", name: "RangeError", message: "out of range" },
    });
  });

  test("three retries are the default", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async () => {
          throw new Error("no");
        }),
      ],
      mode,
    );
    await trigger(engine, "go");
    await engine.advance("1h");
    expect(engine.runs[0]).toMatchObject({ status: "failed", requests: 4 });
  });

  test("a NonRetriableError is not tried again, in a step or outside of one", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "outside", triggers: { event: "go" } }, async () => {
          throw new NonRetriableError("final");
        }),
        inngest.createFunction({ id: "inside", triggers: { event: "go" } }, async ({ step }) =>
          step.run("bad", () => {
            throw new NonRetriableError("final");
          }),
        ),
      ],
      mode,
    );
    await trigger(engine, "go");
    expect(engine.runs.map((run) => [run.status, run.attempts])).toEqual([
      ["failed", 1],
      ["failed", 1],
    ]);
    expect(engine.runsOf("inside")[0]?.error).toMatchObject({ message: "final" });
  });

  test("Retry-After is honoured on the virtual clock", async () => {
    const attempts: number[] = [];
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ attempt }) => {
          attempts.push(attempt);
          if (attempt === 0) throw new RetryAfterError("later", "2h");
          return "ok";
        }),
      ],
      mode,
    );
    await trigger(engine, "go");
    await engine.advance("119m");
    expect(attempts).toEqual([0]);
    await engine.advance("1m");
    expect(attempts).toEqual([0, 1]);
    expect(engine.runs[0]?.output).toBe("ok");
  });

  test("one failing branch is retried while the other keeps its result", async () => {
    let failures = 0;
    let good = 0;
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) =>
          Promise.all([
            step.run("bad", () => {
              failures += 1;
              if (failures === 1) throw new Error("once");
              return "b";
            }),
            step.run("good", () => {
              good += 1;
              return "g";
            }),
          ]),
        ),
      ],
      mode,
    );
    await trigger(engine, "go");
    await engine.advance("1m");
    expect(engine.runs[0]?.output).toEqual(["b", "g"]);
    expect({ failures, good }).toEqual({ failures: 2, good: 1 });
  });

  test("a step result above 4 MiB fails the run after its retries", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ step }) =>
          step.run("big", () => "x".repeat(4 * 1024 * 1024)),
        ),
      ],
      { ...mode, engine: { checkpointing: mode.checkpointing } },
    );
    await trigger(engine, "go");
    expect(engine.runs[0]?.status).toBe("failed");
    expect(JSON.stringify(engine.runs[0]?.error)).toContain("step output size is greater than the limit");
  });
});

import { describe, expect, test } from "vitest";
import type { Fault } from "../../src/testing/index.ts";
import { app, MODES, trigger } from "./app.ts";

describe.each(MODES)("requests that go wrong, checkpointing $checkpointing", ({ checkpointing }) => {
  /** An app whose execution requests meet these faults, in this order, and what it did. */
  async function faulty(faults: (Fault | undefined)[]) {
    const ran: string[] = [];
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step, event, attempt }) => {
          const done = await step.run("one", () => {
            ran.push(`${event.data.n} at attempt ${attempt}`);
            return event.data.n;
          });
          await step.sleep("nap", "1h");
          return done;
        }),
      ],
      { checkpointing, engine: { fault: () => faults.shift() } },
    );
    return { engine, ran };
  }

  test("a lost request never reaches the app, and is tried again", async () => {
    const { engine, ran } = await faulty(["lost"]);
    await trigger(engine, "go", { n: 1 });
    expect(ran).toEqual([]);
    expect(engine.wire.filter(({ runId }) => runId !== undefined)).toEqual([]);
    await engine.advance("2h");
    expect(ran).toEqual(["1 at attempt 1"]);
    expect(engine.runs[0]).toMatchObject({ status: "completed", output: 1, attempts: 2 });
  });

  test("an unanswered request was handled, and is tried again", async () => {
    const { engine, ran } = await faulty(["unanswered"]);
    await trigger(engine, "go", { n: 1 });
    expect(ran).toEqual(["1 at attempt 0"]);
    expect(engine.wire.some(({ channel, runId }) => channel === "response" && runId !== undefined)).toBe(
      true,
    );
    await engine.advance("2h");
    // What was checkpointed before the answer got lost is there.
    expect(ran).toEqual(checkpointing ? ["1 at attempt 0"] : ["1 at attempt 0", "1 at attempt 1"]);
    expect(engine.runs[0]).toMatchObject({ status: "completed", output: 1, attempts: 2 });
  });

  test("a repeated request is handled twice in the same state, and the run goes on once", async () => {
    const { engine, ran } = await faulty(["repeated"]);
    await trigger(engine, "go", { n: 1 });
    expect(ran).toEqual(["1 at attempt 0", "1 at attempt 0"]);
    await engine.advance("2h");
    expect(engine.runs).toHaveLength(1);
    expect(engine.runs[0]).toMatchObject({ status: "completed", output: 1, attempts: 1 });
  });

  test("a delayed request is overtaken, and uses up no attempt", async () => {
    const { engine, ran } = await faulty([{ delay: "10m" }]);
    await trigger(engine, "go", { n: 1 });
    await trigger(engine, "go", { n: 2 });
    await engine.advance("9m");
    expect(ran).toEqual(["2 at attempt 0"]);
    await engine.advance("1m");
    expect(ran).toEqual(["2 at attempt 0", "1 at attempt 0"]);
    await engine.advance("2h");
    expect(engine.runs.map(({ status, attempts }) => [status, attempts])).toEqual([
      ["completed", 1],
      ["completed", 1],
    ]);
  });

  test("a step that fails in one delivery of two and not in the other is done", async () => {
    let calls = 0;
    const faults: Fault[] = ["repeated"];
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, ({ step }) =>
          step.run("one", () => {
            calls += 1;
            if (calls === 1) throw new Error("not yet");
            return calls;
          }),
        ),
      ],
      { checkpointing, engine: { fault: () => faults.shift() } },
    );
    await trigger(engine, "go");
    expect(engine.runs[0]).toMatchObject({ status: "completed", output: 2, attempts: 1 });
  });
});

test("a fault is asked for with the run, the step and the attempt", async () => {
  const asked: unknown[] = [];
  const { engine } = await app(
    (inngest) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" } }, ({ step }) =>
        Promise.all([step.run("left", () => 1), step.run("right", () => 2)]),
      ),
    ],
    {
      checkpointing: false,
      engine: {
        fault: ({ run, stepId, attempt }) => {
          asked.push([run.event.data.n, stepId === undefined, attempt]);
          return asked.length === 1 ? "lost" : undefined;
        },
      },
    },
  );
  await trigger(engine, "go", { n: 7 });
  await engine.advance("1m");
  expect(engine.runs[0]?.output).toEqual([1, 2]);
  expect(asked.slice(0, 4)).toEqual([
    [7, true, 0],
    [7, true, 1],
    [7, false, 0],
    [7, false, 0],
  ]);
});

import { describe, expect, test } from "vitest";
import { app, MODES, trigger } from "./app.ts";

describe.each(MODES)("steps, checkpointing $checkpointing", (mode) => {
  test("a run completes with the function's result, its steps stored as the platform stores them", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ event, step }) => {
          const a = await step.run("a", () => ({ z: 1, b: { y: 2, a: event.data.x } }));
          const b = await step.run("b", () => null);
          const c = await step.run("c", () => undefined);
          return { a, b, c, keys: Object.keys(a) };
        }),
      ],
      mode,
    );
    await trigger(engine, "go", { x: 3 });
    const [run] = engine.runs;
    expect(run?.status).toBe("completed");
    expect(run?.functionId).toBe("app-fn");
    expect([...(run?.steps.values() ?? [])]).toEqual([
      { data: { z: 1, b: { y: 2, a: 3 } } },
      { data: null },
      { data: null },
    ]);
    expect(run?.output).toMatchObject({ a: { z: 1, b: { y: 2, a: 3 } }, b: null, c: null });
    // Between requests the platform's maps lose the order of keys; inside one request nothing does.
    expect((run!.output as { keys: string[] }).keys).toEqual(mode.checkpointing ? ["z", "b"] : ["b", "z"]);
  });

  test("parallel steps are planned, run one by one, and joined by one discovery", async () => {
    const ran: string[] = [];
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
          const work = (id: string) => () => {
            ran.push(id);
            return id;
          };
          const all = await Promise.all(["a", "b", "c"].map((id) => step.run(id, work(id))));
          return [...all, await step.run("d", () => "d")];
        }),
      ],
      mode,
    );
    await trigger(engine, "go");
    const [run] = engine.runs;
    expect(run?.output).toEqual(["a", "b", "c", "d"]);
    expect(ran).toEqual(["a", "b", "c"]);
    // plan, three steps, and the join: with checkpointing it also ends the run.
    expect(run?.requests).toBe(mode.checkpointing ? 5 : 6);
    const planned = engine.wire.filter(
      (entry) => entry.channel === "response" && !entry.url.includes("stepId=step"),
    );
    expect(planned.filter((entry) => entry.method === "POST")).toHaveLength(3);
  });

  test("chains inside parallel branches all finish", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
          const chain = async (id: string) => {
            const first = await step.run(`${id}1`, () => id);
            await step.sleep(`${id}-nap`, id === "a" ? "1m" : "2m");
            return step.run(`${id}2`, () => `${first}!`);
          };
          return Promise.all([chain("a"), chain("b")]);
        }),
      ],
      mode,
    );
    await trigger(engine, "go");
    await engine.advance("3m");
    expect(engine.runs[0]?.output).toEqual(["a!", "b!"]);
  });

  test("a race goes on with its first branch; the run ends when every branch has, as on the platform", async () => {
    const ran: string[] = [];
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step, group }) => {
          const winner = await group.parallel({ mode: "race" }, () =>
            Promise.race([step.sleep("slow", "1h").then(() => "slow"), step.run("fast", () => "fast")]),
          );
          return step.run("after", () => {
            ran.push(winner);
            return winner;
          });
        }),
      ],
      mode,
    );
    await trigger(engine, "go");
    expect(ran).toEqual(["fast"]);
    expect(engine.runs[0]?.status).toBe("running");
    await engine.advance("1h");
    expect(engine.runs[0]?.output).toBe("fast");
    expect(ran).toEqual(["fast"]);
  });

  test("steps of the same id in a loop are told apart", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
          const seen: number[] = [];
          for (let i = 0; i < 4; i++) seen.push(await step.run("again", () => i));
          return seen;
        }),
      ],
      mode,
    );
    await trigger(engine, "go");
    expect(engine.runs[0]?.output).toEqual([0, 1, 2, 3]);
    expect(engine.runs[0]?.steps.size).toBe(4);
  });

  test("a function without steps takes one request", async () => {
    const { engine } = await app(
      (inngest) => [inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async () => 7)],
      mode,
    );
    await trigger(engine, "go");
    expect(engine.runs[0]).toMatchObject({ status: "completed", output: 7, requests: 1, attempts: 1 });
  });

  test("without optimised parallelism every finished step asks for a discovery of its own", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction(
          { id: "fn", triggers: { event: "go" }, optimizeParallelism: false },
          async ({ step }) => Promise.all([step.run("a", () => 1), step.run("b", () => 2)]),
        ),
      ],
      mode,
    );
    await trigger(engine, "go");
    expect(engine.runs[0]?.output).toEqual([1, 2]);
    // The plan, both steps, and the first of the two discoveries they ask for.
    expect(engine.runs[0]?.requests).toBe(4);
  });

  test("sendEvent inside a step stores the event and starts its function", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "first", triggers: { event: "go" } }, async ({ step }) =>
          step.sendEvent("send", { name: "next", data: { n: 1 } }),
        ),
        inngest.createFunction(
          { id: "second", triggers: { event: "next" } },
          async ({ event }) => event.data.n,
        ),
      ],
      mode,
    );
    await trigger(engine, "go");
    expect(engine.runsOf("second").map((run) => run.output)).toEqual([1]);
    expect((engine.runsOf("app-first")[0]!.output as { ids: string[] }).ids).toEqual([
      engine.runsOf("second")[0]?.event.id,
    ]);
  });
});

/** Requests and checkpoint calls of a function with three steps, a sleep and a parallel pair. */
const COUNTS = [
  { name: "checkpointing on", checkpointing: true, requests: 6, checkpoints: 3 },
  { name: "checkpointing off", checkpointing: false, requests: 9, checkpoints: 0 },
];

test.each(COUNTS)("a known function makes a known number of requests: $name", async (expected) => {
  const { engine } = await app(
    (inngest) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
        await step.run("one", () => 1);
        await step.run("two", () => 2);
        await step.sleep("nap", "1h");
        await Promise.all([step.run("left", () => 3), step.run("right", () => 4)]);
        await step.sleep("again", "1h");
        await step.run("three", () => 5);
        return "done";
      }),
    ],
    expected,
  );
  await trigger(engine, "go");
  await engine.advance("2h");
  expect(engine.runs[0]?.output).toBe("done");
  const checkpoints = engine.wire.filter((entry) => entry.url.includes("/v1/checkpoint/"));
  expect({ requests: engine.runs[0]?.requests, checkpoints: checkpoints.length }).toEqual({
    requests: expected.requests,
    checkpoints: expected.checkpoints,
  });
});

test("an engine that offers no checkpointing gets none", async () => {
  const { engine } = await app(
    (inngest) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) =>
        step.run("a", () => 1),
      ),
    ],
    { engine: { checkpointing: false }, checkpointing: true },
  );
  await trigger(engine, "go");
  expect(engine.runs[0]).toMatchObject({ output: 1, requests: 2 });
  expect(engine.wire.some((entry) => entry.url.includes("/v1/checkpoint/"))).toBe(false);
});

test("executions run side by side when the engine is told so", async () => {
  let together = 0;
  let most = 0;
  const { engine } = await app(
    (inngest) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) =>
        step.run("a", async () => {
          together += 1;
          most = Math.max(most, together);
          await new Promise((resolve) => setTimeout(resolve, 5));
          together -= 1;
        }),
      ),
    ],
    { engine: { concurrency: 4 } },
  );
  await engine.send(Array.from({ length: 8 }, () => ({ name: "go" })));
  await engine.idle();
  expect(engine.runs.map((run) => run.status)).toEqual(Array(8).fill("completed"));
  expect(most).toBeGreaterThan(1);
});

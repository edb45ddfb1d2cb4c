import type { GetStepTools, Inngest } from "inngest";
import { serve } from "inngest/edge";
import { describe, expect, test } from "vitest";
import { createTestEngine } from "../../src/testing/index.ts";
import { app, client, MODES, trigger } from "./app.ts";

// Written out where the SDK's overloads infer nothing.
type Numbered = { data: { n: number } };
type FailureContext = {
  event: { data: { event: { data: unknown }; function_id: string } };
  error: Error;
  step: GetStepTools<Inngest>;
};

describe.each(MODES)("events, checkpointing $checkpointing", (mode) => {
  test("a failed run starts its failure function with the events the platform sends", async () => {
    let failure: unknown;
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction(
          {
            id: "fn",
            triggers: { event: "go" },
            retries: 0,
            onFailure: async ({ event, error, step }: FailureContext) => {
              failure = { error, original: event.data.event.data, functionId: event.data.function_id };
              return step.run("report", () => "reported");
            },
          },
          async ({ step }) =>
            step.run("bad", () => {
              throw new TypeError("broken");
            }),
        ),
      ],
      mode,
    );
    await trigger(engine, "go", { n: 1 });
    const [run, onFailure] = engine.runs;
    expect(run).toMatchObject({ status: "failed", error: { name: "TypeError", message: "broken" } });
    expect(onFailure).toMatchObject({
      functionId: "app-fn-failure",
      status: "completed",
      output: "reported",
    });
    expect(failure).toMatchObject({ original: { n: 1 }, functionId: "app-fn" });
    expect((failure as { error: Error }).error.message).toBe("broken");
    const failed = engine.events.find((event) => event.name === "inngest/function.failed");
    expect(failed?.id).toBe(run?.id);
    expect(Object.keys(failed?.data ?? {}).sort()).toEqual([
      "_inngest",
      "error",
      "event",
      "events",
      "function_id",
      "result",
      "run_id",
    ]);
    expect(failed?.data).toMatchObject({
      _inngest: { status: "Failed" },
      error: { error: "NonRetriableError", name: "TypeError", message: "broken" },
      event: { name: "go", data: { n: 1 }, user: {} },
      events: [{ name: "go", data: { n: 1 } }],
      run_id: run?.id,
    });
    // The failure function's own end is told to no one, so that nothing goes round in circles.
    expect(engine.events.map((event) => event.name)).toEqual([
      "go",
      "inngest/function.finished",
      "inngest/function.failed",
    ]);
  });

  test("a completed run tells whoever listens", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async () => ({ b: 1, a: 2 })),
        inngest.createFunction(
          { id: "told", triggers: { event: "inngest/function.finished" } },
          async ({ event }) => ({
            of: event.data.function_id,
            result: event.data.result,
          }),
        ),
      ],
      mode,
    );
    await trigger(engine, "go");
    expect(engine.runsOf("told").map((run) => run.output)).toEqual([
      { of: "app-fn", result: { b: 1, a: 2 } },
    ]);
    expect(engine.events.at(-1)?.data).toMatchObject({
      _inngest: { status: "Completed" },
      result: { a: 2, b: 1 },
    });
  });

  test("a batch is one run with several events", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction(
          { id: "fn", triggers: { event: "go" }, batchEvents: { maxSize: 3, timeout: "10s" } },
          async ({ events, step }) =>
            step.run("sum", () => events.reduce((sum: number, event: Numbered) => sum + event.data.n, 0)),
        ),
      ],
      mode,
    );
    await engine.send([1, 2, 3, 4, 5].map((n) => ({ name: "go", data: { n } })));
    await engine.idle();
    expect(engine.runs.map((run) => run.output)).toEqual([6]);
    await engine.advance("10s");
    expect(engine.runs.map((run) => [run.events.length, run.output])).toEqual([
      [3, 6],
      [2, 9],
    ]);
  });

  test("a batch with a key collects for each value", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction(
          {
            id: "fn",
            triggers: { event: "go" },
            batchEvents: { maxSize: 2, timeout: "10s", key: "event.data.user" },
          },
          async ({ events }) => events.map((event: { data: { user: string } }) => event.data.user),
        ),
      ],
      mode,
    );
    await engine.send(["a", "b", "a"].map((user) => ({ name: "go", data: { user } })));
    await engine.advance("10s");
    expect(engine.runs.map((run) => run.output)).toEqual([["a", "a"], ["b"]]);
  });

  test("deferred functions run after their parent ends, unless they were withdrawn", async () => {
    const { createDefer } = await import("inngest/experimental");
    const { engine } = await app((inngest) => {
      const later = createDefer(inngest, { id: "later" }, async ({ event, parents }) => ({
        data: event.data,
        parent: parents[0]?.fnSlug,
      }));
      const fn = inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ defer, step }) => {
        defer("keep", { function: later, data: { n: 1 } });
        const other = defer("drop", { function: later, data: { n: 2 } });
        await step.run("a", () => 1);
        other.abort();
        await step.sleep("nap", "1h");
        return "done";
      });
      return [later, fn];
    }, mode);
    await trigger(engine, "go");
    expect(engine.runsOf("later")).toEqual([]);
    await engine.advance("1h");
    expect(engine.runsOf("fn")[0]?.output).toBe("done");
    expect(engine.runsOf("later").map((run) => run.output)).toEqual([{ data: { n: 1 }, parent: "app-fn" }]);
  });
});

test.each([
  { event: "app/user.created", trigger: "app/*", hit: true },
  { event: "app/user.created", trigger: "app/user.*", hit: true },
  { event: "app/user.created", trigger: "app/user.created", hit: true },
  { event: "app/user.created", trigger: "app/us*", hit: false },
  { event: "app/user.created", trigger: "*", hit: false },
  { event: "app/user.created", trigger: "other/*", hit: false },
])("trigger $trigger and event $event: $hit", async ({ event, trigger: pattern, hit }) => {
  const { engine } = await app((inngest) => [
    inngest.createFunction({ id: "fn", triggers: { event: pattern } }, async () => 1),
  ]);
  await trigger(engine, event);
  expect(engine.runs.length).toBe(hit ? 1 : 0);
});

test("a trigger's condition is obeyed", async () => {
  const { engine } = await app((inngest) => [
    inngest.createFunction(
      { id: "fn", triggers: { event: "go", if: "event.data.kind == 'b' && event.data.n != 1" } },
      async ({ event }) => event.data,
    ),
  ]);
  await engine.send([
    { name: "go", data: { kind: "b", n: 1 } },
    { name: "go", data: { kind: "b", n: 2 } },
    { name: "go", data: { kind: "a", n: 2 } },
  ]);
  await engine.idle();
  expect(engine.runs.map((run) => run.output)).toEqual([{ kind: "b", n: 2 }]);
});

test("an event id starts a function once", async () => {
  const { engine, inngest } = await app((client) => [
    client.createFunction({ id: "fn", triggers: { event: "go" } }, async () => 1),
  ]);
  await inngest.send({ name: "go", id: "same", data: {} });
  await inngest.send({ name: "go", id: "same", data: {} });
  await engine.idle();
  expect(engine.runs).toHaveLength(1);
});

test("the event API refuses reserved names and removes reserved data", async () => {
  const { engine, inngest } = await app((client) => [
    client.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ event }) => event.data),
  ]);
  await inngest.send({ name: "go", data: { _inngest: { fn_id: "x" }, n: 1 } });
  await engine.idle();
  expect(engine.runs[0]?.output).toEqual({ n: 1 });
  const response = await engine.fetch("http://inngest.test/e/test-event-key", {
    method: "POST",
    body: JSON.stringify({ name: "inngest/function.failed", data: {} }),
  });
  expect(response.status).toBe(400);
});

test("a second serve replaces the app and keeps its runs", async () => {
  const engine = createTestEngine();
  const inngest = client(engine);
  const version = (text: string) =>
    serve({
      client: inngest,
      functions: [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
          const before = await step.run("before", () => text);
          await step.sleep("nap", "1h");
          return [before, text];
        }),
      ],
    });
  await engine.serve(version("old"));
  await trigger(engine, "go");
  await engine.serve(version("new"));
  await engine.advance("1h");
  expect(engine.runs[0]?.output).toEqual(["old", "new"]);
});

test.each([{}, { name: "" }, { name: 3 }])("an event without a name is refused: %o", async (event) => {
  const { engine } = await app(() => []);
  await expect(engine.send(event as never)).rejects.toMatchObject({ code: "CONFIG" });
});

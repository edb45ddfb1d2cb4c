import { NonRetriableError, referenceFunction } from "inngest";
import { serve } from "inngest/edge";
import { describe, expect, test } from "vitest";
import { createTestEngine } from "../../src/testing/index.ts";
import { app, client, MODES, trigger } from "./app.ts";

describe.each(MODES)("invoke, checkpointing $checkpointing", (mode) => {
  test.each([
    { name: "an object", value: { z: 1, a: [true] }, seen: { z: 1, a: [true] } },
    { name: "null", value: null, seen: null },
    { name: "undefined", value: undefined, seen: null },
    { name: "false", value: false, seen: false },
    { name: "an empty text", value: "", seen: "" },
  ])("the caller gets what the function returned: $name", async ({ value, seen }) => {
    const { engine } = await app((inngest) => {
      const child = inngest.createFunction({ id: "child", triggers: { event: "x" } }, async () => value);
      const parent = inngest.createFunction(
        { id: "parent", triggers: { event: "go" } },
        async ({ step }) => ({
          got: await step.invoke("call", { function: child, data: { n: 1 } }),
        }),
      );
      return [child, parent];
    }, mode);
    await trigger(engine, "go");
    expect(engine.runsOf("parent")[0]?.output).toEqual({ got: seen });
    expect([...(engine.runsOf("parent")[0]?.steps.values() ?? [])]).toEqual([{ data: seen }]);
    const { event } = engine.runsOf("child")[0]!;
    expect(event.name).toBe("inngest/function.invoked");
    expect(event.data).toMatchObject({
      n: 1,
      _inngest: {
        fn_id: "app-child",
        correlation_id: expect.stringContaining(engine.runsOf("parent")[0]!.id),
      },
    });
  });

  test("the caller gets the function's error", async () => {
    const { engine } = await app((inngest) => {
      const child = inngest.createFunction({ id: "child" }, async () => {
        throw new NonRetriableError("it is broken", { cause: new Error("deep") });
      });
      const parent = inngest.createFunction({ id: "parent", triggers: { event: "go" } }, async ({ step }) => {
        try {
          return await step.invoke("call", { function: child });
        } catch (error) {
          return { name: (error as Error).name, message: (error as Error).message };
        }
      });
      return [child, parent];
    }, mode);
    await trigger(engine, "go");
    expect(engine.runsOf("parent")[0]?.output).toEqual({
      name: "NonRetriableError",
      message: "it is broken",
    });
    const [state] = [...(engine.runsOf("parent")[0]?.steps.values() ?? [])];
    expect(state?.error).toMatchObject({ error: "NonRetriableError", message: "it is broken" });
  });

  test("an invocation times out with an error", async () => {
    const { engine } = await app((inngest) => {
      const child = inngest.createFunction({ id: "child" }, async ({ step }) => step.sleep("long", "1d"));
      const parent = inngest.createFunction({ id: "parent", triggers: { event: "go" } }, async ({ step }) =>
        step.invoke("call", { function: child, timeout: "1h" }).catch((error: Error) => error.name),
      );
      return [child, parent];
    }, mode);
    await trigger(engine, "go");
    await engine.advance("1h");
    expect(engine.runsOf("parent")[0]?.output).toBe("InngestInvokeTimeoutError");
  });

  test("a function that does not exist is an error for the caller", async () => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "parent", triggers: { event: "go" } }, async ({ step }) =>
          step
            .invoke("call", { function: referenceFunction({ functionId: "nobody" }) })
            .catch((error: Error) => error.message),
        ),
      ],
      mode,
    );
    await trigger(engine, "go");
    expect(engine.runs[0]?.output).toBe("could not find function with ID: app-nobody");
  });

  test("an invocation crosses from one app to another", async () => {
    const engine = createTestEngine();
    const one = client(engine, { id: "one", ...mode });
    const two = client(engine, { id: "two", ...mode });
    const parent = one.createFunction({ id: "parent", triggers: { event: "go" } }, async ({ step }) =>
      step.invoke("call", {
        function: referenceFunction({ appId: "two", functionId: "child" }),
        data: { n: 4 },
      }),
    );
    const child = two.createFunction(
      { id: "child", triggers: { event: "x" } },
      async ({ event }) => event.data.n * 2,
    );
    expect(await engine.serve(serve({ client: one, functions: [parent] }))).toEqual({
      id: "one",
      functionIds: ["one-parent"],
    });
    await engine.serve(serve({ client: two, functions: [child] }));
    await trigger(engine, "go");
    expect(engine.runs.map((run) => [run.appId, run.output])).toEqual([
      ["one", 8],
      ["two", 8],
    ]);
  });

  test("an invocation and waits that are reported again are not made again", async () => {
    const { engine } = await app((inngest) => {
      const child = inngest.createFunction({ id: "child" }, async ({ step }) => step.sleep("nap", "1h"));
      const parent = inngest.createFunction(
        { id: "parent", triggers: { event: "go" }, optimizeParallelism: false },
        async ({ step }) =>
          Promise.all([
            step.invoke("call", { function: child }),
            step.waitForSignal("signal", { signal: "s", timeout: "2h", onConflict: "fail" }),
            step.waitForEvent("event", { event: "x", timeout: "2h" }),
            step.run("a", () => 1).then(() => step.run("b", () => 2)),
          ]),
      );
      return [child, parent];
    }, mode);
    await trigger(engine, "go");
    await trigger(engine, "x", { n: 1 });
    await engine.advance("2h");
    expect(engine.runsOf("child")).toHaveLength(1);
    expect(engine.runsOf("parent")[0]?.output).toMatchObject([null, null, { data: { n: 1 } }, 2]);
  });

  test("parallel invocations are joined", async () => {
    const { engine } = await app((inngest) => {
      const child = inngest.createFunction(
        { id: "child", triggers: { event: "x" } },
        async ({ event }) => event.data.n,
      );
      const parent = inngest.createFunction({ id: "parent", triggers: { event: "go" } }, async ({ step }) =>
        Promise.all([1, 2, 3].map((n) => step.invoke(`call ${n}`, { function: child, data: { n } }))),
      );
      return [child, parent];
    }, mode);
    await trigger(engine, "go");
    expect(engine.runsOf("parent")[0]?.output).toEqual([1, 2, 3]);
    expect(engine.runsOf("parent")[0]?.requests).toBe(2);
  });
});

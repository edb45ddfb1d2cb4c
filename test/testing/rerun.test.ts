import { expect, test } from "vitest";
import { hashStepId } from "../../src/testing/ids.ts";
import { app, MODES, trigger } from "./app.ts";

test.each(MODES)("a rerun from a step keeps what came before, $checkpointing", async (mode) => {
  const ran: string[] = [];
  const note = <T>(name: string, value: T): T => {
    ran.push(name);
    return value;
  };
  const { engine } = await app(
    (inngest) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ event, step }) => {
        const a = await step.run("a", () => note("a", { z: 1, a: 2 }));
        await step.sleep("nap", "1h");
        const caught = await step
          .run("bad", () => {
            ran.push("bad");
            throw new TypeError("broken");
          })
          .catch((error: Error) => error.message);
        const got = await step.waitForEvent("wait", { event: "x", timeout: "1d" });
        const b = await step.run("b", () => note("b", event.data.n));
        const c = await step.run("c", () => note("c", b + 1));
        return { a, caught, got: got?.data, b, c };
      }),
    ],
    mode,
  );
  await trigger(engine, "go", { n: 5 });
  await engine.advance("2h");
  await trigger(engine, "x", { seen: true });
  const original = engine.runs[0]!;
  const expected = { a: { z: 1, a: 2 }, caught: "broken", got: { seen: true }, b: 5, c: 6 };
  expect(original.output).toEqual(expected);
  expect(ran).toEqual(["a", "bad", "b", "c"]);

  const run = engine.rerun(original.id, { fromStep: "b" });
  expect(run.id).not.toBe(original.id);
  expect(run).toMatchObject({ rerunOf: original.id, event: original.event, status: "running" });
  expect([...run.steps.keys()]).toEqual(["a", "nap", "bad", "wait"].map(hashStepId));
  expect([...run.steps.values()]).toMatchObject([
    { data: { z: 1, a: 2 } },
    null,
    { error: { name: "TypeError", message: "broken" } },
    { data: { name: "x", data: { seen: true } } },
  ]);
  await engine.idle();
  expect(run.output).toEqual(expected);
  expect(ran).toEqual(["a", "bad", "b", "c", "b", "c"]);

  const byHash = engine.rerun(original.id, { fromStep: hashStepId("c") });
  await engine.idle();
  expect(byHash.output).toEqual(expected);
  expect(ran.slice(6)).toEqual(["c"]);
});

test("a rerun may change the input of the step it starts from", async () => {
  const { engine } = await app((inngest) => [
    inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
      const a = await step.run("a", () => 1);
      return step.run("b", (x: number, y: string) => [a, x, y], 2, "old");
    }),
  ]);
  await trigger(engine, "go");
  expect(engine.runs[0]?.output).toEqual([1, 2, "old"]);
  const run = engine.rerun(engine.runs[0]!.id, { fromStep: "b", input: [3, "new"] });
  expect(run.steps.get(hashStepId("b"))).toEqual({ input: [3, "new"] });
  await engine.idle();
  expect(run.output).toEqual([1, 3, "new"]);
  expect(run.steps.get(hashStepId("b"))).toEqual({ data: [1, 3, "new"] });
});

test("a rerun without a step runs everything, with the first event of a batch", async () => {
  const { engine } = await app((inngest) => [
    inngest.createFunction(
      { id: "fn", triggers: { event: "go" }, batchEvents: { maxSize: 2, timeout: "1s" } },
      async ({ events }) => events.map((event: { data: { n: number } }) => event.data.n),
    ),
  ]);
  await engine.send([1, 2].map((n) => ({ name: "go", data: { n } })));
  await engine.idle();
  const run = engine.rerun(engine.runs[0]!.id);
  await engine.idle();
  expect(engine.runs[0]?.output).toEqual([1, 2]);
  expect(run.output).toEqual([1]);
});

test("a rerun names what is wrong with its step", async () => {
  const { engine } = await app((inngest) => [
    inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
      await step.run({ id: "one", name: "twin" }, () => 1);
      await step.run({ id: "two", name: "twin" }, () => 1);
    }),
  ]);
  await trigger(engine, "go");
  const { id } = engine.runs[0]!;
  expect(() => engine.rerun(id, { fromStep: "nowhere" })).toThrowError(/has no step "nowhere"/);
  expect(() => engine.rerun(id, { input: [1] })).toThrowError(/input needs fromStep/);
  expect(() => engine.rerun("no run")).toThrowError(/there is no run "no run"/);
});

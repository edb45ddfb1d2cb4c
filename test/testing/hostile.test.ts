import { expect, test } from "vitest";
import { hashStepId } from "../../src/testing/ids.ts";
import { createTestEngine } from "../../src/testing/index.ts";
import { app, MODES, trigger } from "./app.ts";

test.each(MODES)(
  "stored steps and events can be changed under a run, checkpointing $checkpointing",
  async (mode) => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ event, step }) => {
          const a = await step.run("a", () => "honest");
          const b = await step.run("b", () => "honest").catch((error: Error) => error.message);
          await step.sleep("nap", "1h");
          const c = await step.run("c", () => "new");
          return { a, b, c, event: event.data };
        }),
      ],
      mode,
    );
    await trigger(engine, "go", { x: 1 });
    const run = engine.runs[0]!;
    run.steps.get(hashStepId("a"))!.data = "forged";
    run.steps.set(hashStepId("b"), { error: { name: "Error", message: "made up" } });
    run.events[0]!.data = { x: "changed" };
    await engine.advance("1h");
    expect(run.output).toEqual({ a: "forged", b: "made up", c: "new", event: { x: "changed" } });
  },
);

test.each(MODES)(
  "a step whose state is taken away runs again, checkpointing $checkpointing",
  async (mode) => {
    let ran = 0;
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
          const a = await step.run("a", () => ++ran);
          const got = await step.waitForEvent("wait", { event: "x", timeout: "1h" });
          await step.sleep("nap", "1h");
          return [a, got?.data ?? null];
        }),
      ],
      mode,
    );
    await trigger(engine, "go");
    await trigger(engine, "x", { n: 1 });
    for (const id of ["a", "wait"]) engine.runs[0]?.steps.delete(hashStepId(id));
    await engine.advance("3h");
    expect(engine.runs[0]?.output).toEqual([2, null]);
  },
);

test("onExecute changes a request before it is signed", async () => {
  const { engine } = await app(
    (inngest) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ event, attempt }) => [
        event.data.x,
        attempt,
      ]),
    ],
    {
      engine: {
        onExecute: (body, { run, url }) => {
          expect(url).toContain("fnId=app-fn");
          expect(body.ctx.run_id).toBe(run.id);
          body.ctx.attempt = 2;
          const event = { ...body.event, data: { x: "replaced" } };
          return { ...body, event, events: [event] };
        },
      },
    },
  );
  await trigger(engine, "go", { x: 1 });
  expect(engine.runs[0]?.output).toEqual(["replaced", 2]);
});

/** An app made by hand: it registers one function and answers every execution in the same way. */
function handMade(engine: ReturnType<typeof createTestEngine>, answer: () => unknown, status = 206) {
  return async (request: Request): Promise<Response> => {
    const headers = { "x-inngest-sdk": "js:v4.0.0", "x-inngest-req-version": "2" };
    if (request.method === "POST") return new Response(JSON.stringify(answer()), { status, headers });
    const url = `${new URL(request.url).origin}/api?fnId=app-fn&stepId=step`;
    const step = { id: "step", name: "step", runtime: { type: "http", url } };
    await engine.fetch(`http://inngest.test/fn/register${new URL(request.url).search}`, {
      method: "POST",
      body: JSON.stringify({
        appName: "app",
        functions: [{ id: "app-fn", triggers: [{ event: "go" }], steps: { step } }],
      }),
    });
    return new Response("{}");
  };
}

test("an op the engine does not know is an error that names run, step and op", async () => {
  const engine = createTestEngine({ signingKey: null });
  const op = { op: "TimeTravel", id: hashStepId("x"), displayName: "x" };
  await engine.serve(handMade(engine, () => [op]));
  await engine.send({ name: "go" });
  const failure = await engine.idle().catch((error: unknown) => error);
  const [run] = engine.runs;
  expect(failure).toMatchObject({ code: "UNSUPPORTED" });
  expect((failure as Error).message).toContain(`run ${run?.id} of app-fn, step ${hashStepId("x")}`);
  expect((failure as Error).message).toContain('"TimeTravel"');
  expect(run).toMatchObject({ status: "failed", error: { name: "StepsealError" } });
  await expect(engine.idle()).resolves.toBeUndefined();
});

test("an app that never ends is an error, not a hang", async () => {
  const engine = createTestEngine({ signingKey: null });
  let n = 0;
  await engine.serve(handMade(engine, () => [{ op: "DiscoveryRequest", id: String(n++) }]));
  await engine.send({ name: "go" });
  await expect(engine.idle()).rejects.toThrowError(/3000 requests without ending/);
}, 60_000);

test("an app that never answers is an error, not a hang", async () => {
  const { engine } = await app(
    (inngest) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) =>
        step.run("stuck", () => new Promise(() => {})),
      ),
    ],
    { engine: { requestTimeout: 20 } },
  );
  await engine.send({ name: "go" });
  await expect(engine.idle()).rejects.toThrowError(/of app-fn: the app did not answer within 20 ms/);
});

test("an answer of nothing is asked again", async () => {
  const engine = createTestEngine({ signingKey: null });
  let n = 0;
  await engine.serve(handMade(engine, () => (n++ < 2 ? [] : [{ op: "RunComplete", id: "c", data: 1 }])));
  await engine.send({ name: "go" });
  await engine.idle();
  expect(engine.runs[0]).toMatchObject({ status: "completed", output: 1, requests: 3 });
});

test.each([
  { name: "no JSON of ops", answer: "text", says: "expected JSON object or array" },
  {
    name: "a StepError without an error",
    answer: [{ op: "StepError", id: "a" }],
    says: "without Error field",
  },
])("an answer with $name fails the run after its retries", async ({ answer, says }) => {
  const engine = createTestEngine({ signingKey: null });
  await engine.serve(handMade(engine, () => answer));
  await engine.send({ name: "go" });
  await engine.advance("1h");
  expect(engine.runs[0]).toMatchObject({ status: "failed", requests: 4 });
  expect(JSON.stringify(engine.runs[0]?.error)).toContain(says);
});

test("more than a thousand steps at once fail the run", async () => {
  const engine = createTestEngine({ signingKey: null });
  const ops = Array.from({ length: 1001 }, (_, n) => ({ op: "StepPlanned", id: String(n), name: "s" }));
  await engine.serve(handMade(engine, () => ops));
  await engine.send({ name: "go" });
  await engine.idle();
  expect(JSON.stringify(engine.runs[0]?.error)).toContain("step limit");
});

test("a time the engine cannot read is an error that names it", async () => {
  const engine = createTestEngine({ signingKey: null });
  await engine.serve(handMade(engine, () => [{ op: "Sleep", id: "s", name: "a while" }]));
  await engine.send({ name: "go" });
  await expect(engine.idle()).rejects.toThrowError(/"a while" is neither a duration nor a time/);
});

test("a sleep of over a year fails the run, as on the platform", async () => {
  const engine = createTestEngine({ signingKey: null });
  await engine.serve(handMade(engine, () => [{ op: "Sleep", id: "s", name: "53w" }]));
  await engine.send({ name: "go" });
  await engine.idle();
  expect(JSON.stringify(engine.runs[0]?.error)).toContain("over a year");
});

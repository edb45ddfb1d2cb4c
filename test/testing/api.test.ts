import { expect, test } from "vitest";
import { createTestEngine } from "../../src/testing/index.ts";
import { app, client, MODES, trigger } from "./app.ts";

test.each(MODES)(
  "state above the limit is fetched from the API, checkpointing $checkpointing",
  async (mode) => {
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ event, step }) => {
          const a = await step.run("a", () => "x".repeat(3000));
          await step.sleep("nap", "1s");
          return [event.data.text.length, a.length];
        }),
      ],
      { ...mode, engine: { stateLimitBytes: 2000 } },
    );
    await trigger(engine, "go", { text: "y".repeat(1500) });
    await engine.advance("1s");
    expect(engine.runs[0]?.output).toEqual([1500, 3000]);
    const fetched = engine.wire.filter((entry) => entry.url.includes("/v0/runs/")).map((entry) => entry.url);
    expect(fetched.some((url) => url.endsWith("/actions"))).toBe(true);
    expect(fetched.some((url) => url.endsWith("/batch"))).toBe(true);
  },
);

test("a checkpoint that fails makes the app report its steps in the answer", async () => {
  let calls = 0;
  const { engine } = await app(
    (inngest) => [
      inngest.createFunction(
        { id: "fn", triggers: { event: "go" }, checkpointing: { bufferedSteps: 2 } },
        async ({ step }) => {
          const a = await step.run("a", () => 1);
          const b = await step.run("b", () => 2);
          return [a, b];
        },
      ),
    ],
    {
      engine: {
        intercept: ({ url }) => {
          if (!url.includes("/v1/checkpoint/")) return undefined;
          calls += 1;
          return new Response("{}", { status: calls > 5 ? 200 : 503 });
        },
      },
    },
  );
  await trigger(engine, "go");
  expect(calls).toBe(5);
  expect(engine.wire.filter((entry) => entry.status === 503)).toHaveLength(5);
  expect(engine.runs[0]).toMatchObject({ status: "completed", output: [1, 2] });
});

test("realtime, metadata and what the platform does not have are recorded", async () => {
  const { realtime } = await import("inngest");
  const { metadataMiddleware } = await import("inngest/experimental");
  const engine = createTestEngine();
  const inngest = client(engine, { middleware: [metadataMiddleware()] });
  const { serve } = await import("inngest/edge");
  const channel = realtime.channel({ name: "room", topics: { news: { schema: anything() } } });
  const fn = inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step, runId }) => {
    await step.realtime.publish("tell", channel.news, { text: "hello there" });
    await inngest.metadata.run(runId).set({ mood: "cheerful" });
    return "ok";
  });
  await engine.serve(serve({ client: inngest, functions: [fn] }));
  await trigger(engine, "go");
  expect(engine.runs[0]?.output).toBe("ok");
  const published = engine.wire.find((entry) => entry.url.includes("/v1/realtime/publish"));
  expect(published).toMatchObject({
    channel: "api",
    status: 200,
    runId: engine.runs[0]?.id,
    functionId: "app-fn",
  });
  expect(published?.body).toContain("hello there");
  expect(engine.wire.find((entry) => entry.url.includes("/metadata"))?.body).toContain("cheerful");
  const unknown = await engine.fetch("http://inngest.test/v9/secret", { method: "DELETE" });
  expect(unknown.status).toBe(401);
  expect(engine.wire.at(-1)).toMatchObject({
    method: "DELETE",
    url: "http://inngest.test/v9/secret",
    status: 401,
  });
});

function anything() {
  return { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } } as never;
}

test("a Request object and a stream are recorded whole", async () => {
  const engine = createTestEngine({ signingKey: null });
  await engine.fetch(
    new Request("http://inngest.test/v1/realtime/publish?channel=a%20b", {
      method: "POST",
      headers: { "X-Name": "value" },
      body: "from a request",
    }),
  );
  const stream = new ReadableStream({
    start(controller) {
      for (const part of ["one ", "two"]) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });
  await engine.fetch("http://inngest.test/v1/realtime/publish/tee", {
    method: "POST",
    body: stream,
    duplex: "half",
  } as RequestInit);
  await engine.fetch("http://inngest.test/v9/unknown");
  expect(engine.wire).toMatchObject([
    { method: "POST", body: "from a request", headers: { "x-name": "value" }, status: 200 },
    { body: "one two", status: 200 },
    { method: "GET", status: 404 },
  ]);
});

test("calls without the right key are refused", async () => {
  const engine = createTestEngine();
  const post = (path: string) => engine.fetch(`http://inngest.test${path}`, { method: "POST", body: "{}" });
  expect((await post("/v1/signals")).status).toBe(401);
  expect((await post("/e/another-key")).status).toBe(401);
});

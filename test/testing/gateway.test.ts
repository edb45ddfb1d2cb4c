import { expect, test } from "vitest";
import { createTestEngine, type GatewayRequest } from "../../src/testing/index.ts";
import { app, client, MODES, trigger } from "./app.ts";

test.each(MODES)(
  "step.fetch and step.ai.infer are answered by the gateway option, $checkpointing",
  async (mode) => {
    const asked: GatewayRequest[] = [];
    const { engine } = await app(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
          const page = await step.fetch("https://shop.test/items", { method: "POST", body: "two apples" });
          const answer = await step.ai.infer("ask", {
            model: step.ai.models.openai({ model: "gpt-4o", apiKey: "key" }),
            body: { messages: [{ role: "user", content: "hello" }] },
          });
          return { status: page.status, text: await page.text(), answer };
        }),
      ],
      {
        ...mode,
        engine: {
          gateway: (request) => {
            asked.push(request);
            return request.kind === "ai"
              ? { body: { choices: ["hi"] } }
              : { status: 201, headers: { "x-shop": "1" }, body: "done" };
          },
        },
      },
    );
    await trigger(engine, "go");
    expect(engine.runs[0]?.output).toEqual({ status: 201, text: "done", answer: { choices: ["hi"] } });
    expect(asked.map((request) => [request.kind, request.method, request.body])).toEqual([
      ["fetch", "POST", "two apples"],
      ["ai", "POST", expect.objectContaining({ messages: [{ role: "user", content: "hello" }] })],
    ]);
    expect(asked[1]?.opts.auth_key).toBe("key");
  },
);

test("a gateway request that fails is retried, and then the step's error", async () => {
  let calls = 0;
  const { engine } = await app(
    (inngest) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 1 }, async ({ step }) =>
        step.ai
          .infer("ask", {
            model: step.ai.models.openai({ model: "gpt-4o", apiKey: "key" }),
            body: { messages: [] },
          })
          .catch((error: Error) => [error.name, error.message]),
      ),
    ],
    {
      engine: {
        gateway: () => {
          calls += 1;
          return { status: 429, body: { error: "slow down" } };
        },
      },
    },
  );
  await trigger(engine, "go");
  await engine.advance("1h");
  expect(calls).toBe(2);
  expect(engine.runs[0]?.output).toEqual([
    "AIGatewayError",
    "Error making AI request: unsuccessful status code: 429",
  ]);
});

test("without the option a gateway request is an error that says what to give", async () => {
  const { engine } = await app((inngest) => [
    inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) =>
      step.fetch("https://shop.test/items"),
    ),
  ]);
  await engine.send({ name: "go" });
  await expect(engine.idle()).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("gateway option"),
  });
});

test("a durable endpoint is a run, which goes on after its first request", async () => {
  const { endpointAdapter } = await import("inngest/edge");
  const { step } = await import("inngest");
  const engine = createTestEngine();
  const inngest = client(engine, { endpointAdapter });
  const endpoint = inngest.endpoint(async (request: Request) => {
    const name = new URL(request.url).searchParams.get("name");
    const a = await step.run("a", () => `hello ${name}`);
    if (name !== "quick") await step.sleep("nap", "1h");
    const b = await step.run("b", () => `${a}!`);
    return new Response(b, { status: 200 });
  }) as (request: Request) => Promise<Response>;
  engine.endpoint(endpoint);

  const ask = (name: string) =>
    endpoint(new Request(`http://shop.test/greet?name=${name}`, { headers: { host: "shop.test" } }));
  expect(await (await ask("quick")).text()).toBe("hello quick!");
  const redirect = await ask("slow");
  expect(redirect.status).toBe(302);
  expect(engine.runs.map((run) => run.status)).toEqual(["completed", "running"]);
  await engine.advance("1h");
  expect(engine.runs[1]).toMatchObject({
    status: "completed",
    output: { status: 200, body: '"hello slow!"' },
  });
  expect(engine.runs[1]?.event).toMatchObject({ name: "inngest/http.request", data: { path: "/greet" } });
  const output = await engine.fetch(redirect.headers.get("location") ?? "");
  expect(await output.json()).toMatchObject({ data: { status: 200, body: '"hello slow!"' } });
});

test("a durable endpoint that must be called again needs its handler", async () => {
  const { endpointAdapter } = await import("inngest/edge");
  const { step } = await import("inngest");
  const engine = createTestEngine();
  const inngest = client(engine, { endpointAdapter });
  const endpoint = inngest.endpoint(async () => {
    await step.sleep("nap", "1h");
    return new Response("late");
  }) as (request: Request) => Promise<Response>;
  await endpoint(new Request("http://shop.test/late", { headers: { host: "shop.test" } }));
  await expect(engine.advance("1h")).rejects.toThrowError(/engine\.endpoint\(\)/);
});

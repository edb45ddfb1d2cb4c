import { type Inngest, fetch as sdkFetch, step } from "inngest";
import { endpointAdapter } from "inngest/edge";
import type { PlaintextPath } from "stepseal/inngest";
import { findPlaintext } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { type Build, createApp, MODES } from "../adapters/inngest/harness.ts";
import { A, expectRefused, stored } from "./victim.ts";

const SECRET = "mk90-must-not-leave";
const ANSWER = "mk91-what-a-model-answered";

/** A function that does one thing, and keeps what came of it. */
const doing =
  (act: (step: never, inngest: Inngest) => Promise<unknown>, got: unknown[] = []): Build =>
  (inngest) => [
    inngest.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, async ({ step }) => {
      try {
        got.push(await act(step as never, inngest));
      } catch (error) {
        got.push((error as Error).message);
        throw error;
      }
    }),
  ];

type Tools = {
  sendEvent(id: string, event: object): Promise<unknown>;
  fetch(url: string, init: object): Promise<Response>;
  ai: { infer(id: string, options: object): Promise<unknown> };
};

const model = {
  url: "https://model.test/v1",
  authKey: SECRET,
  format: "openai-chat",
  headers: {},
  options: { model: "m" },
};
const withUser = { name: "x/y", data: {}, user: { email: SECRET } };

const paths: [what: string, path: PlaintextPath, act: (step: Tools, inngest: Inngest) => Promise<unknown>][] =
  [
    ["an event's user, sent by step.sendEvent", "event-user", (step) => step.sendEvent("s", withUser)],
    [
      "an event's user, sent by the client",
      "event-user",
      (_step, inngest) => inngest.send(withUser as never),
    ],
    ["step.ai.infer", "ai-infer", (step) => step.ai.infer("i", { model, body: { prompt: SECRET } })],
    [
      "step.fetch",
      "fetch",
      async (step) => (await step.fetch("https://x.test/", { method: "POST", body: SECRET })).text(),
    ],
    [
      "the SDK's fetch",
      "fetch",
      async () => (await sdkFetch("https://x.test/", { method: "POST", body: SECRET })).text(),
    ],
  ];

describe.each(MODES)("$name", ({ checkpointing }) => {
  const gateway = () => ({ body: ANSWER });

  test.each(paths)("%s is refused, naming the option, and nothing of it leaves", async (_what, path, act) => {
    const got: unknown[] = [];
    const { engine, inngest } = await createApp(doing(act as never, got), {
      checkpointing,
      engineOptions: { gateway },
    });
    await inngest.send({ name: "go" });
    await engine.advance("1h");
    expect(engine.runs[0]!.status).toBe("failed");
    // Where user code can catch the refusal it is sealed on the wire, as any error of the user's.
    const refusal = got.length > 0 ? String(got.at(-1)) : (engine.runs[0]!.error as Error).message;
    expect(refusal).toContain(`allowPlaintext: ["${path}"]`);
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  });

  test.each(paths.filter(([what]) => !what.includes("client")))(
    "%s is refused in the tool: it can be caught, plans no step, and is not tried again",
    async (_what, _path, act) => {
      const got: unknown[] = [];
      const { engine, inngest } = await createApp(
        (client) => [
          client.createFunction({ id: "fn", retries: 4, triggers: { event: "go" } }, async ({ step }) => {
            const error = await act(step as never, client).catch((thrown: unknown) => thrown);
            const { name, cause } = error as Error;
            got.push([name, (cause as { code?: unknown }).code]);
            return "went on";
          }),
        ],
        { checkpointing, engineOptions: { gateway } },
      );
      await inngest.send({ name: "go" });
      await engine.advance("1d");
      expect(got).toEqual([["NonRetriableError", "REFUSED"]]);
      expect(engine.runs[0]).toMatchObject({ status: "completed", requests: 1, attempts: 1 });
      expect(engine.runs[0]!.steps.size).toBe(0);
    },
  );

  test.each(paths)("%s leaves when it is allowed", async (_what, path, act) => {
    const got: unknown[] = [];
    const { engine, inngest } = await createApp(doing(act as never, got), {
      checkpointing,
      seal: { allowPlaintext: [path] },
      engineOptions: { gateway },
    });
    await inngest.send({ name: "go" });
    await engine.advance("1h");
    expect(stored(engine.runs[0])).toBeUndefined();
    expect(engine.runs[0]!.status).toBe("completed");
    expect(findPlaintext(engine.wire, [SECRET]).length).toBeGreaterThan(0);
    if (path !== "event-user") expect(got).toEqual([ANSWER]);
  });

  test("where a gateway step is allowed, plaintext in place of another step's result is still refused", async () => {
    for (const data of ["forged", null, { secret: "forged" }]) {
      const seen: unknown[] = [];
      const { engine, inngest } = await createApp(
        (inngest) => [
          inngest.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, async ({ step }) => {
            seen.push(await step.run("a", () => "honest"));
            await step.sleep("nap", "1h");
          }),
        ],
        { checkpointing, seal: { allowPlaintext: ["fetch", "ai-infer"] } },
      );
      await inngest.send({ name: "go" });
      await engine.idle();
      seen.length = 0;
      engine.runs[0]!.steps.set(A, { data });
      await engine.advance("1h");
      expectRefused(engine.runs[0], seen, "PLAINTEXT_REJECTED", A);
    }
  });
});

test("an event's user is refused before anything is sent, with the option's name", async () => {
  const { engine, inngest } = await createApp(() => []);
  const before = engine.wire.length;
  await expect(inngest.send(withUser as never)).rejects.toThrow(
    /event "x\/y".*allowPlaintext: \["event-user"\]/,
  );
  expect(engine.wire.length).toBe(before);
});

test("a durable endpoint is refused before any of its code runs, and nothing of it leaves", async () => {
  let ran = 0;
  const { engine, inngest } = await createApp(() => [], { client: { endpointAdapter } });
  const endpoint = inngest.endpoint(async () => {
    ran += 1;
    return new Response(await step.run("a", () => `hello ${SECRET}`));
  }) as (request: Request) => Promise<Response>;
  engine.endpoint(endpoint);
  const request = new Request(`http://shop.test/?q=${SECRET}`, { headers: { host: "shop.test" } });
  const answer = await endpoint(request);
  expect(ran).toBe(0);
  expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  expect(answer.status).toBe(400);
  expect(await answer.text()).toMatch(/the path \\?"durable-endpoint\\?" cannot be sealed/);
  expect(engine.runs).toHaveLength(0);
});

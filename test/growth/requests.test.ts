import "./counting.ts";

import { createWorkflow } from "@upstash/workflow/nextjs";
import { findPlaintext } from "stepseal/testing";
import { describe, expect, it } from "vitest";
import { createApp as createInngest } from "../adapters/inngest/harness.ts";
import { createApp as createUpstash, ORIGIN, secure_, type Workflows } from "../adapters/upstash/harness.ts";
import { growthOf, operationsOf } from "./operations.ts";

const LINEAR = 2.5;

/** A request, which can be answered again and again. */
type Answer = () => Promise<Response>;

/** The last request of a run on Inngest that has so many steps, all of them done. */
async function inngestRequest(steps: number): Promise<Answer> {
  const requests: Answer[] = [];
  const { engine, inngest } = await createInngest(
    (client) => [
      client.createFunction({ id: "long", triggers: [{ event: "go" }] }, async ({ step }) => {
        for (let i = 0; i < steps; i++) await step.run(`step ${i}`, () => ({ i }));
        await step.sleep("nap", "1h");
      }),
    ],
    {
      checkpointing: true,
      around: (handler) => async (request) => {
        const body = await request.clone().text();
        const { url, method, headers } = request;
        requests.push(async () => handler(new Request(url, { method, headers, body })));
        return handler(request);
      },
    },
  );
  await inngest.send({ name: "go", data: { encrypted: { secret: "of the event" } } });
  await engine.idle();
  await engine.advance("2h");
  expect(engine.runs[0]?.status).toBe("completed");
  expect(findPlaintext(engine.wire, ["of the event"])).toEqual([]);
  return requests.at(-1) as Answer;
}

/** The same on Upstash. */
async function upstashRequest(steps: number): Promise<Answer> {
  const workflows = (): Workflows => ({
    long: createWorkflow(async (context) => {
      for (let i = 0; i < steps; i++) await context.run(`step ${i}`, () => ({ i }));
    }),
  });
  let isOver = false;
  const app = await createUpstash(workflows(), {
    lazyFetchAboveBytes: 2 ** 24,
    // A run ends once; the request that ended it is sent again.
    intercept: () => (isOver ? new Response("{}") : undefined),
  });
  let last: Request | undefined;
  const { POST } = secure_(app.qstash).serveMany(workflows());
  app.qstash.serve(ORIGIN, (request) => {
    last = request.clone();
    return POST(request);
  });
  const run = await app.trigger("long", { secret: 1 });
  await app.qstash.idle();
  expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
  isOver = true;
  // A signature is good once, so each time for an endpoint that has seen none.
  return () =>
    secure_(app.qstash)
      .serveMany(workflows())
      .POST((last as Request).clone());
}

describe("a request that resumes a run does not grow faster than the steps that it carries", () => {
  it.each([
    ["Inngest", inngestRequest],
    ["Upstash Workflow", upstashRequest],
  ])("on %s", async (_, requestOf) => {
    const answers = new Map<number, Answer>();
    for (const steps of [16, 32, 64]) answers.set(steps, await requestOf(steps));
    const answer = (steps: number): Promise<Response> => (answers.get(steps) as Answer)();
    expect((await answer(16)).ok).toBe(true);
    expect(await growthOf(answer, 16)).toBeLessThan(LINEAR);
    expect(await operationsOf(() => answer(64))).toBeGreaterThan(64);
  });
});

import type { RouteFunction } from "@upstash/workflow";
import { serve as serveWorker } from "@upstash/workflow/cloudflare";
import { serve as serveHono } from "@upstash/workflow/hono";
import { createTestQstash } from "stepseal/testing";
import { secureWorkflow as secureWorker } from "stepseal/upstash/cloudflare";
import { secureWorkflow as secureHono } from "stepseal/upstash/hono";
import { describe, expect, it } from "vitest";
import { KEY, ORIGIN } from "./harness.ts";

// Where variables come with each request, not with the process.

type Route = RouteFunction<unknown, unknown>;
type Answer = (route: Route) => (request: Request, env: object) => Promise<Response>;

/** The frameworks that have bindings, without stepseal and with it. */
const FRAMEWORKS: [name: string, alone: Answer, sealed: Answer][] = [
  [
    "Hono",
    (route) => (raw, env) => serveHono(route)({ req: { raw }, env } as never),
    (route) => {
      const handler = secureHono().serve(route);
      return (raw, env) => handler({ req: { raw }, env });
    },
  ],
  ["Workers", (route) => serveWorker(route).fetch as never, (route) => secureWorker().serve(route).fetch],
];

describe.each(FRAMEWORKS)("on %s", (_, alone, sealed) => {
  it.each([
    ["without stepseal", alone],
    ["with stepseal", sealed],
  ])("the function sees the bindings, %s", async (_name, answer) => {
    const qstash = await createTestQstash();
    const bindings = { ...qstash.env, STEPSEAL_KEY: KEY, UPSTASH_WORKFLOW_URL: ORIGIN, MINE: "a binding" };
    const saw: unknown[] = [];
    const endpoint = answer(async (context) => {
      saw.push(context.env.MINE);
      await context.run("step", () => 1);
    });
    qstash.serve(ORIGIN, (request) => endpoint(request, bindings));
    if (answer === alone) qstash.publish({ url: `${ORIGIN}/pay`, body: {} });
    else
      await secureWorker()
        .client(bindings)
        .trigger({ url: `${ORIGIN}/pay` });
    await qstash.idle();
    expect(qstash.runs.map(({ state }) => state)).toEqual(["RUN_SUCCESS"]);
    expect(new Set(saw)).toEqual(new Set(["a binding"]));
    await qstash.close();
  });
});

it("a signature is good once where each request has bindings of its own", async () => {
  const qstash = await createTestQstash();
  const bindings = { ...qstash.env, STEPSEAL_KEY: KEY, UPSTASH_WORKFLOW_URL: ORIGIN };
  const worker = secureWorker().serve(async (context) => context.run("step", () => 1));
  const requests: Request[] = [];
  qstash.serve(ORIGIN, (request) => {
    requests.push(request.clone() as Request);
    return worker.fetch(request, { ...bindings });
  });
  await secureWorker()
    .client(bindings)
    .trigger({ url: `${ORIGIN}/pay` });
  await qstash.idle();
  expect(qstash.runs.map(({ state }) => state)).toEqual(["RUN_SUCCESS"]);
  for (const request of requests) expect((await worker.fetch(request, { ...bindings })).status).toBe(401);
  await qstash.close();
});

import type { RouteFunction } from "@upstash/workflow";
import { serve as serveWorker } from "@upstash/workflow/cloudflare";
import { serve as serveHono } from "@upstash/workflow/hono";
import { createKeyring } from "stepseal";
import { createTestQstash } from "stepseal/testing";
import { memoryReplayStore } from "stepseal/transport";
import { secureWorkflow as secureWorker } from "stepseal/upstash/cloudflare";
import { secureWorkflow as secureExpress } from "stepseal/upstash/express";
import { secureWorkflow as secureHono } from "stepseal/upstash/hono";
import { describe, expect, it, vi } from "vitest";
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

it("used signatures are kept where the app says, with bindings and without", async () => {
  const store = memoryReplayStore();
  const claim = vi.fn(store.claim);
  const qstash = await createTestQstash();
  const bindings = { ...qstash.env, STEPSEAL_KEY: KEY, UPSTASH_WORKFLOW_URL: ORIGIN };
  const options = { replay: { claim }, plaintextTrigger: "accept" } as const;
  for (const [times, worker] of [
    [1, secureWorker(options)],
    [2, secureWorker({ ...options, env: bindings })],
  ] as const) {
    const { fetch } = worker.serve(async (context) => context.run("step", () => 1));
    qstash.serve(ORIGIN, (request) =>
      fetch(request, times === 1 ? bindings : { STEPSEAL_KEY: "of the bindings" }),
    );
    qstash.publish({ url: `${ORIGIN}/pay`, headers: { "Upstash-Retries": "0" } });
    const before = claim.mock.calls.length;
    await qstash.idle();
    expect(claim.mock.calls.length).toBeGreaterThan(before);
  }
  expect(qstash.runs.map(({ state }) => state)).toEqual(["RUN_SUCCESS", "RUN_SUCCESS"]);
  await qstash.close();
});

it("keys are loaded once for the same bindings, and once for the process", async () => {
  const qstash = await createTestQstash();
  const bindings = { ...qstash.env, UPSTASH_WORKFLOW_URL: ORIGIN };
  const load = vi.fn(async () => createKeyring({ key: KEY }));
  const options = { keyring: load, plaintextTrigger: "accept" } as const;
  for (const [times, worker, env] of [
    [1, secureWorker(options), bindings],
    [2, secureWorker({ ...options, env: bindings }), undefined],
  ] as const) {
    const { fetch } = worker.serve(async (context) => context.run("step", () => 1));
    qstash.serve(ORIGIN, (request) => fetch(request, env));
    qstash.publish({ url: `${ORIGIN}/pay`, headers: { "Upstash-Retries": "0" } });
    await qstash.idle();
    expect(qstash.runs.map(({ state }) => state)).toEqual(Array(times).fill("RUN_SUCCESS"));
    expect(load).toHaveBeenCalledTimes(times);
  }
  await qstash.close();
});

it("on Express, workflows take options, for one and for all", async () => {
  const { serve, serveMany } = secureExpress({
    key: KEY,
    qstash: { token: "token" },
    signingKeys: { current: "sig_current" },
    publicUrl: ORIGIN,
  });
  const wrong = { receiver: "anything" } as never;
  expect(() => serve(async () => {}, wrong)).toThrow("receiver");
  expect(() => serveMany({}, wrong)).toThrow("receiver");
});

it("Hono's bindings are read where they hold any of the variables, and not where they hold Node's", async () => {
  const regional = {
    ...{ QSTASH_REGION: "us-east-1", US_EAST_1_QSTASH_TOKEN: "token" },
    ...{ STEPSEAL_KEY: KEY, UPSTASH_WORKFLOW_URL: ORIGIN },
  };
  const secure = secureHono();
  expect(secure.client(regional)).toBeDefined();
  const unsigned = () => ({ raw: new Request(`${ORIGIN}/pay`, { method: "POST", body: "{}" }) });
  const answer = await secure.serve(async () => {})({ req: unsigned(), env: regional });
  expect(answer.status).toBe(401);

  for (const [name, value] of Object.entries({ ...regional, QSTASH_REGION: "", QSTASH_TOKEN: "token" }))
    vi.stubEnv(name, value);
  try {
    for (const env of [{ incoming: {}, outgoing: {} }, {}, undefined, null, "none"]) {
      const onNode = await secureHono().serve(async () => {})({ req: unsigned(), env });
      expect(onNode.status).toBe(401);
    }
    expect(secureHono().client()).toBeDefined();
  } finally {
    vi.unstubAllEnvs();
  }
});

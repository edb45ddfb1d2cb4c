import type { RouteFunction } from "@upstash/workflow";
import { serve as serveAstro } from "@upstash/workflow/astro";
import { serve as serveHono } from "@upstash/workflow/hono";
import { serve as serveNext } from "@upstash/workflow/nextjs";
import { serve as serveSvelte } from "@upstash/workflow/svelte";
import { createTestQstash, findPlaintext, type TestQstash } from "stepseal/testing";
import type { SecuredHandler } from "stepseal/upstash";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { inProcess } from "./frameworks.ts";
import { ORIGIN, secure_ } from "./harness.ts";

const MARKER = "planted-in-a-wrapped-serve-0123456789";
const URL_ = `${ORIGIN}/pay`;

beforeEach(() => {
  for (const method of ["error", "warn"] as const) vi.spyOn(console, method).mockImplementation(() => {});
  onTestFinished(() => void vi.restoreAllMocks());
});

type Pay = RouteFunction<{ secret: string }, string>;

/** Carries the marker in payload, steps and result. Says what it saw of it. */
function pay(saw: unknown[]): Pay {
  return async (context) => {
    const receipt = await context.run("charge", () => context.requestPayload.secret);
    await context.sleep("a minute", 60);
    const mailed = await context.run("mail", () => `mailed ${receipt}`);
    saw.push(mailed);
    return mailed;
  };
}

/** Each as its users would write it: `secure.wrap` around a `serve` of the SDK. */
const SERVES: { name: string; wrapped: (route: Pay) => SecuredHandler }[] = [
  {
    name: "svelte",
    wrapped: (route) => (request, secured) =>
      serveSvelte(secured.route(route), { env: process.env, ...secured.options }).POST({ request } as never),
  },
  {
    name: "astro",
    wrapped: (route) => (request, secured) =>
      serveAstro(secured.route(route), secured.options).POST({ request } as never),
  },
  {
    name: "hono",
    wrapped: (route) => (request, secured) =>
      serveHono(secured.route(route), secured.options)({ req: { raw: request }, env: {} } as never),
  },
  {
    name: "nextjs",
    wrapped: (route) => (request, secured) => serveNext(secured.route(route), secured.options).POST(request),
  },
];

async function deploy(handler: SecuredHandler) {
  const qstash = await createTestQstash();
  onTestFinished(() => qstash.close());
  const refused: unknown[] = [];
  const secure = secure_(qstash, { onRefused: (reason) => void refused.push(reason) });
  qstash.serve(ORIGIN, secure.wrap(handler));
  return { qstash, refused, client: secure.client() };
}

describe.each(SERVES)("secure.wrap around serve of @upstash/workflow/$name", ({ wrapped }) => {
  it("runs a workflow to its end, of which the platform can read nothing", async () => {
    const saw: unknown[] = [];
    const { qstash, client } = await deploy(wrapped(pay(saw)));
    const { workflowRunId } = await client.trigger({ url: URL_, body: { secret: MARKER } });
    await qstash.advance("5m");
    expect(qstash.run(workflowRunId).state).toBe("RUN_SUCCESS");
    expect(saw).toEqual([`mailed ${MARKER}`]);
    expect(findPlaintext(qstash.wire, [MARKER])).toEqual([]);
  });
});

it("secured.route hands on what a framework gives beside the context, as Astro's does", async () => {
  const saw: unknown[] = [];
  const { qstash, client } = await deploy((request, secured) =>
    serveAstro(
      secured.route(async (context, api) => {
        saw.push(await context.run("locals", () => api.locals.shop));
      }),
      secured.options,
    ).POST({ request, locals: { shop: "the shop" } } as never),
  );
  await client.trigger({ url: URL_ });
  await qstash.idle();
  expect(saw).toEqual(["the shop"]);
});

/** What a test of a mistake looks at: what was answered, and whether the marker left. */
async function mistaken(handler: (route: Pay) => SecuredHandler, env: (qstash: TestQstash) => object) {
  const saw: unknown[] = [];
  const { qstash, refused, client } = await deploy((request, secured) => handler(pay(saw))(request, secured));
  inProcess({ ...(env(qstash) as Record<string, string>) });
  await client.trigger({ url: URL_, body: { secret: MARKER }, retries: 0 });
  await qstash.advance("5m");
  const { status } = qstash.deliveries[0] ?? {};
  return { status, refused, saw, leaks: findPlaintext(qstash.wire, [MARKER]) };
}

describe("secure.wrap whose handler does not pass on", () => {
  it("secured.route: nothing of the run leaves", async () => {
    const { status, refused, saw, leaks } = await mistaken(
      (route) => (request, secured) => serveNext(route, secured.options).POST(request),
      () => ({}),
    );
    expect([status, saw, leaks]).toEqual([503, [], []]);
    expect(refused[0]).toMatchObject({ code: "CONFIG", message: expect.stringContaining("secured.route") });
  });

  it.each([
    ["and the SDK has signing keys", true],
    ["and the SDK has none", false],
  ])("secured.options, %s: nothing of the run leaves", async (_, keys) => {
    const { status, refused, saw, leaks } = await mistaken(
      (route) => (request, secured) => serveNext(secured.route(route)).POST(request),
      ({ env: { QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY, ...env } }) =>
        keys ? { ...env, QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY } : env,
    );
    expect([status, saw, leaks]).toEqual([503, [], []]);
    expect(refused[0]).toMatchObject({ code: "CONFIG", message: expect.stringContaining("secured.options") });
  });

  it.each([
    ["and the SDK has signing keys", true],
    ["and the SDK has none", false],
  ])("either, %s: nothing of the run leaves", async (_, keys) => {
    const { status, refused, saw, leaks } = await mistaken(
      (route) => (request) => serveNext(route).POST(request),
      ({ env: { QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY, ...env } }) =>
        keys ? { ...env, QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY } : env,
    );
    expect([status, saw, leaks]).toEqual([503, [], []]);
    expect(refused[0]).toMatchObject({ code: "CONFIG", message: expect.stringContaining("secured.options") });
  });
});

import { serve } from "@hono/node-server";
import { Inngest } from "inngest";
import { afterEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import type { Start } from "../examples/check/app.ts";
import { EXAMPLES } from "../examples/check/examples.ts";
import { MARKERS, type Play, RESULT } from "../examples/check/play.ts";
import { problemsOf } from "../examples/check/problems.ts";
import { orderPlaced } from "../examples/zod-events/events.ts";

afterEach(() => {
  vi.doUnmock("stepseal/inngest");
  vi.resetModules();
  vi.unstubAllEnvs();
});

/** The handlers that Next.js would call, behind a plain server. */
const nextHandlers: Start = async (env, sealed) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  vi.resetModules();
  if (!sealed) vi.doMock("stepseal/inngest", () => import("../examples/without-stepseal/inngest.ts"));
  const orders = await import("../examples/nextjs/app/api/orders/route.ts");
  const inngest = await import("../examples/nextjs/app/api/inngest/route.ts");
  return new Promise((resolve) => {
    const server = serve(
      {
        fetch: (request) => {
          if (new URL(request.url).pathname === "/api/orders") return orders.POST(request);
          return inngest[request.method as keyof typeof inngest](request as never, undefined);
        },
        port: 0,
        hostname: "127.0.0.1",
      },
      ({ port }) =>
        resolve({
          url: new URL(`http://127.0.0.1:${port}`),
          stop: () => new Promise((stopped) => server.close(() => stopped())),
        }),
    );
  });
};

/** Those that need nothing installed beside the rest, and Next.js by its handlers. */
const RUNNABLE = Object.entries(EXAMPLES).flatMap(([name, { start, stage, needs }]) => {
  if (needs === "workers") return [];
  return [{ name, start: needs === "next" ? nextHandlers : start, stage }];
});

describe("the example", () => {
  it.each(RUNNABLE)("$name leaks nothing, and all of it without stepseal", async ({ start, stage }) => {
    expect(problemsOf(await stage(start, true), await stage(start, false))).toEqual([]);
  });

  it("zod-events types what is sealed, and takes no event that does not fit", async () => {
    const inngest = new Inngest({ id: "types", isDev: true });
    inngest.createFunction({ id: "typed", triggers: [orderPlaced] }, ({ event }) => {
      expectTypeOf(event.data.encrypted.card).toEqualTypeOf<string>();
    });
    const created = (card: string) => orderPlaced.create({ order: "order-1001", encrypted: { card } });
    await expect(created("4000 0566 5566 5556").validate()).resolves.toBeUndefined();
    await expect(created("no card").validate()).rejects.toThrow();
  });
});

describe("the check of the examples", () => {
  const sealed: Play = { status: "completed", result: RESULT, leaked: [] };
  const plain: Play = { ...sealed, leaked: MARKERS };

  it("passes where nothing leaks with stepseal, and everything without", () => {
    expect(problemsOf(sealed, plain)).toEqual([]);
  });

  it.each<[string, Play, Play, string]>([
    ["a leak", plain, plain, "with stepseal, 2 of 2 markers left, not 0"],
    [
      "a control that leaks less",
      sealed,
      { ...plain, leaked: [] },
      "without stepseal, 0 of 2 markers left, not 2",
    ],
    ["a run that fails", { ...sealed, status: "failed" }, plain, "with stepseal, the run ended as: failed"],
    ["another result", { ...sealed, result: {} }, plain, "with stepseal, the run returned something else"],
  ])("fails for %s", (_, one, other, problem) => {
    expect(problemsOf(one, other)).toEqual([problem]);
  });
});

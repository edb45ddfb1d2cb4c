import { createRequire } from "node:module";
import type * as own from "inngest-v3";
import { encryptionMiddleware } from "stepseal/inngest-v3";
import { createTestEngine, findPlaintext, type TestEngine } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { keyring, quiet } from "../inngest/harness.ts";

const SECRET = "mk95-of-another-copy";

type Sdk = typeof import("inngest-v3");

const require = createRequire(import.meta.url);

/** A copy of the SDK that stepseal has not met, as an app in CommonJS loads one. */
function freshCopy(): Sdk & {
  readonly edge: typeof import("inngest-v3/edge");
  readonly experimental: typeof import("inngest-v3/experimental");
} {
  for (const path of Object.keys(require.cache))
    if (path.includes("/inngest-v3/")) delete require.cache[path];
  return {
    ...(require("inngest-v3") as Sdk),
    edge: require("inngest-v3/edge"),
    experimental: require("inngest-v3/experimental"),
  };
}

function clientOf(
  sdk: Sdk,
  engine: TestEngine,
  before: readonly object[] = [],
  options: object = {},
): own.Inngest {
  const { signingKey: _, signingKeyFallback: __, ...connection } = engine.clientOptions;
  const middleware = [...before, encryptionMiddleware({ keyring: keyring() })] as never;
  return new sdk.Inngest({ id: "app", ...connection, ...options, logger: quiet, middleware });
}

const optionsOf = ({ clientOptions: { fetch, signingKey } }: TestEngine) => ({
  fetch,
  ...(signingKey !== undefined && { signingKey }),
});

describe("a client of a copy of the SDK that stepseal does not import", () => {
  test("answers no request before it is gated, however long other middleware keeps that waiting", async () => {
    const sdk = freshCopy();
    const engine = createTestEngine();
    let isReady = (): void => {};
    const ready = new Promise<void>((resolve) => {
      isReady = resolve;
    });
    const slow = { name: "slow", init: () => ready.then(() => ({})) };
    const client = clientOf(sdk, engine, [slow]);
    const ran: unknown[] = [];
    const fn = client.createFunction({ id: "fn", retries: 1 }, { event: "go" }, async ({ step }) => {
      ran.push(await step.run("a", () => SECRET));
      return SECRET;
    });
    await engine.serve(sdk.edge.serve({ client, functions: [fn], ...optionsOf(engine) }));
    await engine.send({ name: "go", data: {} });
    const first = engine.idle();
    setTimeout(isReady, 100);
    await first;
    await engine.advance("1d");
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
    const answers = engine.wire.filter(({ channel, method }) => channel === "response" && method === "POST");
    expect(answers[0]?.status).toBe(500);
    expect(findPlaintext(answers, ["before encryptionMiddleware was ready"])).toHaveLength(1);
    expect(JSON.parse(answers[0]!.body)).toMatchObject({ code: "CONFIG", stack: "" });
    // What was refused is tried again.
    expect(engine.runs.map((run) => run.status)).toEqual(["completed"]);
    expect(ran).toContain(SECRET);
  });

  test("runs no function with the SDK's middleware for traces, though it was served before that was asked", async () => {
    const sdk = freshCopy();
    const engine = createTestEngine();
    const client = clientOf(sdk, engine, [], { isDev: true });
    const middleware = [sdk.experimental.extendedTracesMiddleware({ behaviour: "off" })] as never;
    const ran: unknown[] = [];
    const fn = client.createFunction({ id: "fn", retries: 0, middleware }, { event: "go" }, () => {
      ran.push("ran");
    });
    const handler = sdk.edge.serve({ client, functions: [fn], ...optionsOf(engine) });
    await client.ready;
    const url = "http://app.test/api/inngest?fnId=app-fn&stepId=step";
    const event = { name: "go", data: {}, id: "1", ts: 1 };
    const ctx = { run_id: "01X", attempt: 0, use_api: false, stack: { stack: [], current: 0 } };
    const body = JSON.stringify({ event, events: [event], steps: {}, ctx, version: 1, use_api: false });
    const answer = await handler(new Request(url, { method: "POST", headers: { host: "app.test" }, body }));
    expect(answer.status).toBe(500);
    expect(await answer.text()).toContain('path \\"traces\\"');
    expect(ran).toEqual([]);
  });
});

import fc from "fast-check";
import { isPlatformError } from "stepseal/inngest";
import { findPlaintext } from "stepseal/testing";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hashStepId } from "../../src/testing/ids.ts";
import { createApp } from "../adapters/inngest/harness.ts";
import { parsed } from "../secrets/secrets.ts";
import { fuzz, MARKER, TIMEOUT } from "./fuzz.ts";
import { changedJson, changedText } from "./mutations.ts";

/** A request of the platform, which it can change and send again. */
interface Sent {
  readonly url: string;
  readonly fn: string;
  readonly body: unknown;
}

/** What user code saw, in order; of which function. */
const seen: (readonly [fn: string, what: string, value: unknown])[] = [];
const requests: Sent[] = [];
/** How many requests showed user code the result of a step. */
let opened = 0;
let handle: (url: string, body: string) => Promise<Response>;
let wire: Parameters<typeof findPlaintext>[0];

/** What an honest request shows, at most. */
const honest = (fn: string) => [
  ["card", { card: `${MARKER} card of ${fn}` }],
  ["a", { result: `${MARKER} a of ${fn}` }],
  ["b", `${MARKER} b of ${fn}`],
  ["awake", true],
];

beforeAll(async () => {
  const { engine, inngest } = await createApp(
    (client) =>
      ["pay", "refund"].map((fn) =>
        client.createFunction(
          { id: fn, triggers: { event: `shop/${fn}` }, retries: 0 },
          async ({ event, step }) => {
            const see = (what: string, value: unknown): void => void seen.push([fn, what, value]);
            try {
              see("card", event.data.encrypted);
              see("a", await step.run("a", () => ({ result: `${MARKER} a of ${fn}` })));
              see("b", await step.run("b", () => `${MARKER} b of ${fn}`));
              await step.sleep("nap", "1h");
              see("awake", true);
              return MARKER;
            } catch (error) {
              see("caught", error);
              throw error;
            }
          },
        ),
      ),
    {
      engineOptions: { signingKey: null },
      checkpointing: false,
      around: (handler) => {
        const headers = { host: "app.test", "content-type": "application/json" };
        handle = async (url, body) => handler(new Request(url, { method: "POST", headers, body }));
        return async (request) => {
          const body = await request.clone().text();
          const fn = new URL(request.url).searchParams.get("fnId");
          if (fn !== null && body !== "")
            requests.push({ url: request.url, fn: fn.replace("app-", ""), body: JSON.parse(body) });
          return handler(request);
        };
      },
    },
  );
  for (const fn of ["pay", "refund"]) {
    await inngest.send({
      name: `shop/${fn}`,
      data: { n: 1, encrypted: { card: `${MARKER} card of ${fn}` } },
    });
  }
  await engine.advance("2h");
  wire = engine.wire;
  expect(engine.runs.map(({ status }) => status)).toEqual(["completed", "completed"]);
  for (const fn of ["pay", "refund"]) {
    expect(seen.filter(([by]) => by === fn).slice(-4)).toEqual(
      honest(fn).map(([what, value]) => [fn, what, value]),
    );
  }
});
beforeEach(() => void seen.splice(0));

/**
 * With the steps that are there in the order in which they ended. In another, or with one that the code does not ask for,
 * the SDK waits for ever, without stepseal too.
 */
function inOrder(changed: unknown): unknown {
  const { ctx, steps } = (changed ?? {}) as { ctx?: unknown; steps?: unknown };
  if (typeof ctx !== "object" || ctx === null || !("stack" in ctx)) return changed;
  const stack = ["a", "b", "nap"].map(hashStepId).filter((id) => Object.hasOwn(Object(steps), id));
  ctx.stack = { stack, current: stack.length };
  return changed;
}

/** Sends a request, and asks that it shows user code nothing but what is its own, and the platform nothing. */
async function send(url: string, body: string): Promise<void> {
  seen.length = 0;
  const answer = await handle(url, body).catch((error: unknown) => error);
  // The SDK rejects where a body is no JSON, as it does without stepseal.
  if (!(answer instanceof Response)) {
    expect(answer).toBeInstanceOf(SyntaxError);
    expect(() => JSON.parse(body)).toThrow(SyntaxError);
    return;
  }
  expect(await answer.text()).not.toContain(MARKER.slice(0, 12));
  const fn = new URL(url).searchParams.get("fnId")?.replace("app-", "") ?? "";
  if (seen.length > 1) opened++;
  for (const [i, [by, what, value]] of seen.entries()) {
    const [name, own] = honest(fn)[i] ?? [];
    // A field that is gone is gone. What was sealed beside it is bound to it, and does not open.
    const isGone = i === 0 && value === undefined && seen.length === 1;
    // A platform may say that a step failed, and then is told apart from the function's own errors.
    if (what === "caught" && isPlatformError(value)) break;
    expect([by, what, isGone ? own : value]).toEqual([fn, name, own]);
  }
}

describe("a request of a platform that changes it", { timeout: TIMEOUT }, () => {
  const names = [
    "event",
    "events",
    "steps",
    "ctx",
    "data",
    "encrypted",
    "error",
    "type",
    "run_id",
    "__ENCRYPTED__",
    "_inngest",
    "id",
  ];
  const request = fc.nat().map((which) => requests[which % requests.length]!);
  test("shows user code what it showed, where nothing is changed", async () => {
    for (const { url, body } of requests) await send(url, JSON.stringify(body));
    expect(opened).toBeGreaterThan(3);
  });

  test("shows user code nothing that was not sealed for this place, and nobody else anything", async () => {
    await fuzz(
      fc.asyncProperty(
        request,
        request,
        changedJson(names),
        fc.boolean(),
        async ({ url, body }, other, change, together) => {
          // Both requests in one value, so that what changes place may come from the other.
          const changed = together
            ? (change({ body, other: other.body }) as { body?: unknown } | null)?.body
            : change(body);
          await send(url, JSON.stringify(inOrder(changed)) ?? "");
        },
      ),
      80,
    );
    expect(findPlaintext(wire, [MARKER])).toEqual([]);
  });

  test("is answered whatever its text and its address are", async () => {
    await fuzz(
      fc.asyncProperty(
        request,
        request,
        changedText('{}[]":,0aA_'),
        fc.boolean(),
        async (one, other, change, moves) => {
          const text = change(JSON.stringify(one.body), JSON.stringify(other.body));
          await send(one.url, JSON.stringify(inOrder(parsed(text))) ?? text);
          if (moves)
            await send(one.url.replace(/fnId=[^&]*/, `fnId=app-${other.fn}`), JSON.stringify(one.body));
        },
      ),
      30,
    );
    expect(findPlaintext(wire, [MARKER])).toEqual([]);
  });
});

import { type WorkflowContext, WorkflowNonRetryableError } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { isPlatformFailure } from "stepseal/upstash";
import { describe, expect, it } from "vitest";
import {
  BASE,
  createApp,
  fromBase64,
  KEY,
  OTHER_KEY,
  type Seal,
  secure_,
  type Workflows,
} from "./harness.ts";

/** Notes that a step ran. */
function note<T>(ran: unknown[], step: string, result: T): T {
  ran.push(step);
  return result;
}

/** What a workflow saw and returned, with stepseal and without: the same. */
const BOTH: { name: string; seal: Seal }[] = [
  { name: "without stepseal", seal: null },
  { name: "with stepseal", seal: {} },
];

describe.each(BOTH)("an honest run $name", ({ seal }) => {
  it("takes three steps, each once", async () => {
    const ran: unknown[] = [];
    const { qstash, trigger } = await createApp(
      {
        sum: createWorkflow(async (context: WorkflowContext<{ n: number }>) => {
          const one = await context.run("one", () => note(ran, "one", context.requestPayload.n + 1));
          const two = await context.run("two", async () => note(ran, "two", { sum: one * 2, at: null }));
          const three = await context.run("three", () => void ran.push("three"));
          return [one, two, three];
        }),
      },
      { seal },
    );
    const run = await trigger("sum", { n: 20 });
    await qstash.idle();
    expect(qstash.run(run).state).toBe("RUN_SUCCESS");
    expect(ran).toEqual(["one", "two", "three"]);
  });

  it.each([undefined, 0])(
    "runs steps in parallel, beside a sleep, state fetched above %s bytes",
    async (bytes) => {
      const ran: string[] = [];
      const saw: unknown[] = [];
      const { qstash, trigger } = await createApp(
        {
          both: createWorkflow(async (context) => {
            const before = await context.run("before", () => "b".repeat(1000));
            const results = await Promise.all([
              context.run("left", () => note(ran, "left", { left: before.length })),
              context.sleep("nap", 30),
              context.run("right", async () => note(ran, "right", ["right"])),
            ]);
            const chains = await Promise.all([
              context.run("a1", () => "a").then((a) => context.run("a2", () => `${a}2`)),
              context.run("b1", () => "b").then((b) => context.run("b2", () => `${b}2`)),
            ]);
            saw.push(results, chains);
          }),
        },
        { seal, ...(bytes !== undefined && { lazyFetchAboveBytes: bytes }) },
      );
      const run = await trigger("both");
      await qstash.advance("1m");
      expect(qstash.run(run).state).toBe("RUN_SUCCESS");
      expect(ran.sort()).toEqual(["left", "right"]);
      expect(saw.slice(-2)).toEqual([
        [{ left: 1000 }, undefined, ["right"]],
        ["a2", "b2"],
      ]);
    },
  );

  // The first versions of the SDK notify everybody who waits.
  it.skipIf(process.env.UPSTASH === "oldest")("is told of an event that is for it alone", async () => {
    const saw: unknown[] = [];
    const { qstash, trigger, client } = await createApp(
      {
        waits: createWorkflow(async (context) => {
          const { eventData } = await context.waitForEvent("wait", "paid", { timeout: "1h" });
          saw.push([context.workflowRunId, eventData]);
        }),
      },
      { seal },
    );
    const [one, other] = [await trigger("waits"), await trigger("waits")];
    await qstash.idle();
    await client.notify({ eventId: "paid", eventData: "for you", workflowRunId: one });
    await qstash.idle();
    expect(saw).toEqual([[one, "for you"]]);
    expect(qstash.run(other).state).toBe("RUN_STARTED");
  });

  it("waits, tells and invokes in parallel", async () => {
    const saw: unknown[] = [];
    const child = createWorkflow(async (context: WorkflowContext<string>) => {
      await context.run("child", () => 1);
      return `answer to ${context.requestPayload}`;
    });
    const { qstash, trigger, client } = await createApp(
      {
        child,
        all: createWorkflow(async (context) => {
          const [event, none, told, answer] = await Promise.all([
            context.waitForEvent("wait", "paid", { timeout: "1h" }),
            context.sleepUntil("until", new Date(0)),
            context.notify("tell", "told", "data"),
            context.invoke("ask", { workflow: child, body: "question" }),
          ]);
          saw.push([event, none, told.eventData, answer.body]);
        }),
      },
      { seal },
    );
    const run = await trigger("all");
    await qstash.idle();
    await client.notify({ eventId: "paid", eventData: { amount: 99 } });
    await qstash.idle();
    expect(qstash.run(run).state).toBe("RUN_SUCCESS");
    expect(saw.at(-1)).toEqual([
      { eventData: { amount: 99 }, timeout: false },
      undefined,
      "data",
      "answer to question",
    ]);
  });

  it("goes on when its state could not be fetched for a while", async () => {
    let down = 0;
    const { qstash, trigger } = await createApp(
      { waits: createWorkflow(async (context) => context.run("one", () => 1)) },
      {
        seal,
        lazyFetchAboveBytes: 0,
        intercept: ({ method, url }) =>
          method === "GET" && url.includes("/v2/workflows/runs/") && down++ < 10
            ? new Response("the platform is down", { status: 500 })
            : undefined,
      },
    );
    const run = await trigger("waits", "x", { retries: 10 });
    await qstash.advance("10d");
    expect(qstash.run(run).state).toBe("RUN_SUCCESS");
    expect(qstash.deliveries.map(({ status }) => status)).toContain(500);
  });

  it("retries a step that fails, and calls the failure function when all retries did", async () => {
    const attempts: number[] = [];
    const failures: unknown[] = [];
    const { qstash, trigger } = await createApp(
      {
        flaky: createWorkflow(
          async (context: WorkflowContext<string>) => {
            await context.run("flaky", () => {
              attempts.push(attempts.length);
              if (context.requestPayload !== "heals" || attempts.length < 3) throw new RangeError("not yet");
            });
          },
          {
            failureFunction: ({ failStatus, failResponse, failStack, context }) => {
              failures.push([
                failStatus,
                failResponse,
                failStack.startsWith("RangeError: not yet"),
                context.requestPayload,
              ]);
            },
          },
        ),
      },
      { seal },
    );
    const heals = await trigger("flaky", "heals");
    await qstash.advance("1d");
    expect(qstash.run(heals).state).toBe("RUN_SUCCESS");
    expect([attempts, failures]).toEqual([[0, 1, 2], []]);

    const dies = await trigger("flaky", "dies", { retries: 1 });
    await qstash.advance("1d");
    expect(qstash.run(dies).state).toBe("RUN_FAILED");
    expect(failures).toEqual([[500, "not yet", true, "dies"]]);
  });

  it("does not retry what is not retryable", async () => {
    let attempts = 0;
    const failures: unknown[] = [];
    const { qstash, trigger } = await createApp(
      {
        final: createWorkflow(
          async (context) => {
            await context.run("final", () => {
              attempts++;
              throw new WorkflowNonRetryableError("never again");
            });
          },
          {
            failureFunction: ({ failStatus, failResponse }) => void failures.push([failStatus, failResponse]),
          },
        ),
      },
      { seal },
    );
    await trigger("final");
    await qstash.advance("1d");
    expect([attempts, failures]).toEqual([1, [[489, "never again"]]]);
  });

  it("waits for events, and for a time-out", async () => {
    const saw: unknown[] = [];
    const { qstash, trigger, client } = await createApp(
      {
        waits: createWorkflow(async (context) => {
          saw.push(await context.waitForEvent("first", "paid", { timeout: "1h" }));
          saw.push(await context.waitForEvent("second", "shipped", { timeout: "1h" }));
          saw.push(await context.waitForEvent("third", "told", { timeout: "1h" }));
          saw.push(await context.waitForEvent("fourth", "empty", { timeout: "1h" }));
        }),
        tells: createWorkflow(async (context) => {
          const { eventId, eventData } = await context.notify("tell", "told", { by: "a step" });
          saw.push([eventId, eventData]);
        }),
      },
      { seal },
    );
    const run = await trigger("waits");
    await qstash.idle();
    await client.notify({ eventId: "paid", eventData: { amount: 99 } });
    await qstash.idle();
    await qstash.advance("90m");
    await trigger("tells");
    await qstash.idle();
    await client.notify({ eventId: "empty" });
    await qstash.idle();
    expect(qstash.run(run).state).toBe("RUN_SUCCESS");
    // The function runs from its beginning each time; each result was there once before.
    expect(new Set(saw.map((value) => JSON.stringify(value)))).toEqual(
      new Set([
        '{"eventData":{"amount":99},"timeout":false}',
        '{"timeout":true}',
        '{"eventData":{"by":"a step"},"timeout":false}',
        '["told",{"by":"a step"}]',
        '{"timeout":false}',
      ]),
    );
  });

  it.each([null, 0])(
    "has results of steps that have no target, which the platform writes as %j",
    async (targetStep) => {
      const saw: unknown[] = [];
      const { qstash, trigger } = await createApp(
        {
          steps: createWorkflow(async (context) => {
            saw.push(await context.run("one", () => "1"));
            await context.run("two", () => 2);
          }),
        },
        {
          seal,
          onDeliver: (delivery) => {
            const entries = delivery.body.startsWith("[") ? JSON.parse(delivery.body) : [];
            for (const entry of entries.slice(1)) {
              const step = { ...JSON.parse(fromBase64(entry.body)), targetStep };
              entry.body = Buffer.from(JSON.stringify(step)).toString("base64");
            }
            if (entries.length > 1) delivery.body = JSON.stringify(entries);
          },
        },
      );
      const run = await trigger("steps");
      await qstash.idle();
      expect(qstash.run(run).state).toBe("RUN_SUCCESS");
      expect(new Set(saw)).toEqual(new Set(["1"]));
    },
  );

  it.each([null, ""])("waits until a time-out, whose data the platform writes as %j", async (out) => {
    const saw: unknown[] = [];
    const { qstash, trigger } = await createApp(
      {
        waits: createWorkflow(async (context) => {
          saw.push(await context.waitForEvent("wait", "paid", { timeout: "1h" }));
        }),
      },
      {
        seal,
        onDeliver: (delivery) => {
          const entries = delivery.body.startsWith("[") ? JSON.parse(delivery.body) : [];
          if (entries.length !== 2) return;
          const step = { ...JSON.parse(fromBase64(entries[1].body)), out };
          entries[1].body = Buffer.from(JSON.stringify(step)).toString("base64");
          delivery.body = JSON.stringify(entries);
        },
      },
    );
    const run = await trigger("waits");
    await qstash.advance("2h");
    expect(qstash.run(run).state).toBe("RUN_SUCCESS");
    if (seal !== null) expect(saw.at(-1)).toEqual({ eventData: undefined, timeout: true });
  });

  it("invokes other workflows, which end well, fail and are cancelled", async () => {
    const saw: unknown[] = [];
    const child = createWorkflow(async (context: WorkflowContext<{ how: string }>) => {
      const { how } = context.requestPayload;
      await context.run("child", () => how);
      if (how === "cancel") await context.cancel();
      if (how === "fail") throw new WorkflowNonRetryableError("child failed");
      return { how, deep: [1, null, "x"] };
    });
    const { qstash, trigger } = await createApp(
      {
        child,
        parent: createWorkflow(async (context) => {
          for (const how of ["end", "fail", "cancel"]) {
            saw.push(await context.invoke(`ask ${how}`, { workflow: child, body: { how }, retries: 0 }));
          }
          const both = await Promise.all([
            context.invoke("left", { workflow: child, body: { how: "left" } }),
            context.invoke("right", { workflow: child, body: { how: "right" } }),
          ]);
          saw.push(both.map(({ body }) => body.how));
        }),
      },
      { seal },
    );
    const run = await trigger("parent");
    await qstash.advance("1h");
    expect(qstash.run(run).state).toBe("RUN_SUCCESS");
    expect(saw.at(-1)).toEqual(["left", "right"]);
    const distinct = [...new Set(saw.map((value) => JSON.stringify(value)))]
      .slice(0, 3)
      .map((value) => JSON.parse(value));
    expect(distinct).toEqual([
      { body: { how: "end", deep: [1, null, "x"] }, isCanceled: false, isFailed: false },
      expect.objectContaining({ isFailed: true }),
      expect.objectContaining({ isCanceled: true }),
    ]);
  });

  it.each([
    ["an object", { a: [1] }],
    ["a text", "just text"],
    ["JSON with white space", '{ "a" : 1.0 }'],
    ["a number as text", "12345678901234567890"],
    ["an empty text", ""],
    ["nothing", undefined],
    ["null", null],
    ["half a surrogate pair", "x\ud800y"],
    ["half a surrogate pair in JSON", '"x\ud800y"'],
  ])("gets %s as payload", async (_, body) => {
    const saw: unknown[] = [];
    const workflows: Workflows = {
      raw: createWorkflow(
        async (context: WorkflowContext<string>) => {
          saw.push(context.requestPayload);
          await context.run("step", () => 1);
        },
        { initialPayloadParser: (text) => text },
      ),
    };
    const { qstash, trigger } = await createApp(workflows, { seal });
    await trigger("raw", body);
    await qstash.idle();
    const text = typeof body === "string" ? body.replace("\ud800", "\ufffd") : (JSON.stringify(body) ?? "");
    expect(new Set(saw)).toEqual(new Set([text]));
  });
});

describe("a run that began", () => {
  const sleeper = (saw: unknown[]): Workflows => ({
    sleeper: createWorkflow(async (context: WorkflowContext<{ secret: string }>) => {
      const before = await context.run("before", () => context.requestPayload.secret.toUpperCase());
      await context.sleep("a day", 86_400);
      const after = await context.run("after", () => `${before}!`);
      saw.push(context.requestPayload.secret, after);
    }),
  });

  it("goes on while the key rotates, in its sleep", async () => {
    const saw: unknown[] = [];
    const app = await createApp(sleeper(saw), { seal: { key: KEY } });
    const run = await app.trigger("sleeper", { secret: "x" });
    await app.qstash.idle();
    app.deploy(sleeper(saw), { key: OTHER_KEY, fallbackKeys: [KEY] });
    await app.qstash.advance("2d");
    expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
    expect(saw.slice(-2)).toEqual(["x", "X!"]);
    const kids = app.qstash
      .run(run)
      .journal.map(({ body }) => /ss1\.([0-9a-f]{16})/.exec(fromBase64(body))?.[1]);
    expect(new Set(kids.filter(Boolean)).size).toBe(2);
  });

  it.each([
    "https://moved.example.com/workflows/sleeper",
    "https://app.example.com/workflows/sleeper?version=2",
  ])("goes on when its app moves to %s", async (url) => {
    const saw: unknown[] = [];
    let hasMoved = false;
    const app = await createApp(sleeper(saw), {
      onDeliver: (delivery) => {
        if (hasMoved) delivery.url = url;
      },
    });
    const run = await app.trigger("sleeper", { secret: "x" });
    await app.qstash.idle();
    hasMoved = true;
    const { origin } = new URL(url);
    app.qstash.serve(origin, secure_(app.qstash, { publicUrl: origin }).serveMany(sleeper(saw)).POST);
    await app.qstash.advance("2d");
    expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
    expect(saw.slice(-2)).toEqual(["x", "X!"]);
  });

  it("waits for a process that has its key, and is not lost", async () => {
    const saw: unknown[] = [];
    const app = await createApp(sleeper(saw), { seal: { key: KEY } });
    const run = await app.trigger("sleeper", { secret: "x" });
    await app.qstash.idle();
    app.deploy(sleeper(saw), { key: OTHER_KEY });
    await app.qstash.advance("24h1s");
    expect(app.qstash.deliveries.at(-1)?.status).toBe(503);
    expect(app.qstash.run(run).state).toBe("RUN_STARTED");
    app.deploy(sleeper(saw), { key: OTHER_KEY, fallbackKeys: [KEY] });
    await app.qstash.advance("1d");
    expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
  });

  it("is resumed from the dead-letter queue, under a new id, with the steps it had", async () => {
    let broken = true;
    const ran: string[] = [];
    const app = await createApp({
      resumes: createWorkflow(async (context) => {
        const one = await context.run("one", () => note(ran, "one", "1"));
        return context.run("two", () => {
          ran.push("two");
          if (broken) throw new WorkflowNonRetryableError("broken");
          return `${one}2`;
        });
      }),
    });
    const run = await app.trigger("resumes");
    await app.qstash.idle();
    expect(app.qstash.run(run).state).toBe("RUN_FAILED");
    broken = false;
    const [dead] = app.qstash.dlq;
    const resumed = app.qstash.resume(dead?.dlqId ?? "");
    await app.qstash.idle();
    expect(resumed.id).not.toBe(run);
    expect(app.qstash.run(resumed.id).state).toBe("RUN_SUCCESS");
    expect(ran).toEqual(["one", "two", "two"]);
  });

  it("is told of a failure that nobody sealed, and of nothing that came with it", async () => {
    const failures: string[] = [];
    let down = false;
    const { qstash, trigger } = await createApp(
      {
        down: createWorkflow(
          async (context) => {
            await context.run("one", () => 1);
            await context.sleep("nap", 60);
          },
          {
            failureFunction: ({ failStatus, failResponse }) =>
              void failures.push(`${failStatus} ${failResponse}`),
          },
        ),
      },
      {
        onDeliver: (delivery) => {
          if (down && delivery.kind === "step") delivery.url = `${BASE.replace("app", "nobody")}x`;
        },
      },
    );
    await trigger("down", undefined, { retries: 0 });
    await qstash.idle();
    down = true;
    await qstash.advance("1h");
    expect(failures).toHaveLength(1);
    expect(isPlatformFailure(failures[0]?.slice(4) ?? "")).toBe(true);
    expect(isPlatformFailure("the order said [platform] twice")).toBe(false);
  });
});

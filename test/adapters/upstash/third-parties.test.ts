import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { findPlaintext, type QstashDelivery } from "stepseal/testing";
import { describe, expect, it } from "vitest";
import { type App, BASE, createApp, fromBase64, type Seal, toBase64, type Workflows } from "./harness.ts";

const MARKER = "planted-in-a-request-to-a-third-party";
const ANSWER = "planted-in-the-answer-of-a-third-party";
const THIRD = "https://third.example.com";

async function createCaller(
  workflows: (saw: unknown[]) => Workflows,
  seal: Seal,
  onDeliver: (delivery: QstashDelivery, app: App) => void = () => {},
): Promise<{ app: App; saw: unknown[] }> {
  const saw: unknown[] = [];
  const app: App = await createApp(workflows(saw), {
    seal,
    onDeliver: (delivery) => onDeliver(delivery, app),
  });
  app.qstash.serve(THIRD, async (request) => Response.json({ answer: ANSWER, to: await request.text() }));
  return { app, saw };
}

const calls = (saw: unknown[]): Workflows => ({
  calls: createWorkflow(async (context: WorkflowContext<string>) => {
    const before = await context.run("before", () => "before");
    try {
      const { status, body } = await context.call("ask", { url: THIRD, method: "POST", body: MARKER });
      saw.push([before, status, body]);
    } catch (error) {
      if ((error as Error).name === "StepsealError") saw.push((error as Error).message);
      throw error;
    }
  }),
  local: createWorkflow(async (context) => {
    saw.push(await context.run("ask", () => ({ asked: MARKER, answer: ANSWER })));
  }),
});

describe("a request that the platform would make", () => {
  it("is refused before it leaves, and found without stepseal", async () => {
    const { app, saw } = await createCaller(calls, {});
    const run = await app.trigger("calls", "x", { retries: 0 });
    await app.qstash.idle();
    expect(saw).toEqual([expect.stringContaining('thirdPartyCalls: "allow"')]);
    expect(app.qstash.run(run).state).toBe("RUN_FAILED");
    expect(findPlaintext(app.qstash.wire, [MARKER])).toEqual([]);

    const without = await createCaller(calls, null);
    await without.app.trigger("calls", "x");
    await without.app.qstash.idle();
    expect(findPlaintext(without.app.qstash.wire, [MARKER]).length).toBeGreaterThan(0);
    expect(without.saw.at(-1)).toEqual(["before", 200, { answer: ANSWER, to: MARKER }]);
  });

  it("is refused before the run begins, where it is the first that the run asks for", async () => {
    const { app } = await createCaller(
      () => ({ first: createWorkflow(async (context) => context.call("ask", { url: THIRD, body: MARKER })) }),
      { plaintextTrigger: "accept" },
    );
    app.qstash.publish({ url: `${BASE}first`, body: "x", headers: { "Upstash-Retries": "0" } });
    await app.qstash.idle();
    expect(app.qstash.deliveries.map(({ status }) => status)).toEqual([489]);
    expect(app.qstash.runs).toEqual([]);
  });

  it("is told to the failure function as what this server refused", async () => {
    const told: unknown[] = [];
    const { app } = await createCaller(
      () => ({
        calls: createWorkflow(
          async (context) => {
            await context.run("before", () => 1);
            await context.call("ask", { url: THIRD, body: MARKER });
          },
          { failureFunction: ({ failStatus, failResponse }) => void told.push([failStatus, failResponse]) },
        ),
      }),
      {},
    );
    await app.trigger("calls", "x", { retries: 0 });
    await app.qstash.idle();
    expect(told).toEqual([[489, expect.stringMatching(/^StepsealError REFUSED: context\.call/)]]);
  });

  it("stays refused where the code catches that, and nothing leaves after it", async () => {
    const { app, saw } = await createCaller(
      (saw) => ({
        catches: createWorkflow(async (context) => {
          await context.run("before", () => 1);
          await context.call("ask", { url: THIRD, body: MARKER }).catch(() => saw.push("caught"));
          await context.run("after", () => saw.push("after"));
          saw.push("done");
        }),
      }),
      {},
    );
    const run = await app.trigger("catches", "x", { retries: 0 });
    await app.qstash.idle();
    expect(saw).not.toContain("done");
    expect(app.qstash.run(run).state).toBe("RUN_FAILED");
    expect(app.qstash.run(run).journal).toHaveLength(2);
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["REFUSED"]);
  });

  it("is refused for the first reason there was, whatever the code tries after it", async () => {
    const refused: unknown[] = [];
    const { app } = await createCaller(
      () => ({
        tries: createWorkflow(async (context) => {
          await context.run("before", () => 1);
          await context.call("ask", { url: THIRD, body: MARKER }).catch(() => {});
          await context.createWebhook("create").catch(() => {});
          const { http } = context.qstashClient as unknown as {
            http: { requestStream(of: object): unknown };
          };
          try {
            http.requestStream({ path: ["llm"] });
          } catch {}
          await context.run("after", () => 1);
        }),
      }),
      { onRefused: (reason) => void refused.push(reason) },
    );
    await app.trigger("tries", "x", { retries: 0 });
    await app.qstash.idle();
    expect(refused.map(String)).toEqual([expect.stringContaining('thirdPartyCalls: "allow"')]);
  });

  it("leaves beside other steps where it is allowed, more than one at once", async () => {
    const { app, saw } = await createCaller(
      (saw) => ({
        both: createWorkflow(async (context) => {
          const [one, two, three] = await Promise.all([
            context.call<{ to: string }>("one", { url: THIRD, method: "POST", body: "1" }),
            context.run("two", () => "2"),
            context.call<{ to: string }>("three", { url: THIRD, method: "POST", body: "3" }),
          ]);
          saw.push([one.body.to, two, three.body.to]);
        }),
      }),
      { thirdPartyCalls: "allow" },
    );
    const run = await app.trigger("both");
    await app.qstash.idle();
    expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
    expect(saw.at(-1)).toEqual(["1", "2", "3"]);
    expect(findPlaintext(app.qstash.wire, [ANSWER])).toEqual([]);
  });

  it("can be made in a step instead, which seals it", async () => {
    const { app, saw } = await createCaller(calls, {});
    await app.trigger("local");
    await app.qstash.idle();
    expect(saw.at(-1)).toEqual({ asked: MARKER, answer: ANSWER });
    expect(findPlaintext(app.qstash.wire, [MARKER, ANSWER])).toEqual([]);
  });

  it("leaves where it is allowed, and its answer is sealed from there on", async () => {
    const { app, saw } = await createCaller(calls, { thirdPartyCalls: "allow" });
    const run = await app.trigger("calls", "x");
    await app.qstash.idle();
    expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
    expect(saw.at(-1)).toEqual(["before", 200, { answer: ANSWER, to: MARKER }]);
    expect(findPlaintext(app.qstash.wire, [MARKER]).length).toBe(1);
    expect(findPlaintext(app.qstash.wire, [ANSWER])).toEqual([]);
  });

  it.each<[string, string, (delivery: QstashDelivery, kept: QstashDelivery[]) => void]>([
    [
      "with nothing that travelled with it",
      "PLAINTEXT_REJECTED",
      ({ headers }) => void delete headers["stepseal-call"],
    ],
    [
      "with what travelled with another one's",
      "CONTEXT",
      ({ headers }, kept) => {
        // The same step of the same workflow, in another run.
        headers["stepseal-call"] = kept[0]?.headers["stepseal-call"] ?? "";
        headers["upstash-workflow-stepid"] = "3";
      },
    ],
    [
      "as the result of another step",
      "CONTEXT",
      ({ headers }) => {
        headers["upstash-workflow-stepname"] = "before";
        headers["upstash-workflow-steptype"] = "Run";
      },
    ],
    [
      "as the result of a step of no type",
      "FORMAT",
      ({ headers }) => void delete headers["upstash-workflow-steptype"],
    ],
    [
      "that was altered",
      "CORRUPT",
      ({ headers }) => {
        headers["stepseal-call"] =
          headers["stepseal-call"]?.replace(
            /.(.{8})$/,
            (end) => (end[0] === "A" ? "B" : "A") + end.slice(1),
          ) ?? "";
      },
    ],
  ])("has no answer %s", async (_, code, forge) => {
    const kept: QstashDelivery[] = [];
    const { app, saw } = await createCaller(calls, { thirdPartyCalls: "allow" }, (delivery) => {
      if (delivery.kind !== "callback") return;
      kept.push({ ...delivery, headers: { ...delivery.headers } });
      if (kept.length > 1) forge(delivery, kept);
    });
    await app.trigger("calls", "theirs");
    await app.qstash.idle();
    saw.length = 0;
    const run = await app.trigger("calls", "mine");
    await app.qstash.idle();
    expect(kept).toHaveLength(2);
    expect(saw).toEqual([]);
    expect(app.qstash.run(run).state).not.toBe("RUN_SUCCESS");
    const callback = app.qstash.deliveries.filter(({ kind }) => kind === "callback").at(-1);
    expect(callback?.status).toBe(489);
    expect(app.qstash.wire.filter(({ headers }) => headers["stepseal-error"] === code)).toHaveLength(1);
  });

  it("has an answer that is the payload of nothing", async () => {
    const payloads: unknown[] = [];
    const { app } = await createCaller(
      (saw) => ({
        calls: createWorkflow(async (context: WorkflowContext<{ order: string }>) => {
          // Before the first step: this runs in every request, and without stepseal in that of an answer too.
          payloads.push(context.requestPayload);
          saw.push(await context.call("ask", { url: THIRD }));
        }),
      }),
      { thirdPartyCalls: "allow" },
      (delivery) => {
        if (delivery.kind !== "callback") return;
        delivery.body = JSON.stringify({ ...JSON.parse(delivery.body), order: "forged" });
      },
    );
    const run = await app.trigger("calls", { order: "mine" });
    await app.qstash.idle();
    expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
    expect(payloads.length).toBeGreaterThan(2);
    for (const payload of payloads) expect(payload).toEqual({ order: "mine" });
  });

  it("has its own answer, not another run's result of the same step", async () => {
    let kept: string | undefined;
    const { app, saw } = await createCaller(calls, { thirdPartyCalls: "allow" }, (delivery) => {
      if (delivery.kind !== "callback") return;
      const header = delivery.headers["stepseal-call"];
      if (kept === undefined) kept = header;
      else delivery.headers["stepseal-call"] = kept;
    });
    await app.trigger("calls", "theirs");
    await app.qstash.idle();
    saw.length = 0;
    const run = await app.trigger("calls", "mine", { retries: 0 });
    await app.qstash.idle();
    // Sealed for the run that the header is from, the answer does not open in this one.
    expect(saw).toEqual([]);
    expect(app.qstash.run(run).state).toBe("RUN_FAILED");
  });
});

describe("a webhook", () => {
  const webhooks = (saw: unknown[]): Workflows => ({
    hook: createWorkflow(async (context) => {
      const webhook = await context.createWebhook("create");
      saw.push(webhook.webhookUrl);
      const { request, timeout } = await context.waitForWebhook("wait", webhook, "1d");
      saw.push([timeout, await request?.text()]);
    }),
  });

  it("is refused before it is made", async () => {
    const { app, saw } = await createCaller(webhooks, {});
    await app.trigger("hook", undefined, { retries: 0 });
    await app.qstash.idle();
    expect(saw).toEqual([]);
    expect(app.qstash.dlq).toHaveLength(1);
  });

  it("is not waited for, whoever made it", async () => {
    const { app, saw } = await createCaller(
      (saw) => ({
        hook: createWorkflow(async (context) => {
          const webhook = { webhookUrl: "https://app.example.com/hook", eventId: "made-elsewhere" };
          saw.push(await context.waitForWebhook("wait", webhook, "1d"));
        }),
      }),
      {},
    );
    await app.trigger("hook", undefined, { retries: 0 });
    await app.qstash.advance("2d");
    expect(saw).toEqual([]);
    expect(app.qstash.dlq.map((letter) => letter.responseHeader["Stepseal-Error"])).toEqual([["REFUSED"]]);
  });

  it("is not allowed by what allows requests, nor a request by what allows webhooks", async () => {
    const both = (saw: unknown[]): Workflows => ({ ...webhooks(saw), ...calls(saw) });
    const hooks = await createCaller(both, { thirdPartyCalls: "allow" });
    await hooks.app.trigger("hook", undefined, { retries: 0 });
    await hooks.app.qstash.idle();
    expect(hooks.saw).toEqual([]);
    const requests = await createCaller(both, { webhooks: "allow" });
    await requests.app.trigger("calls", "x", { retries: 0 });
    await requests.app.qstash.idle();
    expect(requests.saw).toEqual([expect.stringContaining('thirdPartyCalls: "allow"')]);
    expect(findPlaintext(requests.app.qstash.wire, [MARKER])).toEqual([]);
  });

  it("does not come with a payload that was sealed", async () => {
    const { app, saw } = await createCaller(webhooks, { webhooks: "allow" }, (delivery) => {
      const entries = delivery.body.startsWith("[") ? JSON.parse(delivery.body) : [];
      const [payload, , wait] = entries;
      if (wait === undefined) return;
      wait.body = toBase64(JSON.stringify({ ...JSON.parse(fromBase64(wait.body)), out: payload.body }));
      delivery.body = JSON.stringify(entries);
    });
    await app.trigger("hook", "mine", { retries: 0 });
    await app.qstash.idle();
    await fetch(String(saw.at(-1)), { method: "POST", body: "x" });
    await app.qstash.idle();
    expect(saw).not.toContainEqual([false, undefined]);
    expect(app.qstash.dlq.map((letter) => letter.responseHeader["Stepseal-Error"])).toEqual([["FORMAT"]]);
  });

  it("works where it is allowed", async () => {
    const { app, saw } = await createCaller(webhooks, { webhooks: "allow" });
    const run = await app.trigger("hook");
    await app.qstash.idle();
    await fetch(String(saw.at(-1)), { method: "POST", body: MARKER });
    await app.qstash.idle();
    expect(saw.at(-1)).toEqual([false, MARKER]);
    expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
    const created = app.qstash.run(run).journal[1]?.body ?? "";
    expect(fromBase64(created)).toContain("__ENCRYPTED__");
  });
});

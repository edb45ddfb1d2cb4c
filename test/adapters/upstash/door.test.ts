import { type WorkflowContext, WorkflowNonRetryableError } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { StepsealError } from "stepseal";
import { findPlaintext } from "stepseal/testing";
import { describe, expect, it } from "vitest";
import { BASE, createApp } from "./harness.ts";

const MARKER = "planted-on-a-path-that-nobody-knows";
const OTHER = "https://third.example.com";

/** What user code can reach: the client of a context, as the SDK hands it out. */
type Qstash = WorkflowContext["qstashClient"] & {
  readonly http: {
    request(request: object): Promise<unknown>;
    requestStream(request: object): unknown;
    requestWithBackoff(request: object): unknown;
  };
};

const STEP = { "Upstash-Workflow-Init": "false" };
const RUN = JSON.stringify({ stepId: 1, stepName: "x", stepType: "Run", out: MARKER, concurrent: 1 });
const START = { "Upstash-Workflow-Init": "true" };
const text = JSON.stringify({ secret: MARKER });
const message = (headers: object, body = text, destination = `${BASE}main`): string =>
  JSON.stringify([{ destination, headers, body }]);
const step = (more: object): string =>
  message(
    { "Upstash-Workflow-Init": "false" },
    JSON.stringify({ stepId: 1, stepName: "x", concurrent: 1, ...more }),
  );

const INVOKE = { stepId: 1, stepName: "x", stepType: "Invoke" };
const WAIT = { stepId: 1, stepName: "x", stepType: "Wait" };

type Send = (qstash: Qstash, run: string) => unknown;
const invocation = (request: object): Send => {
  const headers = { ...START, "Upstash-Workflow-Invoke": "true" };
  const path = ["v2", "publish", `${BASE}other`];
  return ({ http }) => http.request({ path, method: "POST", headers, body: JSON.stringify(request) });
};
const wait = (request: object): Send => {
  return ({ http }) =>
    http.request({ path: ["v2", "wait", "x"], method: "POST", body: JSON.stringify(request) });
};
const batch = (message: object): ((qstash: Qstash) => Promise<unknown>) => {
  return ({ http }) =>
    http.request({ path: ["v2", "batch"], method: "POST", body: JSON.stringify([message]) });
};

/** Messages to others: refused, unless an option allows them. */
const OTHERS: [name: string, send: Send][] = [
  ["a message to others", (qstash) => qstash.publishJSON({ url: OTHER, body: { secret: MARKER } })],
  ["a batch of messages to others", (qstash) => qstash.batch([{ url: OTHER, body: text, method: "POST" }])],
];

/** Requests that a later SDK, or user code with its client, could send. */
const UNKNOWN: [name: string, send: Send][] = [
  ["a step for another workflow", batch({ destination: `${BASE}other`, headers: STEP, body: RUN })],
  ["a step for another host", batch({ destination: `${OTHER}/workflows/main`, headers: STEP, body: RUN })],
  [
    "a path that is new",
    ({ http }) => http.request({ path: ["v2", "remember"], method: "POST", body: text }),
  ],
  ["a method that is new", ({ http }) => http.request({ path: ["v2", "batch"], method: "PUT", body: text })],
  ["a path in one piece", ({ http }) => http.request({ path: ["v2/batch"], method: "POST", body: text })],
  [
    "a longer path",
    ({ http }) =>
      http.request({
        path: ["v2", "batch", "x"],
        method: "POST",
        body: JSON.stringify([{ destination: `${BASE}main`, headers: START, body: text }]),
      }),
  ],
  [
    "a longer path of a message",
    ({ http }) =>
      http.request({
        path: ["v2", "publish", `${BASE}main`, "x"],
        method: "POST",
        headers: START,
        body: text,
      }),
  ],
  [
    "another host",
    ({ http }) => http.request({ path: ["v2", "notify", "x"], method: "POST", body: text, baseUrl: OTHER }),
  ],
  ["a body where none belongs", ({ http }) => http.request({ path: ["v2", "waiters", "x"], body: text })],
  [
    "a body of a cancellation",
    ({ http }) =>
      http.request({ path: ["v2", "workflows", "runs", "r?cancel=true"], method: "DELETE", body: text }),
  ],
  [
    "a cancellation of more than runs",
    ({ http }) =>
      http.request({
        path: ["v2", "workflows", "runs"],
        method: "DELETE",
        body: JSON.stringify({ workflowRunIds: [], note: MARKER }),
      }),
  ],
  [
    "a cancellation that is none",
    ({ http }) => http.request({ path: ["v2", "workflows", "runs"], method: "DELETE", body: `"${MARKER}"` }),
  ],
  [
    "a query where a body belongs",
    ({ http }) => http.request({ path: ["v2", `batch?${MARKER}`], method: "POST", body: "[]" }),
  ],
  [
    "the result of another run",
    ({ http }) =>
      http.request({ path: ["v2", "workflows", "runs", "r?cancel=false"], method: "DELETE", body: text }),
  ],
  [
    "a request past the door",
    ({ http }) =>
      http.requestWithBackoff({ path: ["v2", "publish", OTHER], method: "POST", headers: {}, body: text }),
  ],
  [
    "a path that an id leads to",
    ({ http }) => http.request({ path: ["v2", "notify", `../publish/${OTHER}`], method: "POST", body: text }),
  ],
  [
    "a path that an id leads to, encoded",
    ({ http }) => http.request({ path: ["v2", "waiters", "%2E./.%2e/v2/dlq"], method: "GET" }),
  ],
  [
    "a cancellation of many that holds more",
    ({ http }) =>
      http.request({ path: ["v2", "workflows", "runs"], method: "DELETE", body: `{"note":"${MARKER}"}` }),
  ],
  ["a stream", ({ http }) => http.requestStream({ path: ["llm"], method: "POST", body: text })],
  ["a batch that is none", ({ http }) => http.request({ path: ["v2", "batch"], method: "POST", body: text })],
  [
    "a batch of something else",
    ({ http }) => http.request({ path: ["v2", "batch"], method: "POST", body: `[${text}]` }),
  ],
  ["a member of a message that is new", batch({ destination: OTHER, headers: {}, note: MARKER })],
  ["a message to nowhere", batch({ headers: {}, body: text })],
  ["a message without headers", batch({ destination: OTHER, body: text })],
  ["a header that is no text", batch({ destination: OTHER, headers: { a: [MARKER] }, body: "x" })],
  ["a body that is no text", batch({ destination: OTHER, headers: {}, body: { secret: MARKER } })],
  ["a queue that is no text", batch({ destination: OTHER, headers: {}, body: "x", queue: [MARKER] })],
  [
    "a type of step that is new",
    ({ http }) =>
      http.request({
        path: ["v2", "batch"],
        method: "POST",
        body: step({ stepType: "Teleport", out: text }),
      }),
  ],
  [
    "a member of a step that is new",
    ({ http }) =>
      http.request({
        path: ["v2", "batch"],
        method: "POST",
        body: step({ stepType: "Run", out: "1", note: MARKER }),
      }),
  ],
  [
    "a result of a sleep",
    ({ http }) =>
      http.request({
        path: ["v2", "batch"],
        method: "POST",
        body: step({ stepType: "SleepFor", out: text }),
      }),
  ],
  [
    "a result of a step that is to be run",
    ({ http }) =>
      http.request({
        path: ["v2", "batch"],
        method: "POST",
        body: step({ stepId: 0, stepType: "Run", out: text, targetStep: 2 }),
      }),
  ],
  [
    "a result that is no text",
    ({ http }) =>
      http.request({
        path: ["v2", "batch"],
        method: "POST",
        body: step({ stepType: "Run", out: { secret: MARKER } }),
      }),
  ],
  [
    "a step that is no step",
    ({ http }) =>
      http.request({
        path: ["v2", "batch"],
        method: "POST",
        body: message({ "Upstash-Workflow-Init": "false" }, `"${MARKER}"`),
      }),
  ],
  ["an invocation that is none", invocation({ secret: MARKER })],
  ["an invocation with a member that is new", invocation({ body: "{}", step: INVOKE, note: MARKER })],
  ["an invocation without a step", invocation({ body: "{}", note: undefined })],
  ["an invocation with a payload that is no text", invocation({ body: { secret: MARKER }, step: INVOKE })],
  [
    "an invocation with a step that holds more",
    invocation({ body: "{}", step: { ...INVOKE, note: MARKER } }),
  ],
  ["an invocation with a result", invocation({ body: "{}", step: { ...INVOKE, out: MARKER } })],
  ["a wait that is none", wait({ secret: MARKER })],
  ["a wait without a step", wait({ url: BASE, step: null })],
  ["a wait that holds more", wait({ url: BASE, step: WAIT, note: MARKER })],
  ["a wait with a body for its time-out", wait({ url: BASE, step: WAIT, timeoutBody: MARKER })],
  ["a wait with a step that holds more", wait({ url: BASE, step: { ...WAIT, note: MARKER } })],
  ["a wait of a type that is new", wait({ url: BASE, step: { ...WAIT, stepType: "Teleport" } })],
  [
    "data of an event that is no text",
    ({ http }) => http.request({ path: ["v2", "notify", "x"], method: "POST", body: { secret: MARKER } }),
  ],
  [
    "a result of the run that is no text",
    ({ http }, run) =>
      http.request({
        path: ["v2", "workflows", "runs", `${run}?cancel=false`],
        method: "DELETE",
        body: { secret: MARKER },
      }),
  ],
];

const CASES: [name: string, send: Send, allow: "refuse" | "allow"][] = [
  ...OTHERS.map(([name, send]) => [name, send, "refuse"] as (typeof CASES)[number]),
  ...UNKNOWN.flatMap(([name, send]) =>
    (["refuse", "allow"] as const).map((allow) => [name, send, allow] as (typeof CASES)[number]),
  ),
];

describe("what this version does not know", () => {
  it.each(CASES)("does not leave: %s", async (_, send, allow) => {
    const thrown: unknown[] = [];
    const ran: string[] = [];
    const app = await createApp(
      {
        main: createWorkflow(async (context) => {
          await context.run("first", () => ran.push("first"));
          try {
            await send(context.qstashClient as Qstash, context.workflowRunId);
          } catch (error) {
            thrown.push(error);
          }
          await context.run("second", () => ran.push("second"));
        }),
      },
      { seal: { thirdPartyCalls: allow, webhooks: allow } },
    );
    const run = await app.trigger("main", { n: 1 }, { retries: 0 });
    await app.qstash.idle();

    expect(thrown.map((error) => error instanceof StepsealError && error.code)).toEqual(["REFUSED"]);
    expect(findPlaintext(app.qstash.wire, [MARKER])).toEqual([]);
    // Code that catches the refusal does not make it unhappen.
    expect(app.qstash.run(run).state).toBe("RUN_FAILED");
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["REFUSED"]);
    expect(String(thrown[0])).not.toContain(MARKER);
  });

  it("is not opened either: the state of another run", async () => {
    const thrown: unknown[] = [];
    let other = "";
    const app = await createApp({
      main: createWorkflow(async (context) => {
        await context.run("first", () => MARKER);
        if (other === "") return context.sleep("nap", 3600);
        const { http } = context.qstashClient as Qstash;
        await http.request({ path: ["v2", "workflows", "runs", other] }).catch((error) => thrown.push(error));
        await context.run("second", () => 1);
      }),
    });
    const first = await app.trigger("main", { n: 1 });
    await app.qstash.idle();
    other = first;
    await app.trigger("main", { n: 2 }, { retries: 0 });
    await app.qstash.idle();
    expect(thrown).toEqual([expect.objectContaining({ code: "CONTEXT" })]);
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["CONTEXT"]);
  });

  it("is a call's result, where nobody made the call", async () => {
    const app = await createApp(
      {
        main: createWorkflow(async (context) => {
          await context.run("first", () => 1);
          const body = JSON.stringify({ stepId: 2, stepName: "x", stepType: "Call", out: text });
          await batch({ destination: `${BASE}main`, headers: STEP, body })(context.qstashClient as Qstash);
        }),
      },
      { seal: { thirdPartyCalls: "allow" } },
    );
    await app.trigger("main", { n: 1 }, { retries: 0 });
    await app.qstash.idle();
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["CONTEXT"]);
    expect(findPlaintext(app.qstash.wire, [MARKER])).toEqual([]);
  });

  it("is found there without stepseal, where the SDK sends it", async () => {
    const app = await createApp(
      {
        main: createWorkflow(async (context) => {
          await context.run("first", () => 1);
          await context.qstashClient.publishJSON({ url: OTHER, body: { secret: MARKER } });
        }),
      },
      { seal: null },
    );
    await app.trigger("main");
    await app.qstash.idle();
    expect(findPlaintext(app.qstash.wire, [MARKER]).length).toBeGreaterThan(0);
  });

  it.each(UNKNOWN.filter(([name]) => name === "a step for another workflow"))(
    "does not leave where requests to third parties may: %s",
    async (_, send) => {
      const app = await createApp(
        {
          main: createWorkflow(async (context) => {
            await context.run("first", () => 1);
            await send(context.qstashClient as Qstash, context.workflowRunId);
          }),
        },
        { seal: { thirdPartyCalls: "allow" } },
      );
      await app.trigger("main", undefined, { retries: 0 });
      await app.qstash.idle();
      expect(findPlaintext(app.qstash.wire, [MARKER])).toEqual([]);
      expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["REFUSED"]);
    },
  );

  it("is refused to a client outside of runs, too", async () => {
    const { client, qstash } = await createApp({});
    const { http } = (client as unknown as { client: Qstash }).client;
    const headers = { "upstash-workflow-init": "false", "upstash-workflow-url": `${BASE}main` };
    await expect(
      http.request({ path: ["v2", "batch"], method: "POST", body: message(headers) }),
    ).rejects.toMatchObject({ code: "REFUSED" });
    expect(findPlaintext(qstash.wire, [MARKER])).toEqual([]);
  });
});

describe("where requests to third parties are allowed", () => {
  it.each<[string, (qstash: Qstash) => unknown]>([
    ["a message", (qstash) => qstash.publishJSON({ url: OTHER, body: { secret: MARKER } })],
    [
      "a message by a queue",
      (qstash) => qstash.batch([{ url: OTHER, body: text, method: "POST", queueName: "queue" }]),
    ],
  ])("%s to others leaves as it is", async (_, send) => {
    const app = await createApp(
      {
        main: createWorkflow(async (context) => {
          await context.run("first", async () => void (await send(context.qstashClient as Qstash)));
        }),
      },
      { seal: { thirdPartyCalls: "allow" } },
    );
    const run = await app.trigger("main", { n: 1 });
    await app.qstash.idle();
    expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
    expect(findPlaintext(app.qstash.wire, [MARKER]).length).toBeGreaterThan(0);
  });

  it("a call is named after its step, on each path that messages leave by", async () => {
    const headers = {
      ...STEP,
      "Upstash-Workflow-CallType": "toCallback",
      "Upstash-Callback-Forward-Upstash-Workflow-StepId": "2",
      "Upstash-Callback-Forward-Upstash-Workflow-StepName": "ask",
      "Upstash-Callback-Forward-Upstash-Workflow-StepType": "Call",
    };
    const app = await createApp(
      {
        main: createWorkflow(async (context) => {
          await context.run("first", async () => {
            const { http } = context.qstashClient as Qstash;
            await http.request({ path: ["v2", "publish", OTHER], method: "POST", headers, body: "x" });
          });
        }),
      },
      { seal: { thirdPartyCalls: "allow" } },
    );
    await app.trigger("main", { n: 1 });
    await app.qstash.idle();
    const [published] = app.qstash.wire.filter(({ url }) => url.includes("/v2/publish/https://third"));
    expect(published?.headers["upstash-callback-forward-stepseal-call"]).toMatch(/^ss1\./);
  });

  it("a payload is sealed all the same, whatever the case of its headers", async () => {
    const { client, qstash } = await createApp({}, { seal: { thirdPartyCalls: "allow" } });
    await batch({ destination: `${BASE}main`, headers: START, body: text })(
      (client as unknown as { client: Qstash }).client,
    ).catch(() => {});
    expect(qstash.wire.filter(({ channel }) => channel === "api")).toHaveLength(1);
    expect(findPlaintext(qstash.wire, [MARKER])).toEqual([]);
  });
});

describe("what the platform answers with an error", () => {
  it("is no refusal: code that catches it goes on", async () => {
    const caught: unknown[] = [];
    const app = await createApp({
      main: createWorkflow(async (context) => {
        await context.run("first", () => 1);
        const { http } = context.qstashClient as Qstash;
        await http
          .request({ path: ["v2", "workflows", "runs", "nobody"] })
          .catch((error) => caught.push(error));
        await context.run("second", () => 2);
      }),
    });
    const run = await app.trigger("main", { n: 1 });
    await app.qstash.idle();
    expect(caught).not.toEqual([]);
    expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
  });
});

describe("a client", () => {
  it("triggers no workflow at a URL that is not absolute", async () => {
    const { client } = await createApp({});
    await expect(client.trigger({ url: "/main", body: text })).rejects.toMatchObject({ code: "CONFIG" });
  });
});

describe("what an administrator's client sends", () => {
  it("passes: it holds names, ids and filters", async () => {
    const app = await createApp({
      main: createWorkflow(async (context) => context.waitForEvent("wait", "never", { timeout: "1d" })),
    });
    const runs = [await app.trigger("main"), await app.trigger("main"), await app.trigger("main")];
    await app.qstash.idle();
    expect(await app.client.getWaiters({ eventId: "never" })).toHaveLength(3);
    await app.client.cancel({ ids: runs[0] as string });
    await app.client.cancel({ urlStartingWith: BASE });
    expect(runs.map((run) => app.qstash.run(run).state)).toEqual([
      "RUN_CANCELED",
      "RUN_CANCELED",
      "RUN_CANCELED",
    ]);
  });

  it("brings dead letters back: resumed, and from the start", async () => {
    const ran: string[] = [];
    let broken = true;
    const app = await createApp({
      main: createWorkflow(async (context) => {
        await context.run("one", () => void ran.push("one"));
        await context.run("two", () => {
          if (broken) throw new WorkflowNonRetryableError("broken");
          ran.push("two");
        });
      }),
    });
    for (const _ of [1, 2]) await app.trigger("main");
    await app.qstash.idle();
    broken = false;
    const [first, second] = app.qstash.dlq.map(({ dlqId }) => dlqId);
    await app.client.dlq.resume({ dlqId: first as string });
    await app.client.dlq.restart({ dlqId: second as string });
    await app.qstash.idle();
    expect(app.qstash.runs.map(({ state }) => state).slice(2)).toEqual(["RUN_SUCCESS", "RUN_SUCCESS"]);
    expect(ran.sort()).toEqual(["one", "one", "one", "two", "two"]);
  });

  it("gets the state of a run as it is stored: only the run itself opens it", async () => {
    const app = await createApp({
      main: createWorkflow(async (context) => {
        await context.run("one", () => MARKER);
        await context.sleep("nap", 3600);
      }),
    });
    const run = await app.trigger("main", { n: 1 });
    await app.qstash.idle();
    const { http } = (app.client as unknown as { client: Qstash }).client;
    expect(await http.request({ path: ["v2", "workflows", "runs", run] })).toEqual(
      app.qstash.run(run).journal.map((entry) => expect.objectContaining({ body: entry.body })),
    );
  });

  it("passes for dead letters: ids, which say nothing", async () => {
    let isBroken = true;
    const told: unknown[] = [];
    const app = await createApp({
      main: createWorkflow(
        async (context) => {
          await context.run("one", () => 1);
          if (isBroken) throw new Error("failed");
        },
        {
          failureFunction: ({ failResponse }) => {
            told.push(failResponse);
            if (isBroken) throw new Error("failed, too");
          },
        },
      ),
    });
    for (let i = 0; i < 2; i++) await app.trigger("main", undefined, { retries: 0 });
    await app.qstash.advance("1d");
    const [first, second] = app.qstash.dlq.map(({ dlqId }) => dlqId) as [string, string];
    isBroken = false;
    await app.client.dlq.retryFailureFunction({ dlqId: first });
    await app.qstash.idle();
    expect(told.at(-1)).toBe("failed");
    const { workflowRunId } = await app.client.dlq.resume({ dlqId: first });
    await app.qstash.idle();
    expect(app.qstash.run(workflowRunId).state).toBe("RUN_SUCCESS");
    expect(app.qstash.dlq.map(({ dlqId }) => dlqId)).toContain(second);
    if (!("delete" in app.client.dlq)) return;
    await app.client.dlq.delete({ dlqIds: [second] });
    expect(app.qstash.dlq.map(({ dlqId }) => dlqId)).not.toContain(second);
  });

  it("passes as the oldest SDK writes it", async () => {
    const app = await createApp({
      main: createWorkflow(async (context) => {
        await context.run("one", () => 1);
        throw new Error("failed");
      }),
      waits: createWorkflow(async (context) => context.waitForEvent("wait", "never", { timeout: "1d" })),
    });
    const { http } = (app.client as unknown as { client: Qstash }).client;
    const failed = await app.trigger("main", undefined, { retries: 0 });
    const waiting = await app.trigger("waits");
    await app.qstash.idle();
    const logs = await http.request({ path: ["v2", "workflows", `events?workflowRunId=${failed}`] });
    expect(JSON.stringify(logs)).toContain("failed");
    const { dlqId } = app.qstash.dlq[0] ?? {};
    await http.request({ path: ["v2", "workflows", "dlq", `restart?dlqIds=${dlqId}`], method: "POST" });
    await http.request({
      path: ["v2", "workflows", "runs"],
      method: "DELETE",
      body: JSON.stringify({ workflowRunIds: [waiting] }),
    });
    expect(app.qstash.run(waiting).state).toBe("RUN_CANCELED");
  });
});

import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { StepsealError } from "stepseal";
import { findPlaintext } from "stepseal/testing";
import { describe, expect, it } from "vitest";
import { BASE, createApp } from "./harness.ts";

const MARKER = "planted-on-a-path-that-nobody-knows";
const OTHER = "https://third.example.com/hook";

/** What user code can reach: the client of a context, as the SDK hands it out. */
type Qstash = WorkflowContext["qstashClient"] & {
  readonly http: {
    request(request: object): Promise<unknown>;
    requestStream(request: object): unknown;
    requestWithBackoff(request: object): unknown;
  };
};

const text = JSON.stringify({ secret: MARKER });
const message = (headers: object, body = text, destination = `${BASE}main`): string =>
  JSON.stringify([{ destination, headers, body }]);
const step = (more: object): string =>
  message(
    { "Upstash-Workflow-Init": "false" },
    JSON.stringify({ stepId: 1, stepName: "x", concurrent: 1, ...more }),
  );

/** Requests that a later SDK, or user code with its client, could send. */
const UNKNOWN: [name: string, send: (qstash: Qstash) => unknown][] = [
  ["a message to others", (qstash) => qstash.publishJSON({ url: OTHER, body: { secret: MARKER } })],
  ["a batch of messages to others", (qstash) => qstash.batch([{ url: OTHER, body: text, method: "POST" }])],
  [
    "a path that is new",
    ({ http }) => http.request({ path: ["v2", "remember"], method: "POST", body: text }),
  ],
  ["a method that is new", ({ http }) => http.request({ path: ["v2", "batch"], method: "PUT", body: text })],
  ["a path in one piece", ({ http }) => http.request({ path: ["v2/batch"], method: "POST", body: text })],
  ["a longer path", ({ http }) => http.request({ path: ["v2", "batch", "x"], method: "POST", body: text })],
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
  [
    "a member of a message that is new",
    ({ http }) =>
      http.request({
        path: ["v2", "batch"],
        method: "POST",
        body: JSON.stringify([{ destination: OTHER, headers: {}, note: MARKER }]),
      }),
  ],
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
        body: step({ stepType: "Run", out: text, targetStep: 2 }),
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
    "the result of a call that nobody made",
    ({ http }) =>
      http.request({ path: ["v2", "batch"], method: "POST", body: step({ stepType: "Call", out: text }) }),
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
  [
    "a step for another workflow",
    ({ http }) =>
      http.request({
        path: ["v2", "batch"],
        method: "POST",
        body: message({ "Upstash-Workflow-Init": "false" }, text, `${BASE}other`),
      }),
  ],
  [
    "an invocation that is none",
    ({ http }) =>
      http.request({
        path: ["v2", "publish", `${BASE}other`],
        method: "POST",
        headers: { "Upstash-Workflow-Init": "true", "Upstash-Workflow-Invoke": "true" },
        body: text,
      }),
  ],
  [
    "an invocation with a member that is new",
    ({ http }) =>
      http.request({
        path: ["v2", "publish", `${BASE}other`],
        method: "POST",
        headers: { "Upstash-Workflow-Init": "true", "Upstash-Workflow-Invoke": "true" },
        body: JSON.stringify({
          body: "{}",
          step: { stepId: 1, stepName: "x", stepType: "Invoke" },
          note: MARKER,
        }),
      }),
  ],
  [
    "a wait that is none",
    ({ http }) => http.request({ path: ["v2", "wait", "x"], method: "POST", body: text }),
  ],
  [
    "a wait with a body for its time-out",
    ({ http }) =>
      http.request({
        path: ["v2", "wait", "x"],
        method: "POST",
        body: JSON.stringify({
          url: BASE,
          step: { stepId: 1, stepName: "x", stepType: "Wait" },
          timeoutBody: MARKER,
        }),
      }),
  ],
  [
    "a wait with a step that holds more",
    ({ http }) =>
      http.request({
        path: ["v2", "wait", "x"],
        method: "POST",
        body: JSON.stringify({
          url: BASE,
          step: { stepId: 1, stepName: "x", stepType: "Wait", note: MARKER },
        }),
      }),
  ],
];

describe("what this version does not know", () => {
  it.each(UNKNOWN)("does not leave: %s", async (_, send) => {
    const thrown: unknown[] = [];
    const ran: string[] = [];
    const app = await createApp({
      main: createWorkflow(async (context) => {
        await context.run("first", () => ran.push("first"));
        try {
          await send(context.qstashClient as Qstash);
        } catch (error) {
          thrown.push(error);
        }
        await context.run("second", () => ran.push("second"));
      }),
    });
    const run = await app.trigger("main", { n: 1 }, { retries: 0 });
    await app.qstash.idle();

    expect(thrown.map((error) => error instanceof StepsealError && error.code)).toEqual(["REFUSED"]);
    expect(findPlaintext(app.qstash.wire, [MARKER])).toEqual([]);
    // Code that catches the refusal does not make it unhappen.
    expect(app.qstash.run(run).state).toBe("RUN_FAILED");
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["REFUSED"]);
    expect(String(thrown[0])).not.toContain(MARKER);
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
            await send(context.qstashClient as Qstash);
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
});

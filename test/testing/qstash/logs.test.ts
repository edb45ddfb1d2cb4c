import { expect, test } from "vitest";
import { clientOf, platform, run, served, URL_OF_APP } from "./app.ts";

test("logs tell of a run that ended", async () => {
  const qstash = await platform();
  served<string, unknown>(qstash, async (context) => {
    await context.run("one", () => "first");
    await Promise.all([context.run("left", () => "l"), context.sleep("rest", 5)]);
    return { done: true };
  });
  const found = await run(qstash, { body: "some-body", label: "l" });
  await qstash.advance("5s");
  const { runs, cursor } = await clientOf(qstash).logs({ workflowRunId: found.id });
  expect(cursor).toBeUndefined();
  expect(runs).toMatchObject([
    {
      workflowRunId: found.id,
      workflowUrl: URL_OF_APP,
      workflowState: "RUN_SUCCESS",
      workflowRunCreatedAt: found.createdAt,
      workflowRunCompletedAt: found.createdAt + 5000,
      workflowRunResponse: '{"done":true}',
      labels: ["l"],
      steps: [
        {
          type: "sequential",
          steps: [
            {
              stepName: "init",
              stepType: "Initial",
              callType: "step",
              out: "some-body",
              concurrent: 1,
              retries: 3,
              state: "STEP_SUCCESS",
              headers: { "Content-Type": ["application/json"], "Upstash-Workflow-Sdk-Version": ["1"] },
            },
          ],
        },
        {
          type: "sequential",
          steps: [{ stepId: 1, stepName: "one", out: '"first"', state: "STEP_SUCCESS" }],
        },
        {
          type: "parallel",
          steps: [
            { stepId: 2, stepName: "left", out: '"l"' },
            { stepId: 3, stepName: "rest", stepType: "SleepFor", state: "STEP_SUCCESS" },
          ],
        },
      ],
    },
  ]);
});

test("logs tell what fails, what is tried again, and what the failure function did", async () => {
  const qstash = await platform();
  served(
    qstash,
    async (context) => {
      await context.run("bad", () => {
        throw new Error("broken");
      });
    },
    { failureFunction: () => "cleaned" },
  );
  const found = await run(qstash, { retries: 1 });
  const next = async (): Promise<unknown> =>
    (await clientOf(qstash).logs({ workflowRunId: found.id })).runs[0];
  const failing = { status: 500, time: found.createdAt, body: expect.stringContaining("broken") };
  expect(await next()).toMatchObject({
    workflowState: "RUN_STARTED",
    steps: [
      { type: "sequential" },
      { type: "next", steps: [{ state: "STEP_RETRY", stepName: "bad", retries: 1, errors: [failing] }] },
    ],
  });
  await qstash.advance("12s");
  expect(await next()).toMatchObject({
    workflowState: "RUN_FAILED",
    dlqId: found.dlqId,
    failureFunction: {
      url: URL_OF_APP,
      state: "CALLBACK_SUCCESS",
      failStatus: 500,
      failResponse: expect.stringContaining("broken"),
    },
    steps: [{ type: "sequential" }, { type: "next", steps: [{ state: "STEP_FAILED", errors: [{}, {}] }] }],
  });
});

test("logs filter by state, URL and label, newest first, ten at once", async () => {
  const qstash = await platform();
  served(qstash, async (context) => {
    await context.sleep("a while", "1h");
  });
  for (let index = 0; index < 12; index++)
    await run(qstash, { workflowRunId: `run-${index}`, label: `l-${index}` });
  const client = clientOf(qstash);
  await client.cancel("wfr_run-3");
  const first = await client.logs();
  expect(first.runs.map((one) => one.workflowRunId).slice(0, 2)).toEqual(["wfr_run-11", "wfr_run-10"]);
  const second = await client.logs({ cursor: first.cursor });
  expect([first.runs.length, second.runs.length]).toEqual([10, 2]);
  const ids = async (filter: object): Promise<string[]> =>
    (await client.logs({ filter })).runs.map((one) => one.workflowRunId);
  expect(await ids({ state: "RUN_CANCELED" })).toEqual(["wfr_run-3"]);
  expect(await ids({ label: ["l-1", "l-2"] })).toEqual(["wfr_run-2", "wfr_run-1"]);
  expect(await ids({ workflowUrl: "https://app.example.com" })).toEqual([]);
});

test("redacted fields are hashes in logs and dead letters, and plain in deliveries", async () => {
  const qstash = await platform({ retries: 0 });
  served<string, unknown>(qstash, async (context) => {
    await context.run("one", () => context.requestPayload.length);
    throw new Error("broken");
  });
  const found = await run(qstash, {
    body: "secret-payload",
    headers: { authorization: "secret-header", tenant: "a" },
    redact: { body: true, header: ["Authorization"] },
  });
  const client = clientOf(qstash);
  const told = JSON.stringify([await client.logs({ workflowRunId: found.id }), await client.dlq.list()]);
  expect(told).not.toContain("secret-payload");
  expect(told).not.toContain("secret-header");
  expect(told).toContain("REDACTED:");
  expect(told).toContain('"Tenant":["a"]');
  expect(qstash.deliveries[0]?.headers.authorization).toBe("secret-header");
});

import { WorkflowNonRetryableError, WorkflowRetryAfterError } from "@upstash/workflow";
import { expect, test } from "vitest";
import { clientOf, platform, run, served, URL_OF_APP } from "./app.ts";

test("a failing step is tried again with the platform's pauses until it succeeds", async () => {
  const qstash = await platform();
  const attempts: number[] = [];
  served(qstash, async (context) => {
    await context.run("first", () => 1);
    return context.run("flaky", () => {
      attempts.push(context.retried);
      if (attempts.length < 3) throw new Error("not yet");
      return "at last";
    });
  });
  const found = await run(qstash);
  await qstash.advance("11s");
  expect(attempts).toEqual([0]);
  await qstash.advance("1s");
  expect(attempts).toEqual([0, 1]);
  await qstash.advance("148s");
  expect(attempts).toEqual([0, 1, 2]);
  expect(found).toMatchObject({ state: "RUN_SUCCESS", result: '"at last"' });
  expect(qstash.dlq).toEqual([]);
});

test("the failure function is called once retries have run out", async () => {
  const qstash = await platform();
  const seen: unknown[] = [];
  served<{ name: string }, unknown>(
    qstash,
    async (context) => {
      await context.run("fine", () => 1);
      await context.run("bad", () => {
        throw new RangeError("out of range");
      });
    },
    {
      failureFunction: async ({ context, failStatus, failResponse, failStack, failHeaders }) => {
        seen.push({
          runId: context.workflowRunId,
          url: context.url,
          payload: context.requestPayload,
          tenant: context.headers.get("tenant"),
          label: context.label,
          failStatus,
          failResponse,
          stack: failStack.includes("RangeError"),
          step: failHeaders["Upstash-Error-Step-Name"],
        });
        return "cleaned";
      },
    },
  );
  const found = await run(qstash, { body: { name: "m" }, headers: { tenant: "a" }, label: "l", retries: 1 });
  expect(found.state).toBe("RUN_STARTED");
  await qstash.advance("12s");
  expect(found).toMatchObject({ state: "RUN_FAILED", failureCallback: "CALLBACK_SUCCESS" });
  expect(seen).toEqual([
    {
      runId: found.id,
      url: URL_OF_APP,
      payload: { name: "m" },
      tenant: "a",
      label: "l",
      failStatus: 500,
      failResponse: "out of range",
      stack: true,
      step: ["bad"],
    },
  ]);
  expect(qstash.dlq).toMatchObject([{ dlqId: found.dlqId, runId: found.id, responseStatus: 500 }]);
});

test("WorkflowNonRetryableError fails the run at once", async () => {
  const qstash = await platform();
  const statuses: number[] = [];
  served(
    qstash,
    async (context) => {
      await context.run("bad", () => {
        throw new WorkflowNonRetryableError("never");
      });
    },
    {
      failureFunction: ({ failStatus }) => {
        statuses.push(failStatus);
      },
    },
  );
  const found = await run(qstash);
  expect(found.state).toBe("RUN_FAILED");
  expect(statuses).toEqual([489]);
});

test("WorkflowRetryAfterError says when the step is tried again", async () => {
  const qstash = await platform();
  let attempts = 0;
  served(qstash, async (context) =>
    context.run("busy", () => {
      attempts += 1;
      if (attempts === 1) throw new WorkflowRetryAfterError("later", 7200);
      return attempts;
    }),
  );
  const found = await run(qstash);
  await qstash.advance("119m");
  expect(attempts).toBe(1);
  await qstash.advance("1m");
  expect(found.result).toBe("2");
});

test("a retry delay is an expression of the attempt", async () => {
  const qstash = await platform();
  const times: number[] = [];
  const start = qstash.now;
  served(qstash, async (context) => {
    await context.run("bad", () => {
      times.push((qstash.now - start) / 1000);
      throw new Error("no");
    });
  });
  await run(qstash, { retries: 3, retryDelay: "max(3000, pow(2, retried) * 2000) + 500" });
  await qstash.advance("1h");
  expect(times).toEqual([0, 3.5, 8, 16.5]);
});

test("a failure function that fails is tried again, and its state is told", async () => {
  const qstash = await platform();
  let calls = 0;
  served(
    qstash,
    async (context) => {
      await context.run("bad", () => {
        throw new Error("no");
      });
    },
    {
      failureFunction: () => {
        calls += 1;
        if (calls < 3) throw new Error("not yet");
      },
    },
  );
  const found = await run(qstash, { retries: 1 });
  await qstash.advance("30s");
  expect([calls, found.failureCallback]).toEqual([2, "CALLBACK_FAIL"]);
  await clientOf(qstash).dlq.retryFailureFunction({ dlqId: found.dlqId ?? "" });
  await qstash.idle();
  expect([calls, found.failureCallback]).toEqual([3, "CALLBACK_SUCCESS"]);
});

test("an endpoint that is no workflow fails the run at once", async () => {
  const qstash = await platform();
  qstash.serve(URL_OF_APP, async () => new Response("hello"));
  const found = await run(qstash);
  expect(found.state).toBe("RUN_FAILED");
});

test("a URL nobody serves is no route", async () => {
  const qstash = await platform({ retries: 0 });
  qstash.publish({ url: "https://elsewhere.example.com/", body: "text" });
  await qstash.idle();
  expect(qstash.deliveries).toMatchObject([
    { kind: "message", status: 404, problem: "no route", body: "text" },
  ]);
  expect(qstash.dlq.length).toBe(1);
});

import { expect, test } from "vitest";
import { clientOf, platform, run, served, stepsOf, URL_OF_APP } from "./app.ts";

/** A workflow whose second step fails until it is mended. */
async function broken(): Promise<{
  qstash: Awaited<ReturnType<typeof platform>>;
  ran: string[];
  mend: () => void;
  failed: Awaited<ReturnType<typeof run>>;
}> {
  const qstash = await platform({ retries: 0 });
  const ran: string[] = [];
  let isBroken = true;
  served<string, unknown>(qstash, async (context) => {
    const one = await context.run("one", () => {
      ran.push("one");
      return "stored";
    });
    return context.run("two", () => {
      ran.push("two");
      if (isBroken) throw new Error("broken");
      return [context.requestPayload, one, context.headers.get("tenant")];
    });
  });
  const mend = (): void => {
    isBroken = false;
  };
  return {
    qstash,
    ran,
    mend,
    failed: await run(qstash, { body: "payload", headers: { tenant: "a" }, label: "l" }),
  };
}

test("resume goes on with the stored steps under a new run id", async () => {
  const { qstash, ran, mend, failed } = await broken();
  expect(failed.state).toBe("RUN_FAILED");
  mend();
  const { workflowRunId } = await clientOf(qstash).dlq.resume({ dlqId: failed.dlqId ?? "" });
  await qstash.idle();
  const resumed = qstash.run(workflowRunId);
  expect(workflowRunId).not.toBe(failed.id);
  expect(resumed).toMatchObject({ state: "RUN_SUCCESS", rerunOf: failed.id, label: "l" });
  expect(resumed.result).toBe('["payload","stored","a"]');
  expect(ran).toEqual(["one", "two", "two"]);
  expect(resumed.journal[1]?.body).toBe(failed.journal[1]?.body);
  expect(qstash.dlq).toEqual([]);
});

test("restart runs from scratch", async () => {
  const { qstash, ran, mend, failed } = await broken();
  mend();
  const restarted = qstash.restart(failed.dlqId ?? "");
  await qstash.idle();
  expect(restarted).toMatchObject({
    state: "RUN_SUCCESS",
    result: '["payload","stored","a"]',
    rerunOf: failed.id,
  });
  expect(ran).toEqual(["one", "two", "one", "two"]);
  expect(stepsOf(restarted).length).toBe(2);
});

test("a run that is resumed may fail again, with retries of its own", async () => {
  const { qstash, failed, ran } = await broken();
  const resumed = qstash.resume(failed.dlqId ?? "");
  await qstash.idle();
  expect(resumed.state).toBe("RUN_FAILED");
  const { workflowRuns } = await clientOf(qstash).dlq.resume(resumed.dlqId ?? "", { retries: 2 });
  await qstash.advance("1h");
  expect(qstash.run(workflowRuns[0]!.workflowRunId).state).toBe("RUN_FAILED");
  expect(ran.filter((step) => step === "two").length).toBe(1 + 1 + 3);
});

test("parallel branches of a run that failed go on when it is resumed", async () => {
  const qstash = await platform({ retries: 0 });
  let isBroken = true;
  served(qstash, async (context) => {
    const [left, , event] = await Promise.all([
      context.run("left", () => {
        if (isBroken) throw new Error("broken");
        return "left";
      }),
      context.sleep("an hour", "1h"),
      context.waitForEvent("event", "event", { timeout: "1d" }),
    ]);
    return [left, event.eventData];
  });
  const failed = await run(qstash);
  isBroken = false;
  const resumed = qstash.resume(failed.dlqId ?? "");
  await qstash.advance("1h");
  qstash.notify("event", "data");
  await qstash.idle();
  expect(resumed.result).toBe('["left","data"]');
});

test("a resumed run's journal can be fetched", async () => {
  const qstash = await platform({ retries: 0, lazyFetchAboveBytes: 0 });
  let isBroken = true;
  served(qstash, async (context) => {
    const one = await context.run("one", () => 1);
    return context.run("two", () => {
      if (isBroken) throw new Error("broken");
      return one + 1;
    });
  });
  const failed = await run(qstash);
  isBroken = false;
  const resumed = qstash.resume(failed.dlqId ?? "");
  await qstash.idle();
  expect(resumed.result).toBe("2");
});

test("the client lists, filters and deletes dead letters", async () => {
  const { qstash, failed } = await broken();
  const second = await run(qstash, { label: "m" });
  const client = clientOf(qstash);
  const { messages, cursor } = await client.dlq.list();
  expect(cursor).toBeUndefined();
  expect(messages).toMatchObject([
    {
      dlqId: failed.dlqId,
      workflowRunId: failed.id,
      workflowUrl: URL_OF_APP,
      workflowCreatedAt: failed.createdAt,
      responseStatus: 500,
      responseBody: expect.stringContaining("broken"),
      maxRetries: 0,
      labels: ["l"],
      failureCallback: URL_OF_APP,
      failureCallbackInfo: { state: "CALLBACK_SUCCESS" },
    },
    { workflowRunId: second.id, labels: ["m"] },
  ]);
  const page = await client.dlq.list({ count: 1, filter: { label: ["l", "m"] } });
  expect([page.messages.length, page.cursor]).toEqual([1, "1"]);
  expect((await client.dlq.list({ filter: { workflowRunId: second.id } })).messages.length).toBe(1);
  expect(await client.dlq.delete(failed.dlqId ?? "")).toMatchObject({ deleted: 1 });
  expect(await client.dlq.restart({ all: true })).toMatchObject({ workflowRuns: [{}] });
  expect(qstash.dlq).toEqual([]);
  await expect(client.dlq.retryFailureFunction({ dlqId: "1-1" })).rejects.toThrow("not found");
});

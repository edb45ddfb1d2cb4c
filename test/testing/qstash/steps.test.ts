import { expect, test } from "vitest";
import { findPlaintext } from "../../../src/testing/index.ts";
import { clientOf, platform, run, served, stepsOf, URL_OF_APP } from "./app.ts";

test("three steps run once each, and the run ends with what the workflow returns", async () => {
  const qstash = await platform();
  const ran: string[] = [];
  served<{ name: string }, unknown>(qstash, async (context) => {
    const one = await context.run("one", () => ran.push("one"));
    const two = await context.run("two", () => ran.push("two") + one);
    const three = await context.run("three", async () => `${context.requestPayload.name} ${two}`);
    return { three };
  });
  const found = await run(qstash, { body: { name: "Marguerite" } });
  expect(ran).toEqual(["one", "two"]);
  expect(found.state).toBe("RUN_SUCCESS");
  expect(found.result).toBe('{"three":"Marguerite 3"}');
  expect(stepsOf(found).map((step) => [step.stepId, step.stepName, step.out])).toEqual([
    [1, "one", "1"],
    [2, "two", "3"],
    [3, "three", '"Marguerite 3"'],
  ]);
});

test("a delivery carries the journal up to its own step, the payload first", async () => {
  const qstash = await platform();
  served(qstash, async (context) => {
    await context.run("one", () => 1);
    await context.run("two", () => 2);
  });
  const found = await run(qstash, { body: "payload", headers: { tenant: "a" }, label: ["x", "y"] });
  const bodies = qstash.deliveries.map(
    (one) => JSON.parse(one.body) as { messageId: string; body: string }[],
  );
  expect(bodies.map((body) => body.length)).toEqual([1, 2, 3]);
  expect(bodies[0]).toEqual([{ messageId: expect.any(String), body: btoa("payload"), callType: "step" }]);
  expect(bodies[2]?.[2]?.messageId).toBe(qstash.deliveries[2]?.messageId);
  for (const { headers } of qstash.deliveries) {
    expect(headers).toMatchObject({
      tenant: "a",
      "upstash-label": "x,y",
      "upstash-workflow-runid": found.id,
      "upstash-workflow-sdk-version": "1",
      "upstash-retried": "0",
    });
  }
  expect(found.labels).toEqual(["x", "y"]);
});

test("a direct trigger starts a run through the app", async () => {
  const qstash = await platform();
  served<{ name: string }, string>(qstash, async (context) => {
    const tenant = context.headers.get("tenant");
    return context.run("greet", () => `Hello ${context.requestPayload.name} of ${tenant}`);
  });
  qstash.publish({ url: URL_OF_APP, body: { name: "Marguerite" }, headers: { tenant: "a" } });
  await qstash.idle();
  expect(qstash.deliveries.map((one) => one.kind)).toEqual(["message", "step", "step"]);
  expect(qstash.runs.map((one) => one.result)).toEqual(['"Hello Marguerite of a"']);
});

test("a run id is taken while its run goes on", async () => {
  const qstash = await platform();
  served(qstash, async (context) => {
    await context.sleep("a while", 60);
  });
  await run(qstash, { workflowRunId: "one" });
  await run(qstash, { workflowRunId: "one" });
  expect(qstash.runs.length).toBe(1);
  await qstash.advance("1m");
  await run(qstash, { workflowRunId: "one" });
  expect(qstash.runs.map((one) => one.state)).toEqual(["RUN_SUCCESS", "RUN_STARTED"]);
});

test("parallel steps and sleeps end together, each stored once", async () => {
  const qstash = await platform({ now: 1_700_000_000_000 });
  const ran: string[] = [];
  served(qstash, async (context) => {
    const results = await Promise.all([
      context.run("left", () => ran.push("left")),
      context.sleep("an hour", "1h"),
      context.run("right", () => ran.push("right")),
      context.sleepUntil("tomorrow", qstash.now / 1000 + 24 * 3600),
    ]);
    return results.length + (await context.run("after", () => ran.push("after")));
  });
  const found = await run(qstash);
  expect(ran).toEqual(["left", "right"]);
  await qstash.advance("23h");
  expect(found.state).toBe("RUN_STARTED");
  await qstash.advance("1h");
  expect(ran).toEqual(["left", "right", "after"]);
  expect(found.result).toBe("7");
});

test("a sleep holds the run for its time", async () => {
  const qstash = await platform({ now: 1_700_000_000_000 });
  served(qstash, async (context) => {
    await context.sleep("a day", "1d");
    await context.sleepUntil("a date", 1_700_000_000 + 3 * 24 * 3600);
    return "awake";
  });
  const found = await run(qstash);
  await qstash.advance("71h");
  expect(found.state).toBe("RUN_STARTED");
  await qstash.advance("1h");
  expect(found.result).toBe('"awake"');
  expect(found.completedAt).toBe(1_700_000_000_000 + 3 * 24 * 3_600_000);
});

test("a journal above the limit is fetched by the app", async () => {
  const qstash = await platform({ lazyFetchAboveBytes: 400 });
  served<string, number>(qstash, async (context) => {
    const parts = await Promise.all([
      context.run("left", () => context.requestPayload + context.requestPayload),
      context.run("right", () => "r".repeat(300)),
    ]);
    return context.run("sum", () => parts.join("").length);
  });
  const found = await run(qstash, { body: "p".repeat(400) });
  expect(found.result).toBe("1100");
  expect(qstash.deliveries.every((one) => one.body === "")).toBe(true);
  const fetched = qstash.wire.filter((one) => one.method === "GET");
  expect(fetched.length).toBe(qstash.deliveries.length);
  expect(fetched[0]).toMatchObject({ url: `${qstash.url}/v2/workflows/runs/${found.id}`, status: 200 });
});

test("the wire shows what a workflow without sealing gives away", async () => {
  const qstash = await platform();
  served<string, string>(qstash, async (context) => {
    await context.run("note", () => "step-result-marker");
    return "return-value-marker";
  });
  await run(qstash, { body: "payload-marker-1", headers: { secret: "header-marker-1" } });
  const needles = ["step-result-marker", "return-value-marker", "payload-marker-1", "header-marker-1"];
  const hits = findPlaintext(qstash.wire, [...needles, "nowhere-marker"]);
  expect([...new Set(hits.map((hit) => hit.needle))].sort()).toEqual(needles.sort());
  expect(qstash.wire.map((one) => `${one.channel} ${one.method}`)).toEqual([
    "api POST",
    "api POST",
    "response POST",
    "api DELETE",
    "response POST",
  ]);
});

test("a batch of triggers starts a run each", async () => {
  const qstash = await platform();
  served<number, number>(qstash, async (context) => context.run("double", () => context.requestPayload * 2));
  await clientOf(qstash).trigger([
    { url: URL_OF_APP, body: 1 },
    { url: URL_OF_APP, body: 2, delay: "1m" },
  ]);
  await qstash.idle();
  expect(qstash.runs.map((one) => one.result)).toEqual(["2", undefined]);
  await qstash.advance("1m");
  expect(qstash.runs.map((one) => one.result)).toEqual(["2", "4"]);
});

test("the API starts a run without an SDK's client", async () => {
  const qstash = await platform();
  served<string, string>(qstash, async (context) =>
    context.run("greet", () => `Hello ${context.requestPayload}`),
  );
  const response = await fetch(`${qstash.url}/v2/trigger/${URL_OF_APP}`, {
    method: "POST",
    headers: { authorization: `Bearer ${qstash.token}` },
    body: "Marguerite",
  });
  const { workflowRunId } = (await response.json()) as { workflowRunId: string };
  await qstash.idle();
  expect(qstash.run(workflowRunId).result).toBe('"Hello Marguerite"');
});

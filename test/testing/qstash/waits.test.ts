import { serve } from "@upstash/workflow";
import { expect, test } from "vitest";
import { clientOf, platform, run, served, stepsOf, URL_OF_APP } from "./app.ts";

test("a wait ends with the event, whose data the step gets", async () => {
  const qstash = await platform();
  served(qstash, async (context) => {
    const { eventData, timeout } = await context.waitForEvent("paid", "order-17", { timeout: "2d" });
    return { eventData, timeout };
  });
  const found = await run(qstash);
  const client = clientOf(qstash);
  expect(await client.getWaiters({ eventId: "order-17" })).toMatchObject([
    { url: URL_OF_APP, deadline: Math.ceil(qstash.now / 1000) + 2 * 86_400, timeoutUrl: URL_OF_APP },
  ]);
  const notified = await client.notify({ eventId: "order-17", eventData: { amount: 3, who: "Müller" } });
  expect(notified).toMatchObject([{ waiter: { url: URL_OF_APP }, messageId: expect.any(String), error: "" }]);
  expect(await client.getWaiters({ eventId: "order-17" })).toEqual([]);
  await qstash.idle();
  expect(found.result).toBe('{"eventData":{"amount":3,"who":"Müller"},"timeout":false}');
  expect(stepsOf(found)).toMatchObject([{ stepName: "paid", stepType: "Wait", waitEventId: "order-17" }]);
});

test("a wait for which no event comes times out", async () => {
  const qstash = await platform();
  served(qstash, async (context) => context.waitForEvent("paid", "order-17", { timeout: 90 }));
  const found = await run(qstash);
  await qstash.advance("89s");
  expect(found.state).toBe("RUN_STARTED");
  await qstash.advance("1s");
  expect(found.result).toBe('{"timeout":true}');
  expect(qstash.notify("order-17", "late")).toEqual([]);
});

test("a workflow notifies another", async () => {
  const qstash = await platform();
  served<string, unknown>(qstash, async (context) => {
    if (context.requestPayload === "waiter") return (await context.waitForEvent("wait", "event")).eventData;
    const { notifyResponse, eventData } = await context.notify("tell", "event", {
      from: context.requestPayload,
    });
    return [notifyResponse.length, eventData];
  });
  const waiter = await run(qstash, { body: "waiter" });
  const teller = await run(qstash, { body: "teller" });
  expect(waiter.result).toBe('{"from":"teller"}');
  expect(teller.result).toBe('[1,{"from":"teller"}]');
});

test("an event without a run id is lost when nobody waits; with one it is kept for that run", async () => {
  const qstash = await platform();
  served(qstash, async (context) => {
    await context.sleep("first", "1h");
    const lost = await context.waitForEvent("lost", "for-all", { timeout: "1m" });
    const kept = await context.waitForEvent("kept", "for-one", { timeout: "1m" });
    return [lost.timeout, kept.eventData];
  });
  const [one, other] = [await run(qstash), await run(qstash)];
  qstash.notify("for-all", "data");
  await clientOf(qstash).notify({ eventId: "for-one", eventData: "data", workflowRunId: one.id });
  await qstash.advance("2h");
  expect([one.result, other.result]).toEqual(['[true,"data"]', "[true,null]"]);
});

test("waits in parallel end one by one", async () => {
  const qstash = await platform();
  served(qstash, async (context) => {
    const ends = await Promise.all([
      context.waitForEvent("a", "a", { timeout: "1h" }),
      context.waitForEvent("b", "b", { timeout: "2h" }),
      context.run("c", () => "c"),
    ]);
    return ends.map((end) => (typeof end === "string" ? end : (end.eventData ?? end.timeout)));
  });
  const found = await run(qstash);
  qstash.notify("b", "from b");
  await qstash.advance("1h");
  expect(found.result).toBe('[true,"from b","c"]');
});

test("a webhook is called by a third party, before or after the run waits for it", async () => {
  const qstash = await platform();
  const urls: string[] = [];
  served(qstash, async (context) => {
    const first = await context.createWebhook("make first");
    const second = await context.createWebhook("make second");
    await context.run("tell", () => urls.push(first.webhookUrl, second.webhookUrl));
    const early = await context.waitForWebhook("early", first, "1h");
    const late = await context.waitForWebhook("late", second, "1h");
    if (early.timeout) return "no call";
    const { request } = early;
    return [
      request.method,
      request.url === first.webhookUrl,
      request.headers.get("x-who"),
      await request.json(),
      late,
    ];
  });
  const { id } = await run(qstash);
  expect(urls[0]).toMatch(`${qstash.url}/v2/workflows/hooks/test-user/${id}/evt_`);
  const call = {
    method: "PUT",
    headers: { "x-who": "bank" },
    body: '{"amount":3}',
  };
  expect((await fetch(urls[0]!, call)).status).toBe(200);
  await qstash.advance("1h");
  expect(qstash.run(id).result).toBe('["PUT",true,"bank",{"amount":3},{"timeout":true}]');
});

test("a webhook that is called twice ends two waits", async () => {
  const qstash = await platform();
  served(qstash, async (context) => {
    const webhook = await context.createWebhook("make");
    await context.run("tell", async () => {
      for (const body of ["first", "second"]) await fetch(webhook.webhookUrl, { method: "POST", body });
    });
    const bodies: unknown[] = [];
    for (const name of ["one", "two"]) {
      const { request } = await context.waitForWebhook(name, webhook, "1h");
      bodies.push(await request?.text());
    }
    return bodies;
  });
  expect((await run(qstash)).result).toBe('["first","second"]');
});

test("what a third party calls a webhook with is on the wire only as a call of the API", async () => {
  const qstash = await platform();
  qstash.serve(
    URL_OF_APP,
    serve(async (context) => context.waitForWebhook("w", await context.createWebhook("c"), "1h"), {
      env: qstash.env,
    }).handler,
  );
  await run(qstash);
  expect(qstash.wire.every((entry) => entry.channel === "api" || entry.url === URL_OF_APP)).toBe(true);
});

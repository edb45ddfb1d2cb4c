import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { findPlaintext } from "../../../src/testing/index.ts";
import { platform, run, served } from "./app.ts";

const BANK = "https://bank.example.com";

test("the platform makes the request of a call, and its answer comes back as a step", async () => {
  const qstash = await platform();
  const asked: unknown[] = [];
  qstash.serve(BANK, async (request) => {
    const { method, url } = request;
    asked.push([
      method,
      url,
      request.headers.get("x-key"),
      request.headers.get("tenant"),
      await request.json(),
    ]);
    return Response.json({ ok: true, who: "Müller" }, { status: 201, headers: { "x-trace": "t" } });
  });
  served(qstash, async (context) => {
    const { status, body, header } = await context.call("charge", {
      url: `${BANK}/charges?now=1`,
      method: "POST",
      body: JSON.stringify({ amount: 3 }),
      headers: { "x-key": "k" },
    });
    return context.run("use", () => [status, body, header["X-Trace"]]);
  });
  const found = await run(qstash, { headers: { tenant: "not for the bank" } });
  expect(asked).toEqual([["POST", `${BANK}/charges?now=1`, "k", null, { amount: 3 }]]);
  expect(found.result).toBe('[201,{"ok":true,"who":"Müller"},["t"]]');
  expect(qstash.deliveries.map((one) => one.kind)).toEqual(["step", "call", "callback", "step", "step"]);
  expect(found.journal.map((entry) => entry.callType)).toEqual([
    "step",
    "toCallback",
    "fromCallback",
    "step",
    "step",
  ]);
});

test("a call that fails is tried as often as it says, and its last answer is the step's result", async () => {
  const qstash = await platform();
  let calls = 0;
  qstash.serve(BANK, async () => {
    calls += 1;
    return new Response(`call ${calls}`, { status: 503, headers: { "content-type": "text/plain" } });
  });
  served(qstash, async (context) => {
    const { status, body } = await context.call("charge", { url: BANK, retries: 2, retryDelay: "1000" });
    return [status, body];
  });
  const found = await run(qstash, { retries: 0 });
  expect(calls).toBe(1);
  await qstash.advance("2s");
  expect(calls).toBe(3);
  expect(found).toMatchObject({ state: "RUN_SUCCESS", result: '[503,"call 3"]' });
});

test("what a third party answers left nobody's app, but what the app makes of it has", async () => {
  const qstash = await platform();
  qstash.serve(BANK, async () => new Response("answer-of-the-bank"));
  served(qstash, async (context) => {
    await context.call("charge", { url: BANK, body: "question-to-the-bank", method: "POST" });
  });
  await run(qstash);
  const hits = findPlaintext(qstash.wire, ["answer-of-the-bank", "question-to-the-bank"]);
  expect(hits.map((hit) => [hit.needle, hit.channel])).toEqual([
    ["question-to-the-bank", "api"],
    ["answer-of-the-bank", "api"],
  ]);
});

test("a third party on this machine is called over the network, any other is no route", async () => {
  const server = createServer((_, response) => response.end("local answer"));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const qstash = await platform();
  served(qstash, async (context) => {
    const near = await context.call("near", { url: `http://127.0.0.1:${port}/` });
    const far = await context.call("far", { url: "https://far.example.com/" });
    return [near.body, far.status];
  });
  const found = await run(qstash);
  expect(found.result).toBe('["local answer",404]');
  expect(qstash.deliveries.map((one) => one.problem).filter(Boolean)).toEqual(["no route"]);
});

test("a message that is no workflow's has a callback and a failure callback", async () => {
  const qstash = await platform();
  const told: unknown[] = [];
  let fails = true;
  qstash.serve(BANK, async () => new Response("done", { status: fails ? 500 : 200 }));
  qstash.serve("https://app.example.com/told", async (request) => {
    const { status, retried, maxRetries, body, sourceBody, dlqId } = JSON.parse(await request.text());
    const kind = request.headers.get("x-kind");
    told.push([kind, status, retried, maxRetries, atob(body), atob(sourceBody), typeof dlqId]);
    return new Response();
  });
  const send = async (): Promise<void> => {
    qstash.publish({
      url: BANK,
      body: "text",
      headers: {
        "Upstash-Retries": "1",
        "Upstash-Callback": "https://app.example.com/told",
        "Upstash-Callback-Forward-X-Kind": "callback",
        "Upstash-Failure-Callback": "https://app.example.com/told",
        "Upstash-Failure-Callback-Forward-X-Kind": "failure",
      },
    });
    await qstash.advance("1m");
  };
  await send();
  fails = false;
  await send();
  expect(told).toEqual([
    ["callback", 500, 0, 1, "done", "text", "undefined"],
    ["callback", 500, 1, 1, "done", "text", "undefined"],
    ["failure", 500, 1, 1, "done", "text", "string"],
    ["callback", 200, 0, 1, "done", "text", "undefined"],
  ]);
});

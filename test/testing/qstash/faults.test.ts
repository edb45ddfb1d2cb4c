import { expect, test } from "vitest";
import type { Fault, TestQstash } from "../../../src/testing/index.ts";
import { platform, run, served } from "./app.ts";

/** A workflow whose deliveries meet these faults, in this order, and how often its step ran. */
async function faulty(faults: (Fault | undefined)[]): Promise<{ qstash: TestQstash; ran: unknown[] }> {
  const ran: unknown[] = [];
  const qstash = await platform({ fault: () => faults.shift() });
  served(qstash, async (context) => {
    const done = await context.run("one", () => {
      ran.push(context.requestPayload);
      return context.requestPayload;
    });
    await context.sleep("nap", "1h");
    return done;
  });
  return { qstash, ran };
}

const problems = (qstash: TestQstash) => qstash.deliveries.map(({ problem }) => problem);

test("a lost delivery never reaches the app, and is tried again", async () => {
  const { qstash, ran } = await faulty(["lost"]);
  const found = await run(qstash, { body: "a" });
  expect(ran).toEqual([]);
  expect(qstash.wire.filter(({ channel }) => channel === "response")).toEqual([]);
  expect(problems(qstash)).toEqual(["no answer: lost"]);
  await qstash.advance("2h");
  expect(ran).toEqual(["a"]);
  expect(found).toMatchObject({ state: "RUN_SUCCESS", result: `"a"` });
});

test("an unanswered delivery was handled, and is tried again", async () => {
  const { qstash, ran } = await faulty(["unanswered"]);
  const found = await run(qstash, { body: "a" });
  expect(ran).toEqual(["a"]);
  expect(problems(qstash)[0]).toBe("no answer: unanswered");
  expect(qstash.wire.some(({ channel }) => channel === "response")).toBe(true);
  await qstash.advance("2h");
  expect(ran).toEqual(["a", "a"]);
  expect(found).toMatchObject({ state: "RUN_SUCCESS", result: `"a"` });
});

test("a repeated delivery is handled twice, each with a signature of its own, and the run ends once", async () => {
  const { qstash, ran } = await faulty(["repeated"]);
  const found = await run(qstash, { body: "a" });
  expect(ran).toEqual(["a", "a"]);
  await qstash.advance("2h");
  expect(found).toMatchObject({ state: "RUN_SUCCESS", result: `"a"` });
  expect(qstash.deliveries[1]?.messageId).toBe(qstash.deliveries[0]?.messageId);
  const signatures = qstash.deliveries.slice(0, 2).map(({ headers }) => headers["upstash-signature"]);
  expect(new Set(signatures).size).toBe(2);
});

test("a delayed delivery is overtaken, and uses up no retry", async () => {
  const { qstash, ran } = await faulty([{ delay: "10m" }]);
  const first = await run(qstash, { body: "a" });
  await run(qstash, { body: "b" });
  await qstash.advance("9m");
  expect(ran).toEqual(["b"]);
  await qstash.advance("1m");
  expect(ran).toEqual(["b", "a"]);
  await qstash.advance("2h");
  expect(first).toMatchObject({ state: "RUN_SUCCESS", result: `"a"` });
  expect(new Set(qstash.deliveries.map(({ attempt }) => attempt))).toEqual(new Set([0]));
});

import { expect, test } from "vitest";
import { clientOf, platform, run, served, URL_OF_APP } from "./app.ts";

test("a run that is canceled goes on with nothing", async () => {
  const qstash = await platform();
  let after = 0;
  served(qstash, async (context) => {
    await context.sleep("a while", "1h");
    await context.run("after", () => {
      after += 1;
    });
  });
  const found = await run(qstash);
  const client = clientOf(qstash);
  expect(await client.cancel(found.id)).toEqual({ cancelled: 1 });
  expect(await client.cancel(found.id)).toEqual({ cancelled: 0 });
  await qstash.advance("1h");
  expect([found.state, after]).toEqual(["RUN_CANCELED", 0]);
});

test("a step of a run that is canceled meanwhile is not stored, and is no failure", async () => {
  const qstash = await platform();
  served(qstash, async (context) => {
    await context.run("step", async () => {
      await clientOf(qstash).cancel(context.workflowRunId);
    });
  });
  const found = await run(qstash);
  expect(found).toMatchObject({ state: "RUN_CANCELED", journal: [{}] });
  expect(qstash.deliveries.map((one) => one.status)).toEqual([200]);
});

test("context.cancel ends the run", async () => {
  const qstash = await platform();
  served(qstash, async (context) => {
    await context.run("step", () => 1);
    await context.cancel();
  });
  expect((await run(qstash)).state).toBe("RUN_CANCELED");
});

test("many runs are canceled by URL, label, or all at once", async () => {
  const qstash = await platform();
  served(qstash, async (context) => {
    await context.sleep("a while", "1h");
  });
  const client = clientOf(qstash);
  for (const label of ["a", "b", "c"]) await run(qstash, { label });
  expect(await client.cancel({ filter: { label: ["a", "z"] } })).toEqual({ cancelled: 1 });
  expect(await client.cancel({ filter: { workflowUrl: "https://app.example.com" } })).toEqual({
    cancelled: 0,
  });
  expect(await client.cancel({ filter: { workflowUrlStartingWith: URL_OF_APP }, count: 1 })).toEqual({
    cancelled: 1,
  });
  expect(await client.cancel({ all: true })).toEqual({ cancelled: 1 });
});

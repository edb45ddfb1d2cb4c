import { Inngest, type Middleware } from "inngest";
import { serve } from "inngest/edge";
import { generateKey } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import { createTestEngine, findPlaintext } from "stepseal/testing";
import { expect, test } from "vitest";

const ADDRESS = "12 Harbour Street";

/** Plays an order: charged at the second attempt, shipped a day later. */
async function playOrder(middleware: Middleware.Class[]) {
  const engine = createTestEngine();
  const shipped: unknown[] = [];

  // The app, as it is in production; only the client's options differ.
  const inngest = new Inngest({ id: "shop", middleware, ...engine.clientOptions });
  let failures = 1;
  const order = inngest.createFunction(
    { id: "order", triggers: [{ event: "shop/ordered" }], retries: 2 },
    async ({ event, step }) => {
      const { orderId, encrypted } = event.data;
      const label = await step.run("charge", () => {
        if (failures-- > 0) throw new Error("the bank is busy");
        return `order ${orderId}, ${encrypted.address}`;
      });
      await step.sleep("wait a day", "1d");
      const packed = await step.waitForEvent("packed", {
        event: "shop/packed",
        timeout: "7d",
        match: "data.orderId",
      });
      shipped.push({ label, box: packed?.data.box });
      return label;
    },
  );
  await engine.serve(serve({ client: inngest, functions: [order] }));

  await inngest.send({ name: "shop/ordered", data: { orderId: 17, encrypted: { address: ADDRESS } } });
  await engine.idle(); // the first attempt fails
  await engine.advance("1m"); // the retry, on the virtual clock
  await engine.advance("1d"); // the sleep is over
  await inngest.send({ name: "shop/packed", data: { orderId: 17, box: "small" } });
  await engine.idle();

  const [run] = engine.runsOf("order");
  expect(run?.status).toBe("completed");
  expect(run?.attempts).toBe(2);
  expect(shipped).toEqual([{ label: `order 17, ${ADDRESS}`, box: "small" }]);
  return engine;
}

test("an order is shipped, and its address stays in the house", async () => {
  const engine = await playOrder([encryptionMiddleware({ key: generateKey() })]);
  expect(findPlaintext(engine.wire, [ADDRESS])).toEqual([]);
});

test("without stepseal the search sees it leave", async () => {
  const engine = await playOrder([]);
  const channels = findPlaintext(engine.wire, [ADDRESS]).map(({ channel }) => channel);
  expect(channels).toContain("event"); // the event that was sent
  expect(channels).toContain("response"); // the result of the step, and what the function returned
});

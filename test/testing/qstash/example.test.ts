import { Client, serve, type WorkflowContext } from "@upstash/workflow";
import { generateKey } from "stepseal";
import { createTestQstash, findPlaintext, type TestQstash } from "stepseal/testing";
import { secureWorkflow } from "stepseal/upstash";
import { expect, onTestFinished, test } from "vitest";

const ORDER = "https://shop.example.com/api/order";
const ADDRESS = "12 Harbour Street";

/** The workflow, as it is in production. */
function createOrder(shipped: unknown[]) {
  let failures = 1;
  return async (context: WorkflowContext<{ orderId: number; address: string }>) => {
    const { orderId, address } = context.requestPayload;
    const label = await context.run("charge", () => {
      if (failures-- > 0) throw new Error("the bank is busy");
      return `order ${orderId}, ${address}`;
    });
    await context.sleep("wait a day", "1d");
    const packed = await context.waitForEvent<{ box: string }>("packed", `packed-${orderId}`);
    shipped.push({ label, box: packed.eventData.box });
    return label;
  };
}

/** Plays an order: charged at the second attempt, shipped a day later. */
async function playOrder(qstash: TestQstash, client: Client, shipped: unknown[]) {
  const { workflowRunId } = await client.trigger({ url: ORDER, body: { orderId: 17, address: ADDRESS } });
  await qstash.idle(); // the first attempt fails
  await qstash.advance("1m"); // the retry, on the virtual clock
  await qstash.advance("1d"); // the sleep is over
  await client.notify({ eventId: "packed-17", eventData: { box: "small" } });
  await qstash.idle();

  expect(qstash.run(workflowRunId).state).toBe("RUN_SUCCESS");
  expect(shipped).toEqual([{ label: `order 17, ${ADDRESS}`, box: "small" }]);
}

test("an order is shipped, and its address stays in the house", async () => {
  const qstash = await createTestQstash();
  onTestFinished(() => qstash.close());

  // Only the environment differs from production.
  const secure = secureWorkflow({
    key: generateKey(),
    publicUrl: "https://shop.example.com",
    env: { ...qstash.env },
  });
  const shipped: unknown[] = [];
  qstash.serve(ORDER, secure.serve(createOrder(shipped)).POST);
  await playOrder(qstash, secure.client(), shipped);
  expect(findPlaintext(qstash.wire, [ADDRESS])).toEqual([]);
});

test("without stepseal the search sees it leave", async () => {
  const qstash = await createTestQstash();
  onTestFinished(() => qstash.close());
  const shipped: unknown[] = [];
  qstash.serve(ORDER, serve(createOrder(shipped), { env: qstash.env }).handler);
  await playOrder(qstash, new Client({ baseUrl: qstash.url, token: qstash.token }), shipped);
  expect(findPlaintext(qstash.wire, [ADDRESS])).not.toEqual([]);
});

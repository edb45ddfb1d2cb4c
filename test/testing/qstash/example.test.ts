import { Client, serve } from "@upstash/workflow";
import { createTestQstash, findPlaintext } from "stepseal/testing";
import { expect, onTestFinished, test } from "vitest";

test("an order is charged, shipped a day later, and its address stays in the house", async () => {
  const qstash = await createTestQstash();
  onTestFinished(() => qstash.close());

  // The app, as it is in production; only its environment differs.
  let failures = 1;
  const { handler } = serve<{ orderId: number }>(
    async (context) => {
      const { orderId } = context.requestPayload;
      const charge = await context.run("charge", () => {
        if (failures-- > 0) throw new Error("the bank is busy");
        return { id: `charge for ${orderId}` };
      });
      await context.sleep("wait a day", "1d");
      const packed = await context.waitForEvent<{ box: string }>("packed", `packed-${orderId}`);
      return { charge: charge.id, box: packed.eventData.box };
    },
    { env: qstash.env },
  );
  qstash.serve("https://shop.example.com/api/order", handler);

  const client = new Client({ baseUrl: qstash.url, token: qstash.token });
  const { workflowRunId } = await client.trigger({
    url: "https://shop.example.com/api/order",
    body: { orderId: 17 },
  });
  await qstash.idle(); // the first attempt fails
  await qstash.advance("1m"); // the retry, on the virtual clock
  await qstash.advance("1d"); // the sleep is over
  qstash.notify("packed-17", { box: "small" });
  await qstash.idle();

  const run = qstash.run(workflowRunId);
  expect(run.state).toBe("RUN_SUCCESS");
  expect(JSON.parse(run.result ?? "")).toEqual({ charge: "charge for 17", box: "small" });

  // Nothing of this kind may have left the app, in any encoding.
  expect(findPlaintext(qstash.wire, ["12 Harbour Street"])).toEqual([]);
});

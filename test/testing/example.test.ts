import { Inngest } from "inngest";
import { serve } from "inngest/edge";
import { createTestEngine, findPlaintext } from "stepseal/testing";
import { expect, test } from "vitest";

test("an order is charged, shipped a day later, and its address stays in the house", async () => {
  const engine = createTestEngine();

  // The app, as it is in production; only the client's options differ.
  const inngest = new Inngest({ id: "shop", ...engine.clientOptions });
  let failures = 1;
  const order = inngest.createFunction(
    { id: "order", triggers: [{ event: "shop/ordered" }], retries: 2 },
    async ({ event, step }) => {
      const charge = await step.run("charge", () => {
        if (failures-- > 0) throw new Error("the bank is busy");
        return { id: `charge for ${event.data.orderId}` };
      });
      await step.sleep("wait a day", "1d");
      const packed = await step.waitForEvent("packed", {
        event: "shop/packed",
        timeout: "7d",
        match: "data.orderId",
      });
      return { charge: charge.id, box: packed?.data.box };
    },
  );
  await engine.serve(serve({ client: inngest, functions: [order] }));

  await engine.send({ name: "shop/ordered", data: { orderId: 17 } });
  await engine.idle(); // the first attempt fails
  await engine.advance("1m"); // the retry, on the virtual clock
  await engine.advance("1d"); // the sleep is over
  await engine.send({ name: "shop/packed", data: { orderId: 17, box: "small" } });
  await engine.idle();

  const [run] = engine.runsOf("order");
  expect(run?.status).toBe("completed");
  expect(run?.attempts).toBe(2);
  expect(run?.output).toEqual({ charge: "charge for 17", box: "small" });

  // Nothing of this kind may have left the app, in any encoding.
  expect(findPlaintext(engine.wire, ["12 Harbour Street"])).toEqual([]);
});

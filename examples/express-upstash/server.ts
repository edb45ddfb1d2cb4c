import type { AddressInfo } from "node:net";
import express from "express";
import { secureWorkflow } from "stepseal/upstash/express";

const publicUrl = process.env.UPSTASH_WORKFLOW_URL ?? "http://127.0.0.1:3000";
const secure = secureWorkflow({ publicUrl }); // keys and tokens from the environment

interface Order {
  readonly order: string;
  readonly card: string;
}

const app = express();

// Before express.json(): a signature covers the bytes of a request, and not what was parsed of them.
app.post(
  "/workflows/place-order",
  secure.serve<Order>(async (context) => {
    const { order, card } = context.requestPayload;
    const receipt = await context.run("charge", () => charge(card));
    await context.sleep("cool off", "1d");
    return context.run("ship", () => ({ order, receipt }));
  }),
);

app.use(express.json());

app.post("/orders", async (request, response) => {
  const body: Order = request.body;
  await secure.client().trigger({ url: `${publicUrl}/workflows/place-order`, body });
  response.status(202).json({ order: body.order });
});

/** Stands for a call of your bank. */
function charge(card: string): string {
  return `charged the card that ends in ${card.slice(-4)}`;
}

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

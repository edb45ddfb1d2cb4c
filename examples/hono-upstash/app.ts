import { Hono } from "hono";
import { secureWorkflow } from "stepseal/upstash/hono";

const publicUrl = process.env.UPSTASH_WORKFLOW_URL ?? "http://127.0.0.1:3000";
const secure = secureWorkflow({ publicUrl }); // keys and tokens from the environment

interface Order {
  readonly order: string;
  readonly card: string;
}

export const app = new Hono();

app.post(
  "/workflows/place-order",
  secure.serve<Order>(async (context) => {
    const { order, card } = context.requestPayload;
    const receipt = await context.run("charge", () => charge(card));
    await context.sleep("cool off", "1d");
    return context.run("ship", () => ({ order, receipt }));
  }),
);

app.post("/orders", async (context) => {
  const body = await context.req.json<Order>();
  await secure.client().trigger({ url: `${publicUrl}/workflows/place-order`, body });
  return context.json({ order: body.order }, 202);
});

/** Stands for a call of your bank. */
function charge(card: string): string {
  return `charged the card that ends in ${card.slice(-4)}`;
}

import { Hono } from "hono";
import { Inngest } from "inngest";
import { serve } from "inngest/hono";
import { encryptionMiddleware } from "stepseal/inngest";

const inngest = new Inngest({
  id: "shop",
  middleware: [encryptionMiddleware()], // STEPSEAL_KEY, STEPSEAL_KEY_FALLBACK
});

const placeOrder = inngest.createFunction(
  { id: "place-order", triggers: [{ event: "shop/order.placed" }] },
  async ({ event, step }) => {
    const { card } = event.data.encrypted;
    const receipt = await step.run("charge", () => charge(card));
    await step.sleep("cool off", "1d");
    return step.run("ship", () => ({ order: event.data.order, receipt }));
  },
);

/** Stands for a call of your bank. */
function charge(card: string): string {
  return `charged the card that ends in ${card.slice(-4)}`;
}

export const app = new Hono();

app.on(["GET", "PUT", "POST"], "/api/inngest", serve({ client: inngest, functions: [placeOrder] }));

app.post("/orders", async (context) => {
  const { order, card } = await context.req.json<{ order: string; card: string }>();
  // The platform can route on `order`; what stands under `encrypted` it cannot read.
  await inngest.send({ name: "shop/order.placed", data: { order, encrypted: { card } } });
  return context.json({ order }, 202);
});

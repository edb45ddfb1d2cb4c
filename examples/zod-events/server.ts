import { serve as listen } from "@hono/node-server";
import { Hono } from "hono";
import { serve } from "inngest/hono";
import { orderPlaced } from "./events.ts";
import { inngest, mailReceipt, placeOrder } from "./functions.ts";

const app = new Hono();
const functions = [placeOrder, mailReceipt];

app.on(["GET", "PUT", "POST"], "/api/inngest", serve({ client: inngest, functions }));

app.post("/orders", async (context) => {
  const { order, card } = await context.req.json<{ order: string; card: string }>();
  const checked = orderPlaced.schema.safeParse({ order, encrypted: { card } });
  if (!checked.success) return context.json({ wrong: checked.error.issues.map(({ path }) => path) }, 400);
  await inngest.send(orderPlaced.create(checked.data));
  return context.json({ order }, 202);
});

listen({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}`);
});

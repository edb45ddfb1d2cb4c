import type { AddressInfo } from "node:net";
import express from "express";
import { serve } from "inngest/express";
import { inngest, type Order, placeOrder } from "./orders.ts";

const app = express();
app.use(express.json());
app.use("/api/inngest", serve({ client: inngest, functions: [placeOrder] }));

app.post("/orders", async (request, response) => {
  const { order, card }: Order = request.body;
  // The platform can route on `order`; what stands under `encrypted` it cannot read.
  await inngest.send({ name: "shop/order.placed", data: { order, encrypted: { card } } });
  response.status(202).json({ order });
});

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

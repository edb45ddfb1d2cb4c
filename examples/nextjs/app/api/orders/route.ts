import { inngest } from "../../../inngest/client";

export async function POST(request: Request): Promise<Response> {
  const { order, card } = (await request.json()) as { order: string; card: string };
  // The platform can route on `order`; what stands under `encrypted` it cannot read.
  await inngest.send({ name: "shop/order.placed", data: { order, encrypted: { card } } });
  return Response.json({ order }, { status: 202 });
}

import { secureWorkflow } from "stepseal/upstash/cloudflare";

interface Order {
  readonly order: string;
  readonly card: string;
}

const secure = secureWorkflow(); // keys and tokens from the bindings of each request

const placeOrder = secure.serve<Order>(async (context) => {
  const { order, card } = context.requestPayload;
  const receipt = await context.run("charge", () => charge(card));
  await context.sleep("cool off", "1d");
  return context.run("ship", () => ({ order, receipt }));
});

/** Stands for a call of your bank. */
function charge(card: string): string {
  return `charged the card that ends in ${card.slice(-4)}`;
}

export default {
  async fetch(request: Request, env: Record<string, string>): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/workflows/place-order") return placeOrder.fetch(request, env);
    if (pathname !== "/orders" || request.method !== "POST") return new Response(null, { status: 404 });
    const body = (await request.json()) as Order;
    const url = `${env.UPSTASH_WORKFLOW_URL}/workflows/place-order`;
    await secure.client(env).trigger({ url, body });
    return Response.json({ order: body.order }, { status: 202 });
  },
};

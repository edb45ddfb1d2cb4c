import { env } from "cloudflare:workers";
import { Inngest } from "inngest";
import { serve } from "inngest/cloudflare";
import { loadKeyring } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";

// Keys are secrets of the Worker, which is no process: the ring is loaded from its bindings, at the first request.
const keyring = () => loadKeyring({ env });

const inngest = new Inngest({
  id: "shop",
  middleware: [encryptionMiddleware({ keyring })],
}).setEnvVars(env);

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

// The SDK types no call, only a Worker that serves nothing else.
const platform = serve({ client: inngest, functions: [placeOrder] }) as unknown as WorkerFetch;
type WorkerFetch = (request: Request, bindings: object) => Promise<Response>;

export default {
  async fetch(request: Request, bindings: Record<string, string>): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/inngest") return platform(request, bindings);
    if (pathname !== "/orders" || request.method !== "POST") return new Response(null, { status: 404 });
    const { order, card } = (await request.json()) as { order: string; card: string };
    // The platform can route on `order`; what stands under `encrypted` it cannot read.
    await inngest.send({ name: "shop/order.placed", data: { order, encrypted: { card } } });
    return Response.json({ order }, { status: 202 });
  },
};

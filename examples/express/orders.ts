import { Inngest } from "inngest";
import { encryptionMiddleware } from "stepseal/inngest";

export const inngest = new Inngest({
  id: "shop",
  middleware: [encryptionMiddleware()], // STEPSEAL_KEY, STEPSEAL_KEY_FALLBACK
});

export interface Order {
  readonly order: string;
  readonly card: string;
}

export const placeOrder = inngest.createFunction(
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

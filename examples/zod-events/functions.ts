import { Inngest } from "inngest";
import { encryptionMiddleware } from "stepseal/inngest";
import { orderCharged, orderPlaced } from "./events.ts";

export const inngest = new Inngest({
  id: "shop",
  middleware: [encryptionMiddleware()], // STEPSEAL_KEY, STEPSEAL_KEY_FALLBACK
});

export const placeOrder = inngest.createFunction(
  { id: "place-order", triggers: [orderPlaced] },
  async ({ event, step }) => {
    const { order, encrypted } = event.data; // { order: string; encrypted: { card: string } }
    const receipt = await step.run("charge", () => charge(encrypted.card));
    await step.sendEvent("charged", orderCharged.create({ order, encrypted: { receipt } }));
    await step.sleep("cool off", "1d");
    return step.run("ship", () => ({ order, receipt }));
  },
);

export const mailReceipt = inngest.createFunction(
  { id: "mail-receipt", triggers: [orderCharged] },
  async ({ event, step }) => step.run("mail", () => `mailed: ${event.data.encrypted.receipt}`),
);

/** Stands for a call of your bank. */
function charge(card: string): string {
  return `charged the card that ends in ${card.slice(-4)}`;
}

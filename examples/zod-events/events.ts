import { eventType } from "inngest";
import { z } from "zod";

// A schema describes data in the clear: the SDK holds events against it before they are sealed, and again once they
// are opened.
export const orderPlaced = eventType("shop/order.placed", {
  schema: z.object({
    order: z.string(),
    encrypted: z.object({ card: z.string().regex(/^[\d ]{12,23}$/) }),
  }),
});

export const orderCharged = eventType("shop/order.charged", {
  schema: z.object({
    order: z.string(),
    encrypted: z.object({ receipt: z.string() }),
  }),
});

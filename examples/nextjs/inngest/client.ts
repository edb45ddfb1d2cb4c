import { Inngest } from "inngest";
import { encryptionMiddleware } from "stepseal/inngest";

export const inngest = new Inngest({
  id: "shop",
  middleware: [encryptionMiddleware()], // STEPSEAL_KEY, STEPSEAL_KEY_FALLBACK
});

import assert from "node:assert/strict";
import { eventType, Inngest, staticSchema } from "inngest";
import { serve } from "inngest/edge";
import { generateKey } from "stepseal";
import { type EncryptionMiddlewareOptions, encryptionMiddleware, isPlatformError } from "stepseal/inngest";
import { createTestEngine, findPlaintext, type Run } from "stepseal/testing";

const options: EncryptionMiddlewareOptions = { key: generateKey() };
const engine = createTestEngine();
const inngest = new Inngest({
  id: "shop",
  middleware: [encryptionMiddleware(options)],
  ...engine.clientOptions,
});

type Order = { readonly encrypted: { readonly card: string } };
const ordered = eventType("shop/ordered", { schema: staticSchema<Order>() });

const order = inngest.createFunction({ id: "order", triggers: [ordered] }, async ({ event, step }) => {
  // The types of events and steps are those without stepseal.
  const card: string = event.data.encrypted.card;
  const digits = await step.run("charge", () => card.length);
  return digits satisfies number;
});

await engine.serve(serve({ client: inngest, functions: [order] }));
await inngest.send(ordered.create({ encrypted: { card: "4111 1111 1111 1111" } }));
await engine.idle();

const [run]: readonly Run[] = engine.runsOf("order");
assert.equal(run?.status, "completed");
assert.deepEqual(findPlaintext(engine.wire, ["4111 1111 1111 1111"]), []);
assert.equal(isPlatformError(new Error("of the app")), false);

/** What the types refuse. */
export function wrong(): void {
  // @ts-expect-error a path is one of a list
  encryptionMiddleware({ allowPlaintext: ["everything"] });
}

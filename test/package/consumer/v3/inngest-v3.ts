import assert from "node:assert/strict";
import { EventSchemas, Inngest } from "inngest";
import { serve } from "inngest/edge";
import { generateKey } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest-v3";
import { createTestEngine, findPlaintext } from "stepseal/testing";

const engine = createTestEngine();
// On v3 the endpoint takes the keys, and a `fetch` of its own.
const { fetch, baseUrl, eventKey, isDev, ...keys } = engine.clientOptions;
const inngest = new Inngest({
  id: "shop",
  middleware: [encryptionMiddleware({ key: generateKey() })],
  schemas: new EventSchemas().fromRecord<{ "shop/ordered": { data: { encrypted: { card: string } } } }>(),
  fetch,
  baseUrl,
  eventKey,
  isDev,
});

const order = inngest.createFunction({ id: "order" }, { event: "shop/ordered" }, async ({ event, step }) => {
  // The types of events and steps are those without stepseal.
  const card: string = event.data.encrypted.card;
  const digits = await step.run("charge", () => card.length);
  return digits satisfies number;
});

await engine.serve(serve({ client: inngest, functions: [order], fetch, ...keys }));
await inngest.send({ name: "shop/ordered", data: { encrypted: { card: "4111 1111 1111 1111" } } });
await engine.idle();

assert.equal(engine.runsOf("order")[0]?.status, "completed");
assert.deepEqual(findPlaintext(engine.wire, ["4111 1111 1111 1111"]), []);

/** What the types refuse. */
export function wrong(): void {
  // @ts-expect-error a path is one of a list
  encryptionMiddleware({ allowPlaintext: ["everything"] });
}

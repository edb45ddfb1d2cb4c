import { EventSchemas, Inngest } from "inngest-v3";
import { encryptionMiddleware } from "stepseal/inngest-v3";
import { expectTypeOf, test } from "vitest";
import { keyring } from "../inngest/harness.ts";

test("the types of SDK v3 take the middleware as it is, and tell what they tell without it", () => {
  const schemas = new EventSchemas().fromRecord<{
    "shop/order": { data: { encrypted: { card: string } } };
  }>();
  const inngest = new Inngest({
    id: "app",
    schemas,
    middleware: [encryptionMiddleware({ keyring: keyring() })],
  });
  inngest.createFunction({ id: "fn" }, { event: "shop/order" }, async ({ event, step, runId }) => {
    expectTypeOf(event.data.encrypted.card).toEqualTypeOf<string>();
    expectTypeOf(runId).toEqualTypeOf<string>();
    expectTypeOf(await step.run("a", () => 1)).toEqualTypeOf<number>();
  });
  expectTypeOf(inngest.send).parameter(0).not.toBeAny();
});

import { validationMiddleware } from "@inngest/middleware-validation";
import { EventSchemas } from "inngest-v3";
import { createTestEngine, findPlaintext } from "stepseal/testing";
import { expect, test } from "vitest";
import * as z from "zod";
import { type Build, clientOf, serveV3 } from "./app.ts";

const SECRET = "mk92-that-has-to-be-a-text";
const schemas = new EventSchemas().fromZod({
  go: { data: z.object({ order: z.string(), encrypted: z.object({ secret: z.string() }) }) },
} as never);

const build: Build = (inngest) => [
  inngest.createFunction({ id: "fn", retries: 0 }, { event: "go" }, async ({ event, step }) =>
    step.run("read", () => event.data.encrypted.secret.length),
  ),
];

/** What becomes of an event that fits its schema, and of one that does not. */
async function played(place: "before" | "after") {
  const engine = createTestEngine();
  const client = clientOf(engine, { [place]: [validationMiddleware()], schemas });
  await serveV3(engine, client, build(client));
  await client.send({ name: "go", data: { order: "1001", encrypted: { secret: SECRET } } });
  const wrong = client.send({ name: "go", data: { order: "1002", encrypted: { secret: 1 } } });
  const refused = await wrong.then(
    () => "sent",
    (error: Error) => error.message,
  );
  await engine.idle();
  return { engine, refused };
}

test.each(["before", "after"] as const)(
  "the SDK's own validation of events works %s ours: it checks plaintext, on the way out and on the way in",
  async (place) => {
    const { engine, refused } = await played(place);
    expect(engine.runs.map((run) => run.status)).toEqual(["completed"]);
    expect(refused).toContain("secret");
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  },
);

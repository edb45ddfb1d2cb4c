import type { Inngest as NewestInngest } from "inngest-v3";
import { Inngest } from "inngest-v3-oldest";
import { serve } from "inngest-v3-oldest/edge";
import { encryptionMiddleware } from "stepseal/inngest-v3";
import { createTestEngine, findPlaintext, type TestEngineOptions } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { hashStepId } from "../../../src/testing/ids.ts";
import { keyring, quiet } from "../inngest/harness.ts";

// SDK 3.35.1, the oldest that is supported. It is CommonJS, and so a copy of the SDK that stepseal does not import. It signs
// its answers with a time in milliseconds, which the engine does not take: nothing is signed here.

const SECRET = "mk93-on-the-oldest-of-v3";

async function play(sealed: boolean, options: TestEngineOptions = {}) {
  const engine = createTestEngine({ signingKey: null, requestTimeout: 5_000, ...options });
  const { fetch, baseUrl, eventKey } = engine.clientOptions;
  const client = new Inngest({
    id: "app",
    fetch,
    baseUrl,
    eventKey,
    isDev: true,
    logger: quiet,
    middleware: (sealed ? [encryptionMiddleware({ keyring: keyring() })] : []) as never,
  }) as unknown as NewestInngest;
  const seen: unknown[] = [];
  const child = client.createFunction({ id: "child" }, [] as never, async ({ event, step }) => {
    seen.push((event.data as { encrypted?: unknown }).encrypted);
    return step.run("own", () => ({ back: SECRET }));
  });
  const onFailure = ((context: { error: Error }): void => {
    seen.push(["onFailure", context.error.name, context.error.message]);
  }) as never;
  const fn = client.createFunction(
    { id: "fn", retries: 0, onFailure },
    { event: "go" },
    async ({ event, step }) => {
      try {
        seen.push(event.data);
        for (const value of [false, 0, "", null]) seen.push(await step.run("falsy", () => value));
        seen.push(await step.run("a", () => ({ deep: [SECRET] })));
        seen.push(await Promise.all([step.run("p", () => SECRET), step.run("q", () => 1)]));
        await step
          .run("bad", () => {
            throw Object.assign(new Error(SECRET), { name: "NonRetriableError" });
          })
          .catch((error: Error) => seen.push(error.message));
        seen.push(await step.invoke("call", { function: child, data: { encrypted: SECRET } }));
        await step.sendEvent("send", { name: "sent", data: { encrypted: SECRET } });
        await step.sleep("nap", "1h");
        seen.push("awake");
      } catch (error) {
        seen.push(["caught", String(error)]);
        throw error;
      }
      throw new RangeError(SECRET);
    },
  );
  const handler = serve({ client: client as never, functions: [fn, child] as never, fetch });
  await engine.serve((request) => handler(request) as Promise<Response>);
  await client.send({ name: "go", data: { encrypted: { card: SECRET } } });
  await engine.idle();
  return { engine, client, seen };
}

// That SDK waits ten seconds for a step where the newest waits for none: all wait at once.
describe.skipIf(process.env.INNGEST !== "oldest")("on the oldest of v3", { concurrent: true }, () => {
  test("functions see what they see without stepseal, and the platform none of it", async () => {
    const [plain, sealed] = [await play(false), await play(true)];
    for (const { engine } of [plain, sealed]) await engine.advance("2h");
    expect(findPlaintext(plain.engine.wire, [SECRET]).length).toBeGreaterThan(5);
    expect(sealed.seen).toEqual(plain.seen);
    expect(sealed.seen).toContain("awake");
    expect(sealed.seen).toContainEqual(["onFailure", "RangeError", SECRET]);
    expect(findPlaintext(sealed.engine.wire, [SECRET])).toEqual([]);
  });

  test.each([
    ["plain data", { data: { deep: ["forged"] } }],
    ["null, which only its type gives away", { data: null }],
    ["an event, which only its type gives away", { data: { name: "x", data: {} } }],
  ])("%s in place of a result fails the run, and no user code runs on it", async (_name, forged) => {
    const { engine, seen } = await play(true);
    engine.runsOf("fn")[0]!.steps.set(hashStepId("a"), forged);
    seen.length = 0;
    await engine.advance("2h");
    expect(engine.runsOf("fn")[0]!.status).toBe("failed");
    expect(JSON.stringify(engine.runsOf("fn")[0]!.error)).toMatch("PLAINTEXT_REJECTED");
    const ofHandler = seen.filter((each) => Array.isArray(each) && each[0] === "onFailure");
    expect(ofHandler).toHaveLength(1);
    // What was memoized before it is opened and seen; nothing from the forged step on.
    expect(JSON.stringify(seen)).not.toMatch(/forged|awake|caught/);
  });
});

import { Inngest } from "inngest";
import { createKeyring, createSealer, isSealed, StepsealError } from "stepseal";
import { encryptionMiddleware, openRealtimeMessage } from "stepseal/inngest";
import { createTestEngine } from "stepseal/testing";
import { describe, expect, test, vi } from "vitest";
import { createApp, KEY, keyring, OTHER_KEY, quiet, SDK } from "./harness.ts";

const SECRET = "card-4111-1111";
const EVENT = { name: "shop/placed", data: { order: 7, encrypted: SECRET } };

function clientOf(engine: ReturnType<typeof createTestEngine>, options: object = {}) {
  const middleware = [encryptionMiddleware({ keyring: keyring() })];
  return new Inngest({ id: "app", ...engine.clientOptions, logger: quiet, middleware, ...options });
}

/** The body of the only message that left. */
function sent(engine: ReturnType<typeof createTestEngine>): string {
  expect(engine.wire).toHaveLength(1);
  return engine.wire[0]!.body;
}

describe("the client's fetch is gated", () => {
  test("without stepseal the marker leaves", async () => {
    const engine = createTestEngine();
    await new Inngest({ id: "app", ...engine.clientOptions }).send(EVENT);
    expect(sent(engine)).toContain(SECRET);
  });

  test("the sealed field leaves as an envelope, the others as they are", async () => {
    const engine = createTestEngine();
    await clientOf(engine).send(EVENT);
    const [event] = JSON.parse(sent(engine));
    expect(event.data.order).toBe(7);
    expect(isSealed(event.data.encrypted)).toBe(true);
    expect(sent(engine)).not.toContain(SECRET);
  });

  test("for a subclass, unbound, and with a global fetch that was patched after the client was made", async () => {
    const engine = createTestEngine();
    class Own extends Inngest {}
    const { fetch: _, ...options } = engine.clientOptions;
    const client = new Own({
      id: "app",
      ...options,
      middleware: [encryptionMiddleware({ keyring: keyring() })],
      // v3 takes the global one as it is when the client is made.
      ...(!SDK.v4 && { fetch: engine.fetch }),
    });
    vi.stubGlobal("fetch", engine.fetch);
    await client.send(EVENT);
    const { fetch } = client;
    await fetch("http://inngest.test/e/key", { method: "POST", body: JSON.stringify([EVENT]) });
    vi.unstubAllGlobals();
    expect(engine.wire).toHaveLength(2);
    for (const { body } of engine.wire) expect(body).not.toContain(SECRET);
  });

  test("for whoever defines it anew around what stood there, as instrumentation does", async () => {
    const engine = createTestEngine();
    const client = clientOf(engine);
    const holder = client as unknown as { readonly fetch: typeof fetch };
    const gated = holder.fetch;
    const around = vi.fn<typeof fetch>((input, init) => gated(input, init));
    Object.defineProperty(client, "fetch", { value: around });
    await client.send(EVENT);
    expect(around).toHaveBeenCalledTimes(1);
    expect(sent(engine)).not.toContain(SECRET);
  });

  test("after setEnvVars, and it stays one function", async () => {
    const engine = createTestEngine();
    const client = clientOf(engine);
    const before = client.fetch;
    client.setEnvVars({ INNGEST_ENV: "branch" });
    expect(client.fetch).toBe(before);
    await client.send(EVENT);
    expect(sent(engine)).not.toContain(SECRET);
  });

  test("for a Request as well as for a URL and a body", async () => {
    const engine = createTestEngine();
    const request = new Request("http://inngest.test/e/key", {
      method: "POST",
      body: JSON.stringify([EVENT]),
    });
    await clientOf(engine).fetch(request);
    expect(sent(engine)).not.toContain(SECRET);
    expect(JSON.parse(sent(engine))[0].data.order).toBe(7);
  });
});

describe("the gate refuses", () => {
  const cases: [name: string, url: string, body: unknown, message: RegExp][] = [
    ["an endpoint it does not know", "/v2/anything", {}, /POST \/v2\/anything: unknown/],
    ["an event with a member it does not know", "/e/key", [{ name: "a", extra: SECRET }], /member "extra"/],
    [
      "an event with user data",
      "/e/key",
      [{ name: "a", user: { ssn: SECRET } }],
      /allowPlaintext: \["event-user"\]/,
    ],
    [
      "a checkpoint of a run that is not executing here",
      "/v1/checkpoint/01X/async",
      { run_id: "01X", steps: [] },
      /run "01X"/,
    ],
    [
      "a signal with a member it does not know",
      "/v1/signals",
      { signal: "s", extra: SECRET },
      /member "extra"/,
    ],
    [
      "a durable endpoint",
      "/v1/checkpoint",
      { event: SECRET },
      /the path "durable-endpoint" cannot be sealed/,
    ],
    ["a stream", "/v1/realtime/publish/tee", SECRET, /the path "stream" cannot be sealed/],
  ];
  test.each(cases)(
    "%s, with a message that names it, and nothing leaves",
    async (_name, path, body, message) => {
      const engine = createTestEngine();
      const call = clientOf(engine).fetch(`http://inngest.test${path}`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      await expect(call).rejects.toThrow(message);
      expect(engine.wire).toHaveLength(0);
    },
  );

  test("an event with user data at once, and not after the SDK's five attempts", async () => {
    const engine = createTestEngine();
    const inner = vi.fn(engine.fetch);
    const client = clientOf(engine, { fetch: inner });
    await expect(client.send({ ...EVENT, user: { id: SECRET } } as never)).rejects.toThrow(/event-user/);
    expect(inner).not.toHaveBeenCalled();
  });

  test("no message shows the event key that stands in the URL", async () => {
    const body = JSON.stringify([{ name: "a", extra: 1 }]);
    const call = clientOf(createTestEngine()).fetch("http://inngest.test/e/very-secret", {
      method: "POST",
      body,
    });
    const stream = { method: "POST", body: new Blob([body]).stream(), duplex: "half" } as RequestInit;
    const other = clientOf(createTestEngine()).fetch("http://inngest.test/e/very-secret", stream);
    for (const each of [call, other]) {
      const error = await each.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StepsealError);
      expect(String(error)).not.toContain("very-secret");
    }
  });
});

test("a response is signed again with the key that verified the request, primary or fallback", async () => {
  for (const signWith of ["primary", "fallback"] as const) {
    const engine = createTestEngine({
      signWith,
      signingKey: `signkey-test-${"1a2b".repeat(16)}`,
      signingKeyFallback: `signkey-test-${"c3d4".repeat(16)}`,
    });
    const build = (inngest: Inngest) => [
      inngest.createFunction({ id: "fn", triggers: [{ event: "a/b" }] }, ({ step }) =>
        step.run("s", () => SECRET),
      ),
    ];
    // The engine refuses a response whose signature does not fit.
    const { engine: served } = await createApp(build, { engine });
    await served.send({ name: "a/b" });
    await served.idle();
    expect(served.runs[0]?.status).toBe("completed");
    expect(isSealed(served.runs[0]?.output)).toBe(true);
  }
});

test("a ring that is loaded by a function is loaded once, and again only if that failed", async () => {
  const engine = createTestEngine();
  const load = vi.fn(async () => keyring()).mockRejectedValueOnce(new Error("the provider is down"));
  const client = clientOf(engine, { middleware: [encryptionMiddleware({ keyring: load })] });
  const publish = () =>
    client.fetch("http://inngest.test/e/key", { method: "POST", body: JSON.stringify([EVENT]) });
  const error = await publish().catch((thrown: unknown) => thrown);
  // What a provider says may hold what it fetched, and logs show causes.
  expect(error).toMatchObject({ code: "CONFIG" });
  expect(error).not.toHaveProperty("cause");
  expect(String(error)).toMatch(/option "keyring" failed with Error/);
  await Promise.all([publish(), publish()]);
  await publish();
  expect(load).toHaveBeenCalledTimes(2);
});

test("a realtime message opens for a receiver that holds the key, on its channel and topic only", async () => {
  const engine = createTestEngine();
  const client = clientOf(engine);
  await client.realtime.publish({ channel: "order:17", topic: "status", config: {} } as never, {
    card: SECRET,
  });
  expect(sent(engine)).not.toContain(SECRET);

  const message = { channel: "order:17", topic: "status", data: JSON.parse(sent(engine)), runId: "01X" };
  expect(openRealtimeMessage(message, { keyring: keyring() })).toEqual({
    ...message,
    data: { card: SECRET },
  });
  const elsewhere = { ...message, topic: "other" };
  expect(() => openRealtimeMessage(elsewhere, { keyring: keyring() })).toThrow(/another place/);
  const other = createKeyring({ key: OTHER_KEY });
  expect(() => openRealtimeMessage(message, { keyring: other })).toThrow(
    expect.objectContaining({ code: "UNKNOWN_KEY" }),
  );
  const plain = { ...message, data: "plain" };
  expect(() => openRealtimeMessage(plain, { keyring: keyring() })).toThrow(
    expect.objectContaining({ code: "PLAINTEXT_REJECTED" }),
  );
});

test("onUse hears of every seal and open, never of data", async () => {
  const engine = createTestEngine();
  const uses: unknown[] = [];
  const client = clientOf(engine, {
    middleware: [encryptionMiddleware({ key: KEY, onUse: (use) => uses.push(use) })],
  });
  await client.send(EVENT);
  const kid = createSealer({ keyring: keyring() }).seal(1, { kind: "custom" }).data.slice(4, 20);
  expect(uses).toEqual([
    { kid, state: "primary", kind: "event.field", operation: "seal", bytes: JSON.stringify(SECRET).length },
  ]);
});

import { Inngest, type InngestFunction, type Middleware } from "inngest";
import { serve } from "inngest/edge";
import { createDefer, extendedTracesMiddleware, sandboxMiddleware } from "inngest/experimental";
import { StepsealError } from "stepseal";
import { type EncryptionMiddlewareOptions, encryptionMiddleware } from "stepseal/inngest";
import { createTestEngine, findPlaintext } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { fieldReads } from "../../../src/adapters/inngest/gate/expression-reader.ts";
import { createApp, keyring, quiet, SDK } from "./harness.ts";

type Config = Parameters<Inngest["createFunction"]>[0];

/** Serves one function with this configuration. */
async function register(config: Partial<Config>, seal: EncryptionMiddlewareOptions | null = {}) {
  const full = { id: "fn", triggers: { event: "go" }, ...config } as Config;
  return createApp((inngest) => [inngest.createFunction(full, () => {})], { seal });
}

const FIELD = "event.data.encrypted.card";
/** Each place where a function's configuration holds an expression or a key. */
const places: [name: string, config: Partial<Config>, at: string][] = [
  ["a concurrency key", { concurrency: { key: FIELD, limit: 1 } }, "concurrency.key"],
  [
    "one of two concurrency keys",
    { concurrency: [{ limit: 1 }, { key: FIELD, limit: 1 }] },
    "concurrency[1].key",
  ],
  ["an idempotency key", { idempotency: FIELD }, "idempotency"],
  ["a throttle key", { throttle: { key: FIELD, limit: 1, period: "60s" } }, "throttle.key"],
  ["a rate limit's key", { rateLimit: { key: FIELD, limit: 1, period: "60s" } }, "rateLimit.key"],
  ["a debounce key", { debounce: { key: FIELD, period: "60s" } }, "debounce.key"],
  ["a priority", { priority: { run: `${FIELD} == 'x' ? 1 : 0` } }, "priority.run"],
  ["a batch key", { batchEvents: { maxSize: 2, timeout: "60s", key: FIELD } }, "batchEvents.key"],
  [
    "a batch condition",
    { batchEvents: { maxSize: 2, timeout: "1m", if: `${FIELD} == 'x'` } as never },
    "batchEvents.if",
  ],
  ["a singleton key", { singleton: { key: FIELD, mode: "skip" } }, "singleton.key"],
  [
    "a trigger's condition",
    { triggers: { event: "go", if: `${FIELD} == 'x'` } } as never,
    "triggers[0].expression",
  ],
  ["cancelOn's match", { cancelOn: [{ event: "stop", match: "data.encrypted.card" }] }, "cancel[0].if"],
  [
    "cancelOn's condition",
    { cancelOn: [{ event: "stop", if: `async.data.encrypted == 'x'` }] },
    "cancel[0].if",
  ],
];

describe("an expression or a key that reads a sealed field can never match, and is refused at registration", () => {
  test.each(places)("%s", async (_name, config, at) => {
    await expect(register(config, null)).resolves.toBeDefined();
    const error = await register(config).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StepsealError);
    expect(error).toMatchObject({ code: "CONFIG" });
    expect(String(error)).toContain(`function "app-fn": ${at} reads data.encrypted`);
    expect(String(error)).toMatch(/can never match.*createBlindIndex/);
  });

  const spellings = [
    "event.data.encrypted",
    "event.data['encrypted'].card",
    'event.data["encrypted"].card',
    "event . data . encrypted",
    "events[0].data.encrypted == 'x'",
    "async.data.encrypted == event.data.order",
    "event.data.order == 'data' && event.data.encrypted == 1",
    "'a' + event.data.encrypted",
    'event["data"]["encrypted"]',
    "event['data'].encrypted",
    "(event.data).encrypted == 1",
    "((event).data).encrypted",
    "size((event.data).encrypted)",
    "event.data?.encrypted",
    "event.data.?encrypted",
    'event.data[?"encrypted"]',
    String.raw`event.data["\x65ncrypted"]`,
    String.raw`event.data["\145ncrypted"]`,
    'event.data[r"encrypted"]',
    'event.data["""encrypted"""]',
    "events[ 0 ].data.encrypted",
    "event.data // a comment\n.encrypted",
    String.raw`r'\' == event.data.encrypted || event.data.order == ''`,
    "event.data.encrypted.startsWith('a')",
    "event.data.list[event.data.encrypted]",
  ];
  test.each(spellings)("spelt %s", async (expression) => {
    await expect(register({ idempotency: expression })).rejects.toThrow("reads data.encrypted");
  });

  const harmless = [
    "event.data.order",
    "event.data.encryptedOrder",
    "event.data.order.encrypted",
    "'event.data.encrypted'",
    '"event.data.encrypted" + event.data.order',
    "has(event.data.encrypted)",
    "has(event . data . encrypted)",
    String.raw`r'\' + 'event.data.encrypted'`,
    "event.data.order // event.data.encrypted",
    "other.event.data.encrypted",
    "event.data.event.data.encrypted",
    "event.data.error.message",
    "'never ends + event.data.encrypted",
    "event.name",
  ];
  test.each(harmless)("%s reads none, and is accepted", async (expression) => {
    await expect(register({ idempotency: expression })).resolves.toBeDefined();
  });

  test("of the fields that eventFields names", async () => {
    const seal = { eventFields: ["ssn"] };
    await expect(register({ idempotency: "event.data.ssn" }, seal)).rejects.toThrow("reads data.ssn");
    await expect(register({ idempotency: "event.data.encrypted" }, seal)).resolves.toBeDefined();
  });

  test.skipIf(!SDK.defers)("of a deferred function, whose whole input is sealed", async () => {
    const deferred = (concurrency: object) =>
      createApp((inngest) => [createDefer(inngest, { id: "later", concurrency } as never, () => {})]);
    await expect(deferred({ key: "event.data.order", limit: 1 })).rejects.toThrow("reads data.order");
    await expect(deferred({ limit: 1 })).resolves.toBeDefined();
  });

  const told = "inngest/function.failed";
  test.each([
    "event.data.event.data.encrypted == 1",
    "event.data.events[0].data.encrypted == 1",
    "event.data.error.message == 'x'",
    "event.data.result == 'x'",
  ])("of what is told of another run: %s", async (expression) => {
    await expect(register({ triggers: { event: told, if: expression } } as never)).rejects.toThrow(
      "is sealed",
    );
    const triggers = {
      event: told,
      if: "event.data.function_id == 'x' && event.data.error.name == 'TypeError'",
    };
    await expect(register({ triggers } as never)).resolves.toBeDefined();
  });

  test("of a function with triggers of several kinds: a key that reads what is sealed in each", async () => {
    const triggers = [{ event: told }, { event: "go" }];
    await expect(register({ triggers, idempotency: "event.data.error.message" })).resolves.toBeDefined();
    await expect(
      register({ triggers: triggers[0]!, idempotency: "event.data.error.message" }),
    ).rejects.toThrow("is sealed");
  });

  test("in time that grows with the expression, whatever it is", () => {
    let reads = 0;
    for (const part of ['\\"', "'\\", '"', "(", "event.data[", "event", "//", 'r"', "has(", "\\x4"]) {
      // Up to a megabyte and a half of each; anything quadratic would not end.
      reads += fieldReads(part.repeat(150_000)).length;
    }
    expect(reads).toBeGreaterThan(0);
  });

  test("not while decryptOnly seals nothing", async () => {
    await expect(register({ idempotency: FIELD }, { decryptOnly: true })).resolves.toBeDefined();
  });
});

test.each([
  ["match", { event: "answer", timeout: "1d", match: "data.encrypted.card" }],
  ["if", { event: "answer", timeout: "1d", if: "async.data.encrypted == 'x'" }],
])(
  "step.waitForEvent whose %s reads a sealed field is refused in the tool, where user code can catch it",
  async (key, wait) => {
    const got: unknown[] = [];
    const { engine, inngest } = await createApp((client) => [
      client.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
        await step.waitForEvent("wait", wait).catch((error: Error) => got.push(error.message));
        return "went on";
      }),
    ]);
    await inngest.send({ name: "go" });
    await engine.idle();
    expect(got).toEqual([expect.stringContaining(`step "wait": its ${key} reads data.encrypted`)]);
    expect(engine.runs[0]).toMatchObject({ status: "completed", requests: 1 });
  },
);

test.skipIf(!SDK.defers)("so is one in a deferred function, whose whole input is sealed", async () => {
  const got: unknown[] = [];
  const { engine, inngest } = await createApp((client) => {
    const later = createDefer(client, { id: "later" }, async ({ step }) => {
      await step
        .waitForEvent("wait", { event: "answer", timeout: "1d", match: "data.order" })
        .catch((error: Error) => got.push(error.message));
    });
    const fn = client.createFunction({ id: "fn", triggers: { event: "go" } }, ({ defer }) => {
      defer("later", { function: later, data: { order: 1 } });
    });
    return [fn, later];
  });
  await inngest.send({ name: "go" });
  await engine.idle();
  expect(got).toEqual([expect.stringContaining('step "wait": its match reads data.order')]);
});

describe("middleware that opens a path which cannot be sealed", () => {
  const cases = [
    [
      "extended traces",
      "traces",
      () => extendedTracesMiddleware({ behaviour: "off" }) as unknown as Middleware.Class,
    ],
    ["sandboxes", "sandbox", (): Middleware.Class => sandboxMiddleware()],
  ] as const;

  test.each(cases.filter(([, path]) => path !== "sandbox" || SDK.sandboxes))(
    "%s on the client is refused, and accepted where it is allowed",
    (_name, path, other) => {
      const make = (seal: EncryptionMiddlewareOptions) =>
        new Inngest({
          id: "app",
          middleware: [encryptionMiddleware({ keyring: keyring(), ...seal }), other()],
        });
      expect(() => make({})).toThrow(`allowPlaintext: ["${path}"]`);
      expect(() => make({ allowPlaintext: [path] })).not.toThrow();
      expect(() => make({ decryptOnly: true })).not.toThrow();
    },
  );

  test.each(cases.filter(([, path]) => path !== "sandbox" || SDK.sandboxes))(
    "%s on a function is refused when it is served",
    async (_name, path, other) => {
      const middleware = [other()];
      await expect(register({ middleware })).rejects.toThrow(
        new RegExp(`middleware of function "app-fn".*allowPlaintext: \\["${path}"\\]`),
      );
      for (const seal of [{ allowPlaintext: [path] }, { decryptOnly: true }]) {
        await expect(register({ middleware }, seal)).resolves.toBeDefined();
      }
    },
  );
});

describe("a function of a client with stepseal served by one without", () => {
  const SECRET = "mk-served-by-another-client";

  type Served = { client: Inngest; functions: InngestFunction.Any[] };
  async function serveWith(own: (make: (sealed: boolean) => Inngest) => Served) {
    const engine = createTestEngine();
    const make = (sealed: boolean) =>
      new Inngest({
        id: "app",
        ...engine.clientOptions,
        logger: quiet,
        middleware: sealed ? [encryptionMiddleware({ keyring: keyring() })] : [],
      });
    await engine.serve(serve(own(make)));
    await engine.send({ name: "go" });
    await engine.advance("1d");
    return engine;
  }
  const leaky = (client: Inngest) =>
    client.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, () => SECRET);

  test("leaks without the check: the client that serves decides", async () => {
    const engine = await serveWith((make) => ({ client: make(false), functions: [leaky(make(false))] }));
    expect(findPlaintext(engine.wire, [SECRET])).not.toEqual([]);
  });

  test("is refused with the reason, and its code does not run", async () => {
    const engine = await serveWith((make) => ({ client: make(false), functions: [leaky(make(true))] }));
    expect(engine.runs[0]!.status).toBe("failed");
    expect(JSON.stringify(engine.runs[0]!.error)).toMatch(
      /served by one without.*Serve it with its own client/,
    );
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  });

  test.skipIf(!SDK.defers).each([true, false])(
    "a deferred function, which no client makes: its client is sealed: %s",
    async (sealed) => {
      const engine = await serveWith((make) => {
        const client = make(false);
        const later = createDefer(make(sealed), { id: "later" }, () => SECRET);
        const fn = client.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ defer }) => {
          defer("later", { function: later, data: {} });
        });
        return { client, functions: [fn, later] };
      });
      expect(engine.runsOf("later")[0]!.status).toBe(sealed ? "failed" : "completed");
      expect(findPlaintext(engine.wire, [SECRET]).length > 0).toBe(!sealed);
    },
  );

  test("the other way round, everything is sealed", async () => {
    const engine = await serveWith((make) => ({ client: make(true), functions: [leaky(make(false))] }));
    expect(engine.runs[0]!.status).toBe("completed");
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  });
});

import { createRequire } from "node:module";
import { Inngest as InngestV4 } from "inngest";
import { Inngest, InngestMiddleware } from "inngest-v3";
import { extendedTracesMiddleware } from "inngest-v3/experimental";
import type { StepsealError } from "stepseal";
import { encryptionMiddleware as forV4 } from "stepseal/inngest";
import { encryptionMiddleware } from "stepseal/inngest-v3";
import { createTestEngine, findPlaintext } from "stepseal/testing";
import { describe, expect, test, vi } from "vitest";
import { keyring, quiet } from "../inngest/harness.ts";
import { type Build, clientOf, serveV3 } from "./app.ts";

const SECRET = "mk91-seen-by-the-functions-alone";

const ours = () => encryptionMiddleware({ keyring: keyring() }) as never;
const EVENT = { name: "go", data: { encrypted: SECRET } };

/** A function that uses most of what can leave. */
const build: Build = (inngest) => [
  inngest.createFunction({ id: "fn", retries: 0 }, { event: "go" }, async ({ event, step }) => {
    await step.sendEvent("send", { name: "sent", data: { encrypted: SECRET } });
    await step.run("a", (given: string) => given, SECRET);
    return event.data;
  }),
];

describe("listed wrongly, it says where it belongs, when the client or the function is made", () => {
  test("twice", () => {
    expect(() => new Inngest({ id: "app", middleware: [ours(), ours()] })).toThrow(/listed twice/);
  });

  test("on a function", () => {
    const inngest = new Inngest({ id: "app" });
    const make = () => inngest.createFunction({ id: "pay", middleware: [ours()] }, { event: "go" }, () => {});
    expect(make).toThrow(/function "pay".*on the client/);
  });

  test("on a client of the other SDK", async () => {
    expect(() => new InngestV4({ id: "app", middleware: [ours()] })).toThrow(
      /of stepseal\/inngest-v3 is listed on a client of SDK v4.*stepseal\/inngest$/,
    );
    const client = new Inngest({ id: "app", middleware: [forV4({ keyring: keyring() }) as never] });
    await expect(client.ready).rejects.toThrow(/listed on a client of SDK v3.*stepseal\/inngest-v3$/);
  });

  test("beside the SDK's middleware for traces, unless that path is allowed", () => {
    const traces = () => extendedTracesMiddleware({ behaviour: "off" });
    const make = (allowPlaintext: readonly "traces"[]) => () => {
      const sealing = encryptionMiddleware({ keyring: keyring(), allowPlaintext }) as never;
      return new Inngest({ id: "app", middleware: [sealing, traces()] });
    };
    expect(make([])).toThrow(/middleware of client "app".*path "traces"|path "traces".*client "app"/);
    expect(make(["traces"])).not.toThrow();
  });
});

describe("another middleware sees plaintext, listed before ours and after it", () => {
  function validation(seen: string[]): InngestMiddleware.Any {
    /** As a middleware that checks schemas: throws on what it does not expect. */
    const check = (what: string, value: unknown): void => {
      const text = JSON.stringify(value) ?? "";
      seen.push(what);
      if (text.includes("ss1.") || text.includes("__ENCRYPTED__")) throw new Error(`${what} is ciphertext`);
    };
    return new InngestMiddleware({
      name: "validation",
      init: () => ({
        onFunctionRun: ({ ctx, steps }) => {
          check("run", [ctx.event, steps]);
          return {
            transformInput: ({ ctx, steps }) => check("input", [ctx.event, ctx.events, steps]),
            transformOutput: ({ result }) => check("output", result),
            finished: ({ result }) => check("finished", result),
          };
        },
        onSendEvent: () => ({ transformInput: ({ payloads }) => check("send", payloads) }),
      }),
    });
  }

  test.each(["before", "after"] as const)("%s", async (place) => {
    for (const checkpointing of [false, true]) {
      const engine = createTestEngine();
      const seen: string[] = [];
      const client = clientOf(engine, { [place]: [validation(seen)], checkpointing });
      await serveV3(engine, client, build(client));
      await client.send(EVENT);
      await engine.idle();
      expect(engine.runs.map((run) => run.status)).toEqual(["completed"]);
      expect(new Set(seen)).toEqual(new Set(["run", "input", "output", "finished", "send"]));
      expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
    }
  });
});

describe("who serves a function", () => {
  test("a client without stepseal may not serve one of a client with it", async () => {
    const engine = createTestEngine();
    const [sealed, plain] = [clientOf(engine), clientOf(engine, { seal: null })];
    await serveV3(engine, plain, build(sealed));
    await engine.send(EVENT);
    await engine.advance("1d");
    expect(engine.runs[0]!.status).toBe("failed");
    expect(JSON.stringify(engine.runs[0]!.error)).toMatch(/served by one without/);
    // Its event was sent from outside; nothing that the function made has left.
    expect(engine.wire.filter(({ channel }) => channel === "event")).toEqual([]);
  });

  test("a client with it seals what a function of one without it returns", async () => {
    const engine = createTestEngine();
    const [sealed, plain] = [clientOf(engine), clientOf(engine, { seal: null })];
    await serveV3(engine, sealed, build(plain));
    await sealed.send(EVENT);
    await engine.advance("1d");
    expect(engine.runs[0]!.status).toBe("completed");
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  });

  test("under another id for the app, its failure handler opens what failed", async () => {
    const engine = createTestEngine();
    const seen: unknown[] = [];
    const client = clientOf(engine);
    const onFailure = ({ error }: { error: Error }): void => {
      seen.push([error.name, error.message]);
    };
    const fn = client.createFunction({ id: "fn", retries: 0, onFailure }, { event: "go" }, () => {
      throw new RangeError(SECRET);
    });
    await serveV3(engine, client, [fn], { id: "served-as" });
    await client.send(EVENT);
    await engine.idle();
    expect(engine.runs[0]!.functionId).toBe("served-as-fn");
    expect(seen).toEqual([["RangeError", SECRET]]);
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  });

  test("an expression that reads a sealed field is refused when it is served", async () => {
    const client = clientOf(createTestEngine());
    const fn = client.createFunction(
      { id: "fn", concurrency: { key: "event.data.encrypted", limit: 1 } },
      { event: "go" },
      () => {},
    );
    await expect(serveV3(createTestEngine(), client, [fn])).rejects.toThrow(/concurrency.*can never match/);
  });
});

test("an app in CommonJS, which loads another copy of the SDK, is sealed too", async () => {
  const require = createRequire(import.meta.url);
  const sdk = require("inngest-v3") as typeof import("inngest-v3");
  const { serve } = require("inngest-v3/edge") as typeof import("inngest-v3/edge");
  expect(sdk.Inngest).not.toBe(Inngest);
  const engine = createTestEngine();
  const { fetch, signingKey, signingKeyFallback: _, ...rest } = engine.clientOptions;
  const client = new sdk.Inngest({ id: "app", fetch, ...rest, logger: quiet, middleware: [ours()] });
  const functions = build(client as never) as never;
  await engine.serve(serve({ client, functions, fetch, signingKey: signingKey! }));
  await client.send(EVENT);
  await engine.advance("1d");
  expect(engine.runs.map((run) => run.status)).toEqual(["completed"]);
  expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
});

test("user data of an invocation is refused where it is called, unless it is allowed", async () => {
  for (const allowed of [false, true]) {
    const engine = createTestEngine();
    const seen: unknown[] = [];
    const client = clientOf(engine, { seal: allowed ? { allowPlaintext: ["event-user"] } : {} });
    const child = client.createFunction({ id: "child" }, [] as never, () => "done");
    const fn = client.createFunction({ id: "fn", retries: 0 }, { event: "go" }, async ({ step }) => {
      const user = { ssn: SECRET };
      const got = await step
        .invoke("call", { function: child, user } as never)
        .catch((error: unknown) => (error as { cause?: unknown }).cause ?? error);
      seen.push(got);
    });
    await serveV3(engine, client, [child, fn]);
    await client.send({ name: "go" });
    await engine.idle();
    expect(engine.runsOf("fn")[0]!.status).toBe("completed");
    if (allowed) expect(seen).toEqual(["done"]);
    else expect((seen[0] as StepsealError).message).toContain('allowPlaintext: ["event-user"]');
    expect(findPlaintext(engine.wire, [SECRET]).length > 0).toBe(allowed);
  }
});

test("a client is sealed where a middleware of the app's own calls ours", async () => {
  const engine = createTestEngine();
  const calling = {
    name: "calling",
    init: async (given: { readonly client: unknown }) =>
      encryptionMiddleware({ keyring: keyring() }).init(given),
  };
  const client = clientOf(engine, { seal: null, after: [calling] });
  await serveV3(engine, client, build(client));
  await client.send(EVENT);
  await engine.idle();
  expect(engine.runs.map((run) => run.status)).toEqual(["completed"]);
  expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
});

test("an empty user in an invocation leaves as it is", async () => {
  const engine = createTestEngine();
  const client = clientOf(engine);
  const child = client.createFunction({ id: "child" }, [] as never, () => "done");
  const fn = client.createFunction({ id: "fn", retries: 0 }, { event: "go" }, ({ step }) =>
    step.invoke("call", { function: child, user: {} } as never),
  );
  await serveV3(engine, client, [child, fn]);
  await client.send({ name: "go" });
  await engine.idle();
  expect(engine.runsOf("fn")[0]!.status).toBe("completed");
});

test("what another middleware adds to an invocation, and the SDK leaves out, is no reason to refuse it", async () => {
  const adding = new InngestMiddleware({
    name: "adding",
    init: () => ({
      onSendEvent: () => ({
        transformInput: ({ payloads }) => ({
          payloads: payloads.map((each) => ({ ...each, notes: SECRET })),
        }),
      }),
    }),
  });
  for (const seal of [null, {}]) {
    const engine = createTestEngine();
    const client = clientOf(engine, { seal, before: [adding] });
    const child = client.createFunction({ id: "child" }, [] as never, () => "done");
    const fn = client.createFunction({ id: "fn", retries: 0 }, { event: "go" }, ({ step }) =>
      step.invoke("call", { function: child, data: { encrypted: 1 } } as never),
    );
    await serveV3(engine, client, [child, fn]);
    await engine.send({ name: "go", data: {} });
    await engine.idle();
    expect(engine.runsOf("fn").map(({ status }) => status)).toEqual(["completed"]);
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
    // Of an event it leaves, unless it is refused.
    if (seal !== null) await expect(client.send({ name: "go" })).rejects.toThrow(/member "notes"/);
  }
});

describe("what is put in place of the client's fetch later is gated, and used", () => {
  type Fetch = typeof globalThis.fetch;
  type Holder = { fetch: Fetch; readonly inngestApi: { fetch: Fetch } };

  test.each<[name: string, later: (given: Fetch, gated: Fetch) => Fetch]>([
    ["another one", (given) => (input, init) => given(input, init)],
    ["what wraps it", (_given, gated) => (input, init) => gated(input, init)],
    ["what asks it for a Request", (_given, gated) => (input, init) => gated(new Request(input, init))],
    ["itself", (_given, gated) => gated],
  ])("%s, and seals once", async (name, later) => {
    const engine = createTestEngine();
    const given = engine.clientOptions.fetch;
    const used: Fetch[] = [];
    const put = (holder: { fetch: Fetch }): void => {
      const replacement = later(given, holder.fetch);
      const watched: Fetch = (input, init) => {
        used.push(replacement);
        return replacement(input, init);
      };
      holder.fetch = name === "itself" ? replacement : watched;
    };
    const swap = new InngestMiddleware({
      name: "swap",
      init: ({ client }) => {
        const holder = client as unknown as Holder;
        put(holder);
        put(holder.inngestApi);
        return {};
      },
    });
    const client = clientOf(engine, { after: [swap], checkpointing: true });
    const seen: unknown[] = [];
    const fn = client.createFunction({ id: "fn", retries: 0 }, { event: "go" }, async ({ event, step }) => {
      const signal = { signal: "s", timeout: "1h", onConflict: "fail" } as const;
      seen.push(event.data.encrypted, (await step.waitForSignal("wait", signal))?.data);
    });
    await serveV3(engine, client, [fn]);
    await client.send(EVENT);
    await engine.idle();
    await client.sendSignal({ signal: "s", data: SECRET });
    await engine.idle();
    expect(seen.slice(-2)).toEqual([SECRET, SECRET]);
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
    expect(new Set(used).size).toBe(name === "itself" ? 0 : 2);
  });
});

test("a platform that asks for the wire format of SDK v2 is refused", async () => {
  const engine = createTestEngine({
    onExecute: (body) => {
      body.version = 0;
    },
  });
  const client = clientOf(engine);
  await serveV3(engine, client, build(client));
  await client.send(EVENT);
  await engine.advance("1d");
  expect(engine.runs[0]!.status).toBe("failed");
  expect(JSON.stringify(engine.runs[0]!.error)).toContain("wire format of SDK v2");
  expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
});

describe("an event that cannot be sealed", () => {
  const withUser = { ...EVENT, user: { id: SECRET } } as never;

  /** A client, and what asks its gate: as instrumentation does that defines the member anew. */
  function watched(options: Parameters<typeof clientOf>[1] = {}) {
    const engine = createTestEngine();
    const client = clientOf(engine, options);
    const holder = client as unknown as { readonly fetch: typeof globalThis.fetch };
    const gated = holder.fetch;
    const asked = vi.fn<typeof gated>((input, init) => gated(input, init));
    Object.defineProperty(client, "fetch", { value: asked });
    return { engine, client, asked };
  }

  test("is refused before the SDK tries to send it, five times", async () => {
    const { engine, client, asked } = watched();
    await expect(client.send(withUser)).rejects.toThrow(/event-user/);
    expect(asked).not.toHaveBeenCalled();
    await client.send(EVENT);
    expect(asked).toHaveBeenCalledTimes(1);
    expect(engine.wire).not.toEqual([]);
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  });

  test("leaves as it is while decryptOnly seals nothing, other members with it", async () => {
    const { engine, client } = watched({ seal: { decryptOnly: true } });
    await client.send({ ...EVENT, user: { id: SECRET }, notes: "n" } as never);
    expect(findPlaintext(engine.wire, [SECRET])).not.toEqual([]);
  });
});

describe("a client on which `init` is called by hand", () => {
  const init = (client: object) => encryptionMiddleware({ keyring: keyring() }).init({ client });

  test("is sealed, without any middleware", async () => {
    const engine = createTestEngine();
    const client = clientOf(engine, { seal: null });
    init(client);
    await serveV3(engine, client, build(client));
    await client.send(EVENT);
    await engine.idle();
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  });

  test.each([
    ["no fetch", { inngestApi: { fetch } }],
    ["no API", { fetch }],
    ["an API without fetch", { fetch, inngestApi: {} }],
  ])("is refused where its form is unknown: %s", (_name, form) => {
    expect(() => init({ id: "app", options: {}, ...form })).toThrow(
      expect.objectContaining({
        code: "CONFIG",
        message: expect.stringContaining("cannot gate this client"),
      }),
    );
    expect(Object.prototype).not.toHaveProperty("initializeMiddleware");
  });
});

test("a middleware of a function that calls ours is told that ours belongs on the client", async () => {
  const client = new Inngest({ id: "app" });
  const calling = {
    name: "calling",
    init: async (given: { readonly client: unknown; readonly fn?: unknown }) =>
      encryptionMiddleware({ keyring: keyring() }).init(given),
  };
  const fn = client.createFunction({ id: "pay", middleware: [calling as never] }, { event: "go" }, () => {});
  // What the SDK waits for before it runs the function.
  const { middleware } = fn as unknown as { readonly middleware: Promise<unknown> };
  await expect(middleware).rejects.toThrow(/function "pay".*on the client/);
});

test("a client lists no function but its own", () => {
  const { funcs } = new Inngest({ id: "app", middleware: [ours()] }) as unknown as { funcs: object[] };
  expect(funcs).toEqual([]);
});

test("what another middleware throws past the SDK's own catch stays here, and the request counts as failed", async () => {
  const log: string[] = [];
  const write = (text: unknown): void => {
    log.push(String(text));
  };
  for (const seal of [null, {}]) {
    const engine = createTestEngine();
    const throwing = new InngestMiddleware({
      name: "throwing",
      init: () => ({
        onFunctionRun: () => ({
          beforeResponse: () => {
            throw Object.assign(new TypeError(SECRET), { code: SECRET });
          },
        }),
      }),
    });
    const client = clientOf(engine, { seal, after: [throwing], logger: { ...quiet, error: write } });
    await serveV3(engine, client, build(client));
    await engine.send({ name: "go", data: {} });
    await engine.advance("1d");
    const answers = engine.wire.filter(({ channel, method }) => channel === "response" && method === "POST");
    expect(answers.at(-1)?.status).toBe(500);
    expect(findPlaintext(answers, [SECRET]).length > 0).toBe(seal === null);
  }
  const said = log.filter((line) => line.includes("stepseal: ")).join("\n");
  expect(said).toContain("TypeError");
  expect(said).not.toContain(SECRET);
});

import { readdirSync, readFileSync } from "node:fs";
import { Inngest, Middleware, StepError, fetch as sdkFetch } from "inngest";
import { serve } from "inngest/edge";
import { createDefer, extendedTracesMiddleware, sandboxMiddleware } from "inngest/experimental";
import { stream } from "inngest/experimental/durable-endpoints";
import { createTestEngine, type TestEngine } from "stepseal/testing";
import { describe, expect, test, vi } from "vitest";
import {
  DEFERRED_EVENT,
  EXPERIMENT_MEMBER,
  FAILED_EVENT,
  HTTP_EVENT,
  INVOKED_EVENT,
  LIFECYCLE_EVENTS,
  SCHEDULED_EVENT,
} from "../../../src/adapters/inngest/gate/event.ts";
import { hashStepId } from "../../../src/testing/ids.ts";
import { createApp, MODES, quiet, SDK } from "./harness.ts";

// What the gate takes for granted of the SDK. When one of these fails with a new version, its name says which part of
// the gate has to be looked at; nothing here uses stepseal's middleware.

const hooks = (members: object): Middleware.Class => {
  class Probe extends Middleware.BaseMiddleware {
    override readonly id = "probe";
  }
  Object.assign(Probe.prototype, members);
  return Probe;
};

/** Runs one function `fn`, which sleeps after its step "a", and lets `edit` change what the platform stores of it. */
async function play(
  members: object,
  {
    handler = async ({ step }) => {
      const a = await step.run("a", () => "a");
      await step.sleep("nap", "1h");
      return a;
    },
    checkpointing = false,
  }: { handler?: (arg: never) => unknown; checkpointing?: boolean } & {
    handler?: (arg: {
      step: { run(id: string, f: () => unknown): Promise<unknown>; sleep(...a: string[]): Promise<void> };
    }) => unknown;
  } = {},
) {
  const app = await createApp(
    (client) => [
      client.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, handler as never),
    ],
    { seal: null, checkpointing, middleware: [hooks(members)], engineOptions: { requestTimeout: 3_000 } },
  );
  await app.inngest.send({ name: "go" });
  await app.engine.advance("2h");
  return { ...app, run: app.engine.runs[0]! };
}

describe("fetch-door.ts", () => {
  test("`fetch` is a getter of the client's class", () => {
    expect(Object.getOwnPropertyDescriptor(Inngest.prototype, "fetch")?.get).toBeTypeOf("function");
    expect(Object.hasOwn(new Inngest({ id: "app" }), "fetch")).toBe(false);
  });

  test("the client asks its own `fetch` again for each call, events and API alike", async () => {
    const engine = createTestEngine();
    const client = new Inngest({ id: "app", ...engine.clientOptions, logger: quiet });
    const asked: string[] = [];
    const { fetch } = client;
    Object.defineProperty(client, "fetch", {
      get: () => (input: string | URL, init: RequestInit) => {
        asked.push(new URL(input).pathname);
        return fetch(input, init);
      },
    });
    await client.send({ name: "go" });
    await client.realtime.publish({ channel: "c", topic: "t", config: {} } as never, 1);
    expect(asked.map((path) => path.replace(/^\/e\/.*/, "/e/"))).toEqual(["/e/", "/v1/realtime/publish"]);
  });

  test("a throw in `fetch` is tried five times, which is why events are refused in wrapSendEvent", async () => {
    let calls = 0;
    const fetch = () => {
      calls += 1;
      throw new Error("refused");
    };
    const client = new Inngest({
      id: "app",
      eventKey: "k",
      isDev: false,
      logger: quiet,
      fetch: fetch as never,
    });
    await expect(client.send({ name: "go" })).rejects.toThrow();
    expect(calls).toBe(5);
  });
});

interface Op {
  readonly op: string;
  readonly id: string;
  readonly opts?: { readonly signal?: unknown };
  readonly userland?: unknown;
  readonly error?: unknown;
}

/** The ops in every answer and checkpoint. */
function opsIn({ wire }: TestEngine): Op[] {
  return wire
    .filter(
      ({ status, url, method }) => method === "POST" && (status === 206 || url.includes("/checkpoint/")),
    )
    .flatMap(({ body }) => {
      const parsed = JSON.parse(body) as { readonly steps: Op[] } | Op[];
      return Array.isArray(parsed) ? parsed : parsed.steps;
    });
}

/** Every file of the SDK that calls the platform, by what it holds. */
function sources(): string {
  const root = new URL(
    `../../../node_modules/${process.env.INNGEST === "oldest" ? "inngest-oldest" : "inngest"}/`,
    import.meta.url,
  );
  const read = (folder: string): string[] =>
    readdirSync(new URL(folder, root), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory()
        ? read(`${folder}${entry.name}/`)
        : entry.name.endsWith(".js")
          ? [readFileSync(new URL(`${folder}${entry.name}`, root), "utf8")]
          : [],
    );
  const types = readFileSync(new URL("types.js", root), "utf8");
  return [types, ...["api/", "components/", "helpers/"].flatMap(read)].join("\n");
}

describe("requests.ts and ops.ts", () => {
  test("the SDK names no endpoint that the table does not", () => {
    const code = sources().replace(/^\s*\*.*$/gm, "");
    const paths = new Set([...code.matchAll(/["'`](\/(?:v\d|fn)\/[a-z][^"'`?]*)/g)].map(([, path]) => path!));
    const generic = [...paths].map((path) => path.replace(/\$\{[^}]*(?:\([^)]*\))?[^}]*\}/g, "*")).sort();
    const known = [
      /^\/v1\/checkpoint(\/\*\/(steps|async))?$/,
      /^\/v0\/runs\/\*\/(actions|batch)$/,
      /^\/v1\/http\/runs\/\*\/output$/,
      /^\/fn\/register$/,
      /^\/v1\/signals$/,
      /^\/v1\/realtime\/(publish|publish\/tee|token)$/,
      /^\/v1\/runs\/\*\/metadata$/,
      /^\/v2\/(sandboxes|snapshots)(\/.*)?$/,
      // Reached by others than the client: a browser that subscribes, connect's handshake and buffer, traces.
      /^\/v1\/realtime\/(connect|sse)$/,
      /^\/v0\/connect\/(start|flush)$/,
      /^\/v1\/traces\/userland$/,
    ];
    expect(generic.length).toBeGreaterThan(10);
    expect(generic.filter((path) => !known.some((each) => each.test(path)))).toEqual([]);
  });

  test("the SDK names no op that the table does not", () => {
    const codes = new Set(
      [...sources().matchAll(/StepOpCode\$1\["\w+"\] = "(\w+)"/g)].map(([, code]) => code),
    );
    const known = [
      "StepRun",
      "StepError",
      "StepFailed",
      "StepPlanned",
      "RunComplete",
      "Sleep",
      "WaitForEvent",
      "WaitForSignal",
      "InvokeFunction",
      "AIGateway",
      "Gateway",
      "DiscoveryRequest",
      "DeferAdd",
      "DeferAbort",
      // Never reported by this SDK: of an older protocol, and answered as an error.
      "Step",
      "StepNotFound",
    ];
    expect(codes.size).toBeGreaterThan(10);
    expect([...codes].filter((code) => !known.includes(code!))).toEqual([]);
  });

  test("the SDK writes no kind of metadata of its own that the table does not know", () => {
    const kinds = new Set(
      [...sources().matchAll(/["'`](inngest\.(?:score|experiment|ai|warnings|sandbox|[a-z]+))["'`]/g)].map(
        ([, kind]) => kind,
      ),
    );
    const known = ["score", "experiment", "ai", "warnings", "sandbox"];
    // Names of other things that look alike: events of a stream, spans, symbols.
    const others = [
      "commit",
      "rollback",
      "stream",
      "response",
      "metadata",
      "execution",
      "traceparent",
      "traceref",
      "sandboxes",
    ];
    expect(
      [...kinds].filter((kind) => ![...known, ...others].includes(kind!.slice("inngest.".length))),
    ).toEqual([]);
  });
});

describe("response-door.ts", () => {
  test.each(MODES)(
    "wrapRequest of the first middleware has the last word on the body, $name",
    async ({ checkpointing }) => {
      const { engine } = await play(
        {
          async wrapRequest({ next }: Middleware.WrapRequestArgs) {
            const response = await next();
            expect(response.body).toBeTypeOf("string");
            return { ...response, headers: { ...response.headers, "x-probe": String(response.body.length) } };
          },
        },
        { checkpointing },
      );
      const answers = engine.wire.filter(({ channel }) => channel === "response");
      expect(answers.length).toBeGreaterThan(1);
      for (const { method, headers, body } of answers) {
        if (method === "POST") expect(headers["x-probe"]).toBe(String(body.length));
      }
    },
  );

  test("a response is signed before wrapRequest sees it, with `t` in seconds", async () => {
    const seen: string[] = [];
    await play({
      async wrapRequest({ next }: Middleware.WrapRequestArgs) {
        const response = await next();
        seen.push(response.headers["x-inngest-signature"] ?? "");
        return response;
      },
    });
    expect(seen.length).toBeGreaterThan(1);
    for (const signature of seen) expect(signature).toMatch(/^t=\d{10}&s=[0-9a-f]{64}$/);
  });
});

describe("response-door.ts, what the SDK answers where no function ran or ended", () => {
  /** Bodies of the answers to what `change` makes of the first request, as wrapRequest sees them, and as they leave. */
  async function answers(change: (request: Request) => Request) {
    const passed: string[] = [];
    const left: string[] = [];
    const wrapRequest = async ({ next }: Middleware.WrapRequestArgs) => {
      const response = await next();
      passed.push(response.body);
      return response;
    };
    const { engine, inngest } = await createApp(
      (client) => [
        client.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, async ({ step }) => {
          await Promise.all([step.run("a", () => "a"), step.run("b", () => "b")]);
        }),
      ],
      {
        seal: null,
        checkpointing: false,
        middleware: [hooks({ wrapRequest })],
        around: (handler) => async (request) => {
          if (request.method !== "POST") return handler(request);
          const response = await handler(change(request));
          left.push(await response.clone().text());
          return response;
        },
      },
    );
    await inngest.send({ name: "go" });
    await engine.idle().catch(() => {});
    return { passed, left };
  }

  test("a request that is not signed: a fixed text", async () => {
    const unsigned = (request: Request): Request => {
      const headers = new Headers(request.headers);
      headers.delete("x-inngest-signature");
      return new Request(request, { headers });
    };
    const { left } = await answers(unsigned);
    expect(left[0]).toBe('{"message":"Unauthorized"}');
  });

  test("a probe: an empty text; and a failure of its own, a fixed one", async () => {
    const probe = (request: Request): Request => new Request(`${request.url}&probe=trust`, request);
    expect((await answers(probe)).left[0]).toBe("");
    expect(sources()).toContain('stringify({ code: "internal_server_error" })');
  });

  test("a step that the function does not have: hashed ids and names, in these members alone", async () => {
    const other = (request: Request): Request => {
      const url = new URL(request.url);
      url.searchParams.set("stepId", hashStepId("renamed"));
      return new Request(url, request);
    };
    // Ten seconds, for which the SDK looks for it.
    const realTimeout = setTimeout;
    const hurried = (work: () => void, ms = 0, ...rest: []) =>
      realTimeout(work, ms === 10_000 ? 0 : ms, ...rest);
    vi.stubGlobal("setTimeout", Object.assign(hurried, { __promisify__: realTimeout.__promisify__ }));
    const { passed } = await answers(other).finally(() => vi.unstubAllGlobals());
    const answer = JSON.parse(passed[0]!) as { foundSteps: object[]; requestedStep: unknown };
    expect(Object.keys(answer).sort().join()).toBe("error,foundSteps,requestedStep,totalFoundSteps");
    expect(answer.requestedStep).toBe(hashStepId("renamed"));
    expect(answer.foundSteps.length).toBe(2);
    for (const found of answer.foundSteps) {
      expect(["displayName,id", "displayName,id,name"]).toContain(Object.keys(found).sort().join());
    }
  });
});

describe("middleware.ts", () => {
  test("one instance serves the hooks of one request", async () => {
    const instances = new Map<object, Set<string>>();
    const note = (self: object, hook: string) => {
      instances.set(self, (instances.get(self) ?? new Set()).add(hook));
    };
    await play({
      wrapRequest(this: object, { next }: Middleware.WrapRequestArgs) {
        note(this, "wrapRequest");
        return next();
      },
      transformFunctionInput(this: object, arg: unknown) {
        note(this, "transformFunctionInput");
        return arg;
      },
      wrapStep(this: object, { next }: Middleware.WrapStepArgs) {
        note(this, "wrapStep");
        return next();
      },
      wrapFunctionHandler(this: object, { next }: Middleware.WrapFunctionHandlerArgs) {
        note(this, "wrapFunctionHandler");
        return next();
      },
    });
    expect(instances.size).toBeGreaterThan(1);
    expect(new Set([...instances.values()].map((hooks) => hooks.size))).toEqual(new Set([4]));
  });

  test("the middleware that the user listed stands in the client's options", () => {
    const middleware = [hooks({})];
    expect((new Inngest({ id: "app", middleware }) as unknown as { options: object }).options).toMatchObject({
      middleware,
    });
  });

  test("a function that fails in wrapFunctionHandler fails, though a step never settles", async () => {
    const { run } = await play({
      wrapStep: () => new Promise(() => {}),
      wrapFunctionHandler: ({ next }: Middleware.WrapFunctionHandlerArgs) =>
        Promise.race([next(), Promise.resolve().then(() => Promise.reject(new Error("from outside")))]),
    });
    expect(run).toMatchObject({ status: "failed", error: { message: "from outside" } });
  });

  test("a throw in transformFunctionInput fails the run, and the function does not start", async () => {
    let started = 0;
    const { run } = await play(
      {
        transformFunctionInput: () => {
          throw new Error("refused");
        },
      },
      {
        handler: () => {
          started += 1;
        },
      },
    );
    expect(started).toBe(0);
    expect(run).toMatchObject({ status: "failed", error: { message: "refused" } });
  });
});

describe("input.ts and steps.ts", () => {
  test("transformFunctionInput replaces data of steps, and errors only in place", async () => {
    const seen: unknown[] = [];
    await play(
      {
        transformFunctionInput(arg: Middleware.TransformFunctionInputArgs) {
          for (const step of Object.values(arg.steps)) {
            if (step.type === "error") Object.assign(step.error as object, { message: "changed in place" });
            else if (step.type === "data" && step.data !== null) Object.assign(step, { data: "replaced" });
          }
          return arg;
        },
      },
      {
        handler: async ({ step }) => {
          const a = await step.run("a", () => "a");
          await step
            .run("b", () => {
              throw new Error("b");
            })
            .catch((error: unknown) => seen.push((error as Error).message));
          await step.sleep("nap", "1h");
          seen.push(a);
        },
      },
    );
    expect(seen.slice(-2)).toEqual(["changed in place", "replaced"]);
  });

  test('the end of a run is told under the hash of "complete", as a step without a name of the user\'s', async () => {
    expect(hashStepId("complete")).toBe("0737c22d3bfae812339732d14d8c7dbd6dc4e09c");
    expect(sources()).toContain('const RUN_COMPLETE_STEP_ID = "complete"');
  });

  test.skipIf(!SDK.defers)("so is its failure, once it has deferred something", async () => {
    const { engine, inngest } = await createApp(
      (client) => {
        const later = createDefer(client, { id: "later" }, () => 1);
        const fn = client.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, ({ defer }) => {
          defer("d", { function: later, data: {} });
          throw new Error("failed");
        });
        return [fn, later];
      },
      { seal: null, checkpointing: false },
    );
    await inngest.send({ name: "go" });
    await engine.idle();
    const failed = opsIn(engine).filter(({ error }) => error !== undefined);
    expect(failed.length).toBeGreaterThan(0);
    for (const { id, userland } of failed) {
      expect([id, userland]).toEqual([hashStepId("complete"), undefined]);
    }
  });

  test.each(MODES)(
    "a sent signal is a step that leaves its name, and of which no type is told, $name",
    async ({ checkpointing }) => {
      const types: unknown[] = [];
      const { engine } = await play(
        {
          wrapStep({ next, stepInfo }: Middleware.WrapStepArgs) {
            types.push([stepInfo.options.id, stepInfo.stepType]);
            return next();
          },
        },
        {
          checkpointing,
          handler: async ({ step }) => {
            const { sendSignal } = step as unknown as {
              sendSignal(id: string, signal: object): Promise<void>;
            };
            await sendSignal("send", { signal: "mine", data: 1 });
          },
        },
      );
      expect(types).toContainEqual(["send", "unknown"]);
      const sent = opsIn(engine).filter(({ op, opts }) => op === "StepRun" && opts?.signal !== undefined);
      expect(sent.map(({ opts }) => opts!.signal)).toEqual(["mine"]);
    },
  );

  test("the error that wrapStep passes on is the one that user code catches, the same object", async () => {
    const passed: unknown[] = [];
    const caught: unknown[] = [];
    await play(
      {
        wrapStep({ next, stepInfo }: Middleware.WrapStepArgs) {
          const result = next();
          if (stepInfo.memoized) result.catch((error: unknown) => passed.push(error));
          return result;
        },
      },
      {
        handler: async ({ step }) => {
          const fail = () => {
            throw new TypeError("once");
          };
          await step.run("a", fail).catch((error: unknown) => caught.push(error));
          await step.sleep("nap", "1h");
        },
      },
    );
    expect(passed.length).toBeGreaterThan(0);
    expect(passed.at(-1)).toBe(caught.at(-1));
    expect(passed.at(-1)).toBeInstanceOf(StepError);
  });

  test("wrapStep is told the hashed id, the user's id and the type of a memoized step", async () => {
    const told: unknown[] = [];
    await play({
      wrapStep({ next, stepInfo }: Middleware.WrapStepArgs) {
        if (stepInfo.memoized) told.push([stepInfo.hashedId, stepInfo.options.id, stepInfo.stepType]);
        return next();
      },
    });
    expect(told).toContainEqual([hashStepId("a"), "a", "run"]);
    expect(told).toContainEqual([hashStepId("nap"), "nap", "sleep"]);
  });
});

describe("fetch-door.ts and context.ts", () => {
  test("a checkpoint names its run, in its path and in its body", async () => {
    const { engine, run } = await play({}, { checkpointing: true });
    const checkpoints = engine.wire.filter(({ url }) => url.includes("/v1/checkpoint/"));
    expect(checkpoints.length).toBeGreaterThan(0);
    for (const { url, body } of checkpoints) {
      expect(new URL(url).pathname).toBe(`/v1/checkpoint/${run.id}/async`);
      expect(JSON.parse(body)).toMatchObject({ run_id: run.id, steps: expect.any(Array) });
    }
  });
});

describe("install.ts and event.ts", () => {
  const client = new Inngest({ id: "app", isDev: true, logger: quiet });
  const idOf = (Class: unknown): string => new (Class as Middleware.Class)({ client }).id;

  test("the middleware of extended traces and of sandboxes go by these ids", () => {
    expect(idOf(extendedTracesMiddleware({ behaviour: "off" }))).toBe("inngest:extended-traces");
    if (SDK.sandboxes) expect(idOf(sandboxMiddleware())).toBe("inngest:sandbox");
  });

  test("the SDK has no event of its own whose name the gate does not know", () => {
    const names = [...sources().matchAll(/internalEvents\$1\["\w+"\] = "([^"]+)"/g)].map(([, name]) => name);
    const known = [
      ...LIFECYCLE_EVENTS,
      FAILED_EVENT,
      INVOKED_EVENT,
      SCHEDULED_EVENT,
      HTTP_EVENT,
      DEFERRED_EVENT,
    ];
    expect(names.length).toBeGreaterThan(4);
    expect(names.filter((name) => !known.includes(name!))).toEqual([]);
    if (SDK.defers) expect(sources()).toContain(`const deferExperimentKey = "${EXPERIMENT_MEMBER}"`);
  });
});

describe("functions.ts", () => {
  test("the class of functions has getConfig, asked as `serve` starts, and createExecution, asked with the client", async () => {
    const client = new Inngest({ id: "app", isDev: true, logger: quiet });
    const fn = client.createFunction({ id: "fn", triggers: { event: "go" } }, () => 1);
    const proto = Object.getPrototypeOf(fn) as Record<string, (...args: never[]) => unknown>;
    expect(proto.getConfig).toBeTypeOf("function");
    expect(proto.createExecution).toBeTypeOf("function");
    let asked = 0;
    Object.defineProperty(fn, "getConfig", {
      value: (...args: never[]) => {
        asked += 1;
        const [config] = proto.getConfig!.apply(fn, args) as [Record<string, unknown>];
        expect(config).toMatchObject({ id: "app-fn", triggers: [{ event: "go" }] });
        return [config];
      },
    });
    serve({ client, functions: [fn] });
    expect(asked).toBeGreaterThan(0);
  });
});

describe("step-tools.ts and streams.ts", () => {
  test("step.fetch and the SDK's fetch ask the tool behind the registered symbol, of the tools in `ctx`", async () => {
    const asked: unknown[] = [];
    await play(
      {
        transformFunctionInput(arg: Middleware.TransformFunctionInputArgs) {
          const gateway = async (id: unknown) => {
            asked.push(id);
            return { status_code: 200, headers: {}, body: "made here" };
          };
          const step = { ...arg.ctx.step, [Symbol.for("inngest.step.gateway")]: gateway };
          return { ...arg, ctx: { ...arg.ctx, step } };
        },
      },
      {
        handler: async ({ step }) => {
          const tools = step as unknown as { fetch: typeof fetch };
          return [
            await (await tools.fetch("http://a.test/")).text(),
            await (await sdkFetch("http://b.test/")).text(),
          ];
        },
      },
    );
    expect(asked).toEqual(["step.fetch: a.test", "step.fetch: b.test"]);
  });

  test("`stream` pushes into the object that the asynchronous context holds", async () => {
    const pushed: unknown[] = [];
    await play(
      {
        transformFunctionInput(arg: unknown) {
          const context = (globalThis as never)[Symbol.for("inngest:als")] as {
            resolved: { getStore(): { execution: { stream: { push(data: unknown): void } } } };
          };
          context.resolved.getStore().execution.stream.push = (data) => pushed.push(data);
          return arg;
        },
      },
      { handler: async () => stream.push("data") },
    );
    expect(pushed).toEqual(["data"]);
  });
});

describe("rebuild-error.ts", () => {
  test("a StepError reads its error, and restores the class, the name and the cause of the cause", () => {
    const cause = {
      name: "TypeError",
      message: " inner ",
      stack: "s",
      cause: { name: "RangeError", message: "in" },
    };
    const error = new StepError("id", { name: " Own ", message: "outer", cause });
    expect(error).toMatchObject({ name: "Own", message: "outer" });
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(error.cause).toMatchObject({ name: "TypeError", message: "inner", stack: "s" });
    expect((error.cause as Error).cause).toBeInstanceOf(RangeError);
  });
});

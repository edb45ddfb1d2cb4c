import { Inngest as InngestV4, referenceFunction as referenceV4 } from "inngest";
import { serve as serveV4 } from "inngest/edge";
import { referenceFunction as referenceV3 } from "inngest-v3";
import { isSealed } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import { createTestEngine, findPlaintext, type TestEngine } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { keyring, quiet } from "../inngest/harness.ts";
import { clientOf, handlerOf } from "./app.ts";

// Pods on SDK v3 and on SDK v4 go on with each other's runs, and call each other's functions.

const SECRET = "mk90-of-a-mixed-fleet";

type Sdk = "v3" | "v4";
type See = (what: string, value: unknown) => void;

interface Step {
  run(id: string, work: (...given: unknown[]) => unknown, ...input: unknown[]): Promise<unknown>;
  sleep(id: string, time: string): Promise<void>;
  invoke(id: string, options: object): Promise<unknown>;
  sendEvent(id: string, event: object): Promise<unknown>;
  waitForEvent(id: string, options: object): Promise<{ data: Record<string, unknown> } | null>;
  waitForSignal(id: string, options: object): Promise<unknown>;
}
type Handler = (context: { step: Step; event: { data: Record<string, unknown> }; error?: Error }) => unknown;

interface Definition {
  readonly id: string;
  readonly event?: string;
  readonly onFailure?: Handler;
  readonly handler: Handler;
}

interface Caller {
  send(event: object): Promise<unknown>;
  sendSignal(signal: object): Promise<unknown>;
}

const STORE = Symbol.for("inngest:als");
const globals = globalThis as { [STORE]?: unknown };
const stores: Record<Sdk, unknown> = { v3: undefined, v4: undefined };

/** Both SDKs keep what they execute under one global name, each in its own form: they are made for two processes. */
async function inProcessOf<T>(sdk: Sdk, work: () => T | Promise<T>): Promise<T> {
  globals[STORE] = stores[sdk];
  try {
    return await work();
  } finally {
    stores[sdk] = globals[STORE];
  }
}

const callerOf = (sdk: Sdk, client: Caller): Caller => ({
  send: (event) => inProcessOf(sdk, () => client.send(event)),
  sendSignal: (signal) => inProcessOf(sdk, () => client.sendSignal(signal)),
});

/** Serves the functions on one of the SDKs, in place of whatever served that app before. */
async function deploy(
  engine: TestEngine,
  sdk: Sdk,
  definitions: readonly Definition[],
  { id = "app", sealed = true, checkpointing = false } = {},
): Promise<Caller> {
  if (sdk === "v3") {
    const client = clientOf(engine, { id, checkpointing, ...(!sealed && { seal: null }) });
    const functions = definitions.map(({ id, event, handler, onFailure }) =>
      client.createFunction(
        { id, retries: 0, ...(onFailure && { onFailure: onFailure as never }) },
        (event === undefined ? [] : { event }) as never,
        handler as never,
      ),
    );
    const handler = handlerOf(engine, client, functions);
    await engine.serve((request) => inProcessOf("v3", () => handler(request)));
    return callerOf("v3", client as never);
  }
  const client = new InngestV4({
    id,
    ...engine.clientOptions,
    logger: quiet,
    checkpointing,
    middleware: sealed ? [encryptionMiddleware({ keyring: keyring() })] : [],
  });
  const functions = definitions.map(({ id, event, handler, onFailure }) =>
    client.createFunction(
      {
        id,
        retries: 0,
        triggers: event === undefined ? [] : { event },
        ...(onFailure && { onFailure: onFailure as never }),
      },
      handler as never,
    ),
  );
  const handler = serveV4({ client, functions });
  await engine.serve((request) => inProcessOf("v4", () => handler(request)));
  return callerOf("v4", client as never);
}

const WAYS: readonly [begun: Sdk, resumed: Sdk][] = [
  ["v3", "v4"],
  ["v4", "v3"],
];

describe.each([false, true])("checkpointing: %s", (checkpointing) => {
  describe.each(WAYS)("a run begun on %s and resumed on %s", (begun, resumed) => {
    const story = (see: See): Definition[] => [
      {
        id: "story",
        event: "go",
        onFailure: ({ error, event }) => {
          see("onFailure", [error?.name, error?.message, (error?.cause as Error | undefined)?.message]);
          see("failed event", (event.data as { event: { data: unknown } }).event.data);
        },
        handler: async ({ step, event }) => {
          see("event", event.data);
          for (const [i, value] of [false, 0, "", null, { deep: [SECRET] }].entries()) {
            see(`output ${i}`, await step.run(`output ${i}`, () => value));
          }
          see("input", await step.run("input", (given) => given, { input: SECRET }));
          await step
            .run("bad", () => {
              throw Object.assign(new RangeError(SECRET, { cause: new TypeError(SECRET) }), {
                name: "NonRetriableError",
              });
            })
            .catch((error: Error) =>
              see("caught", [error.name, error.message, (error.cause as Error).message]),
            );
          await step.sleep("nap", "1h");
          see("later", await step.run("later", () => SECRET));
          const waited = await step.waitForEvent("wait", { event: "answer", timeout: "1d" });
          see("waited", waited?.data);
          see(
            "signal",
            await step.waitForSignal("sig", { signal: "s", timeout: "1d", onConflict: "replace" }),
          );
          throw new SyntaxError(SECRET, { cause: new URIError(SECRET) });
        },
      },
    ];

    async function play(sealed: boolean) {
      const engine = createTestEngine();
      const seen = new Map<string, unknown>();
      const see: See = (what, value) => seen.set(what, value);
      const first = await deploy(engine, begun, story(see), { sealed, checkpointing });
      await first.send({ name: "go", data: { n: 1, encrypted: { card: SECRET } } });
      await engine.idle();
      const second = await deploy(engine, resumed, story(see), { sealed, checkpointing });
      await engine.advance("2h");
      await second.send({ name: "answer", data: { encrypted: SECRET } });
      await engine.idle();
      await first.sendSignal({ signal: "s", data: { by: SECRET } });
      await engine.advance("1h");
      return { engine, seen: Object.fromEntries(seen) };
    }

    test("sees what it sees without stepseal, and the platform none of it", async () => {
      const [plain, sealed] = [await play(false), await play(true)];
      expect(findPlaintext(plain.engine.wire, [SECRET]).length).toBeGreaterThan(5);
      expect(Object.keys(sealed.seen)).toContain("onFailure");
      expect(sealed.seen).toEqual(plain.seen);
      expect(findPlaintext(sealed.engine.wire, [SECRET])).toEqual([]);
      expect(sealed.engine.runsOf("story").map((run) => run.status)).toEqual(["failed"]);
      expect(sealed.engine.runsOf("story-failure").map((run) => run.status)).toEqual(["completed"]);
    });
  });

  describe.each(WAYS)("a parent on %s that invokes a child on %s", (parent, child) => {
    const referTo = (functionId: string) => {
      const target = { appId: "children", functionId };
      return parent === "v3" ? referenceV3(target) : referenceV4(target);
    };

    async function play(sealed: boolean) {
      const engine = createTestEngine();
      const seen: unknown[] = [];
      await deploy(
        engine,
        child,
        [
          {
            id: "child",
            handler: async ({ step, event }) => {
              const { _inngest, ...data } = event.data;
              seen.push(data);
              await step.sleep("rest", "1m");
              return { back: data, own: await step.run("own", () => SECRET) };
            },
          },
          {
            id: "bad",
            handler: () => {
              throw new RangeError(SECRET);
            },
          },
        ],
        { id: "children", sealed, checkpointing },
      );
      const client = await deploy(
        engine,
        parent,
        [
          {
            id: "parent",
            event: "go",
            handler: async ({ step }) => {
              for (const data of [{ encrypted: SECRET, plain: 1 }, { plain: 2 }, undefined]) {
                const id = `call ${JSON.stringify(data?.plain)}`;
                seen.push(await step.invoke(id, { function: referTo("child"), ...(data && { data }) }));
              }
              await step
                .invoke("bad", { function: referTo("bad") })
                .catch((error: Error) => seen.push([error.name, error.message]));
            },
          },
        ],
        { sealed, checkpointing },
      );
      await client.send({ name: "go", data: {} });
      await engine.advance("1h");
      return { engine, seen };
    }

    test("sees what it sees without stepseal, and the platform none of it", async () => {
      const [plain, sealed] = [await play(false), await play(true)];
      expect(findPlaintext(plain.engine.wire, [SECRET]).length).toBeGreaterThan(5);
      expect(sealed.seen).toEqual(plain.seen);
      expect(sealed.seen.filter((each) => JSON.stringify(each).includes(SECRET)).length).toBeGreaterThan(2);
      expect(findPlaintext(sealed.engine.wire, [SECRET])).toEqual([]);
      expect(isSealed(sealed.engine.runsOf("parent")[0]!.output)).toBe(true);
    });

    test("is refused the result of another call", async () => {
      const engine = createTestEngine();
      const seen: unknown[] = [];
      const answer: Definition = { id: "child", handler: ({ event }) => event.data.encrypted };
      await deploy(engine, child, [answer], { id: "children", checkpointing });
      const client = await deploy(
        engine,
        parent,
        [
          {
            id: "parent",
            event: "go",
            handler: async ({ step, event }) => {
              const got = await step.invoke("ask", {
                function: referTo("child"),
                data: { encrypted: event.data.n },
              });
              await step.sleep("nap", "1h");
              seen.push(got);
            },
          },
        ],
        { checkpointing },
      );
      for (const n of [1, 2]) await client.send({ name: "go", data: { n, encrypted: n } });
      await engine.idle();
      const [one, two] = engine.runsOf("parent");
      const [ask] = one!.steps.keys();
      one!.steps.set(ask!, two!.steps.get(ask!)!);
      await engine.advance("2h");
      expect([one!.status, two!.status]).toEqual(["failed", "completed"]);
      expect(JSON.stringify(one!.error)).toContain("CONTEXT");
      expect(seen).toEqual([2]);
    });
  });
});

import { Inngest, Middleware } from "inngest";
import { serve } from "inngest/edge";
import { isSealed } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import { createTestEngine, findPlaintext } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { codeOf } from "../../code-of.ts";
import { createApp, keyring, MODES, quiet, SDK } from "./harness.ts";

const SECRET = "mk60-must-not-leave";

/** A middleware inside the gate that changes the answer to each execution request. */
function answering(change: (response: Middleware.Response) => Middleware.Response): Middleware.Class {
  return class extends Middleware.BaseMiddleware {
    override readonly id = "answering";
    override async wrapRequest({ next }: Middleware.WrapRequestArgs) {
      return change(await next());
    }
  };
}

async function play(middleware: Middleware.Class, client: object = {}) {
  const log: string[] = [];
  const write = (...parts: unknown[]) => {
    log.push(parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" "));
  };
  const { engine, inngest } = await createApp(
    (app) => [
      app.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, async ({ step }) => {
        await step.run("a", () => SECRET);
        return SECRET;
      }),
    ],
    {
      // Unsigned, since whoever changes an answer breaks its signature.
      engineOptions: { signingKey: null },
      checkpointing: false,
      middleware: [middleware],
      client: { logger: { info: write, warn: write, error: write, debug: write }, ...client },
    },
  );
  await inngest.send({ name: "go" });
  await engine.advance("1d");
  const said = log.filter((line) => line.includes("stepseal: "));
  return {
    engine,
    said,
    run: engine.runs[0]!,
    answers: engine.wire.filter(({ channel }) => channel === "response"),
  };
}

const op = (members: object) => ({
  id: "x",
  op: "StepRun",
  displayName: "a",
  userland: { id: "a" },
  data: 1,
  ...members,
});
const body = (status: number, value: unknown) => (response: Middleware.Response) => ({
  ...response,
  status,
  body: typeof value === "string" ? value : JSON.stringify(value),
});

const unknown: [
  name: string,
  change: (response: Middleware.Response) => Middleware.Response,
  says: RegExp,
][] = [
  ["a status", body(299, SECRET), /status 299.*unknown/],
  [
    "an op",
    body(206, [op({ op: "StepTeleported", data: SECRET })]),
    /op "StepTeleported" of step "a".*unknown/,
  ],
  [
    "an op that is a member of every object",
    body(206, [op({ op: "constructor", data: SECRET })]),
    /op "constructor".*unknown/,
  ],
  ["a member of an op", body(206, [op({ notes: SECRET })]), /member "notes".*unknown/],
  [
    "a member of an op's options",
    body(206, [op({ opts: { notes: SECRET } })]),
    /member "opts\.notes".*unknown/,
  ],
  ["options that are a text", body(206, [op({ opts: SECRET })]), /opts are not an object/],
  ["data where there is none", body(206, [op({ op: "Sleep", data: SECRET })]), /"Sleep".*carries data/],
  ["an error where there is none", body(206, [op({ error: { message: SECRET } })]), /carries an error/],
  ["an op that is a text", body(206, [SECRET]), /an op that is not an object/],
  ["an op without an id", body(206, [op({ id: undefined, data: SECRET })]), /id is not a string/],
  [
    "a member of an invocation's payload",
    body(206, [
      op({ op: "InvokeFunction", data: null, opts: { function_id: "f", payload: { notes: SECRET } } }),
    ]),
    /payload: member "notes".*unknown/,
  ],
  [
    "the user of an invocation's payload",
    body(206, [
      op({ op: "InvokeFunction", data: null, opts: { function_id: "f", payload: { user: SECRET } } }),
    ]),
    /path "event-user"/,
  ],
  ["metadata that is no list", body(206, [op({ metadata: SECRET })]), /metadata/],
  [
    "a member of metadata",
    body(206, [op({ metadata: [{ kind: "userland.x", values: {}, notes: SECRET }] })]),
    /metadata update: member "notes"/,
  ],
  ["a failure that is a text", body(500, JSON.stringify(SECRET)), /failure that is not an object/],
];

// v3 shows no middleware its answers; test/adapters/inngest-v3/result.test.ts asks the same of its gate.
describe.skipIf(!SDK.v4)(
  "what the gate does not know is refused, with an error that names it, and the original body does not leave",
  () => {
    test.each(unknown)("%s", async (_name, change, says) => {
      const { engine, run, said, answers } = await play(answering(change));
      expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
      expect(run.status).toBe("failed");
      expect(answers.at(-1)).toMatchObject({ status: 400, headers: { "x-inngest-no-retry": "true" } });
      const told = JSON.parse(answers.at(-1)!.body) as object;
      expect(told).toMatchObject({
        name: "StepsealError",
        code: "REFUSED",
        stack: "",
        message: expect.stringMatching(says),
      });
      expect(said.join("\n")).toMatch(says);
      expect(said.join("\n")).not.toContain(SECRET);
    });

    test.each([200, 206, 400, 500])(
      "a body of status %i that is no JSON: a fixed message",
      async (status) => {
        const { engine, run, said, answers } = await play(answering(body(status, `{"a": ${SECRET}`)));
        expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
        expect(said.join("\n")).not.toContain(SECRET);
        if (status === 200) return;
        expect(run.status).toBe("failed");
        expect(JSON.parse(answers.at(-1)!.body)).toMatchObject({
          message: "the response could not be sealed",
        });
      },
    );

    test("metadata of a kind that a later SDK adds is sealed, though it bears the SDK's name", async () => {
      const update = (kind: string) => ({ kind, scope: "step", op: "set", values: { text: SECRET } });
      const known = answering(body(206, [op({ metadata: [update("inngest.score")] })]));
      expect(findPlaintext((await play(known)).engine.wire, [SECRET])).not.toEqual([]);
      const later = answering(body(206, [op({ metadata: [update("inngest.transcript")] })]));
      const { engine, answers } = await play(later);
      expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
      expect(answers.some(({ body }) => body.includes('"kind":"inngest.transcript"'))).toBe(true);
    });

    test("what another middleware throws stays here, and the request counts as failed", async () => {
      const { engine, run, said, answers } = await play(
        answering(() => {
          throw Object.assign(new TypeError(SECRET), { code: SECRET, cause: new Error(SECRET) });
        }),
      );
      expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
      expect(said.join("\n")).toContain("TypeError");
      expect(said.join("\n")).not.toContain(SECRET);
      expect(run.status).toBe("failed");
      expect(answers.at(-1)).toMatchObject({ status: 500 });
      expect(JSON.parse(answers.at(-1)!.body)).toMatchObject({
        message: "stepseal: the request failed before it was answered",
      });
    });

    test("a value whose claims cannot be written is not sent instead without them", async () => {
      const { engine, inngest } = await createApp(
        (app) => [
          app.createFunction({ id: "f".repeat(5_000), retries: 0, triggers: { event: "go" } }, () => SECRET),
        ],
        {},
      );
      await inngest.send({ name: "go" });
      await engine.advance("1d");
      expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
      expect(engine.runs[0]!.status).toBe("failed");
    });

    test("keys that do not load answer nothing of what their provider said", async () => {
      const engine = createTestEngine();
      const keyring = () => Promise.reject(new Error(`the vault says ${SECRET}`));
      const inngest = new Inngest({
        id: "app",
        ...engine.clientOptions,
        logger: quiet,
        middleware: [encryptionMiddleware({ keyring })],
      });
      const fn = inngest.createFunction({ id: "fn", triggers: { event: "go" } }, () => 1);
      const handler = serve({ client: inngest, functions: [fn] });
      for (const method of ["PUT", "POST", "GET"]) {
        const headers = { host: "app.test", "content-type": "application/json" };
        const init = { method, headers, ...(method !== "GET" && { body: "{}" }) };
        const answer = await handler(
          new Request("http://app.test/api/inngest?fnId=app-fn&stepId=step", init),
        );
        expect(await answer.text()).not.toContain(SECRET);
      }
      expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
    });
  },
);

describe.each(MODES)(
  "$name, what user code makes of a refusal, or of an answer of the SDK's, is sealed as its own",
  ({ checkpointing }) => {
    type Act = (step: { fetch(url: string): Promise<unknown> }) => Promise<unknown>;
    async function runOne(act: Act) {
      const seen: unknown[] = [];
      const { engine, inngest } = await createApp(
        (client) => {
          const fn = client.createFunction({ id: "fn", retries: 0, triggers: [] }, ({ step }) =>
            act(step as never),
          );
          const caller = client.createFunction(
            { id: "caller", triggers: { event: "go" } },
            async ({ step }) => {
              seen.push(await step.invoke("call", { function: fn }).catch((error: unknown) => error));
            },
          );
          return [caller, fn];
        },
        { checkpointing },
      );
      await inngest.send({ name: "go" });
      await engine.advance("1d");
      return { engine, seen, run: engine.runsOf("fn")[0]! };
    }

    test("untouched, a refusal is told in its own words", async () => {
      const { run, engine } = await runOne((step) => step.fetch(`https://${SECRET}.test/`));
      expect(JSON.stringify(run.error)).toMatch(/path .{1,2}fetch.{1,2} cannot be sealed/);
      expect(run.error).toMatchObject({ name: SDK.keepsNames ? "NonRetriableError" : "Error" });
      expect(findPlaintext(engine.wire, [`"${SECRET}"`])).toEqual([]);
    });

    const made: [name: string, make: (refusal: Error) => unknown][] = [
      [
        "another error with its message and a cause",
        ({ message }) => new Error(message, { cause: new Error(SECRET) }),
      ],
      ["its cause changed", (refusal) => Object.assign(refusal, { cause: new Error(SECRET) })],
      ["its name and code changed", (refusal) => Object.assign(refusal, { name: SECRET, code: SECRET })],
      [
        "its cause's cause changed",
        (refusal) => {
          Object.assign(refusal.cause as Error, { cause: SECRET });
          return refusal;
        },
      ],
      ["its message quoted", ({ message }) => new Error(`${message} ${SECRET}`)],
      [
        "an answer with the SDK's own members",
        () => ({ __serialized: true, requestedStep: "s", error: SECRET }),
      ],
      ["its stack changed", (refusal) => Object.assign(refusal, { stack: SECRET })],
    ];
    test.each(made)("%s", async (_name, make) => {
      const { engine, run } = await runOne((step) =>
        step.fetch("https://x.test/").catch((error: Error) => {
          throw make(error);
        }),
      );
      expect(run.status).toBe("failed");
      expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
    });

    test.each([[{ message: "Unauthorized" }], [{ code: "internal_server_error" }], [""], [null]])(
      "a function that returns %j",
      async (value) => {
        const { run, seen } = await runOne(async () => value);
        expect(isSealed(run.output)).toBe(true);
        expect(seen).toEqual([value]);
      },
    );
  },
);

describe("tools that refuse early take what the SDK takes", () => {
  type Step = {
    sendEvent(id: string, payload: unknown): Promise<{ ids: string[] }>;
    invoke(id: string, options: object): Promise<unknown>;
    ai: { infer(id: string, options: object): Promise<unknown> };
    run(id: string, fn: () => unknown): Promise<unknown>;
    waitForSignal(id: string, options: object): Promise<unknown>;
    sendSignal(id: string, options: object): Promise<unknown>;
  };
  async function runWith(act: (step: Step) => Promise<unknown>, seal: object | null = {}) {
    const seen: unknown[] = [];
    const { engine, inngest } = await createApp(
      (client) => [
        client.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, async ({ step }) => {
          seen.push(await act(step as unknown as Step).catch((error: Error) => error.message));
        }),
      ],
      { seal },
    );
    await inngest.send({ name: "go" });
    await engine.advance("1d");
    return seen.at(-1);
  }

  test.each<[string, (step: Step) => Promise<unknown>]>([
    ["no event", (step) => step.sendEvent("e", undefined)],
    ["an invocation of nothing", (step) => step.invoke("i", { function: {} })],
    ["an invocation without options", (step) => step.invoke("i", undefined as never)],
  ])("%s", async (_name, act) => {
    expect(await runWith(act)).toEqual(await runWith(act, null));
  });

  // An SDK that does not know the member sends it, and the gate refuses it there.
  test.skipIf(!SDK.sandboxes)("an event with a member that the SDK takes out", async () => {
    const send = async (step: Step) =>
      (await step.sendEvent("e", { name: "x", data: {}, sessions: {} })).ids.length;
    expect(await runWith(send)).toEqual(await runWith(send, null));
  });

  test("a refusal that nobody waits for yet ends no process", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", note);
    const got = await runWith(async (step) => {
      const refused = step.ai.infer("i", { model: {}, body: {} });
      await step.run("x", () => 1);
      await new Promise((resolve) => setImmediate(resolve));
      return refused;
    });
    process.off("unhandledRejection", note);
    expect(got).toMatch(/ai-infer/);
    expect(unhandled).toEqual([]);
  });
});

test("without named fields, a payload keeps what it has: the carrier of the call's token takes another name", async () => {
  const seen: unknown[] = [];
  const { engine, inngest } = await createApp(
    (client) => {
      const child = client.createFunction({ id: "child", triggers: [] }, ({ event }) => {
        const { _inngest, ...data } = event.data as Record<string, unknown>;
        seen.push(data);
        return "done";
      });
      const fn = client.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
        seen.push(await step.invoke("c", { function: child, data: { encrypted: 5, other: 1 } }));
      });
      return [fn, child];
    },
    { seal: { eventFields: [] } },
  );
  await inngest.send({ name: "go" });
  await engine.idle();
  expect(seen).toEqual([{ encrypted: 5, other: 1 }, "done"]);
});

test.skipIf(!SDK.v4)(
  "a client whose class has no `fetch` getter is refused when it is created, with what is supported",
  () => {
    class Own extends Inngest {}
    Object.defineProperty(Own.prototype, "fetch", { value: fetch });
    const make = (middleware: Middleware.Class[]) => () => new Own({ id: "app", logger: quiet, middleware });
    expect(make([])).not.toThrow();
    expect(make([encryptionMiddleware({ keyring: keyring() })])).toThrow(
      /no `fetch` getter; stepseal supports inngest 4/,
    );
    expect(codeOf(make([encryptionMiddleware({ keyring: keyring() })]))).toBe("CONFIG");
  },
);

test("what seals nothing refuses nothing: an event with a member that no version knows is sent", async () => {
  const event = { name: "go", data: {}, notes: SECRET } as never;
  for (const decryptOnly of [true, false]) {
    const { inngest } = await createApp(() => [], { seal: { decryptOnly } });
    const sent = inngest.send(event).then(
      () => true,
      () => false,
    );
    expect(await sent).toBe(decryptOnly);
  }
});

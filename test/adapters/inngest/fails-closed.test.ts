import { Inngest, Middleware } from "inngest";
import { serve } from "inngest/edge";
import { encryptionMiddleware } from "stepseal/inngest";
import { createTestEngine, findPlaintext } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { createApp, keyring, quiet } from "./harness.ts";

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
  const said = log.filter((line) => line.includes("stepseal"));
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
      op({ op: "InvokeFunction", data: null, opts: { function_id: "f", payload: { user: SECRET } } }),
    ]),
    /payload: member "user".*unknown/,
  ],
  ["metadata that is no list", body(206, [op({ metadata: SECRET })]), /metadata/],
  [
    "a member of metadata",
    body(206, [op({ metadata: [{ kind: "userland.x", values: {}, notes: SECRET }] })]),
    /metadata update: member "notes"/,
  ],
  ["a failure that is a text", body(500, JSON.stringify(SECRET)), /failure that is not an object/],
];

describe("what the gate does not know is refused, with an error that names it, and the original body does not leave", () => {
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

  test.each([200, 206, 400, 500])("a body of status %i that is no JSON: a fixed message", async (status) => {
    const { engine, run, said, answers } = await play(answering(body(status, `{"a": ${SECRET}`)));
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
    expect(said.join("\n")).not.toContain(SECRET);
    if (status === 200) return;
    expect(run.status).toBe("failed");
    expect(JSON.parse(answers.at(-1)!.body)).toMatchObject({ message: "the response could not be sealed" });
  });

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
      const answer = await handler(new Request("http://app.test/api/inngest?fnId=app-fn&stepId=step", init));
      expect(await answer.text()).not.toContain(SECRET);
    }
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  });
});

test("a client whose class has no `fetch` getter is refused when it is created, with what is supported", () => {
  class Own extends Inngest {}
  Object.defineProperty(Own.prototype, "fetch", { value: fetch });
  const make = (middleware: Middleware.Class[]) => () => new Own({ id: "app", logger: quiet, middleware });
  expect(make([])).not.toThrow();
  expect(make([encryptionMiddleware({ keyring: keyring() })])).toThrow(
    /no `fetch` getter; stepseal supports inngest 4/,
  );
});

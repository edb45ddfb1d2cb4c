import { Inngest } from "inngest";
import { serve } from "inngest/edge";
import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
import { encryptionMiddleware, isPlatformError } from "stepseal/inngest";
import { createTestEngine } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { hashStepId } from "../../../src/testing/ids.ts";
import { A, expectRefused, stored, victim } from "../../security/victim.ts";
import { createApp, keyring, MODES, quiet, tellingOf } from "./harness.ts";

interface FailureArg {
  readonly error: Error;
  readonly event: { readonly data: { readonly error: unknown } };
}

const TIMED_OUT = { error: { name: "Error", message: "the step timed out" } };

describe.each(MODES)("$name, errors that the platform makes itself", ({ checkpointing }) => {
  /** A victim whose step "a" the platform reports as failed. */
  async function withPlatformError(seal: EncryptionMiddlewareOptions) {
    const v = await victim({ checkpointing, seal });
    v.engine.cancel(v.engine.runsOf("refund")[0]!.id);
    v.runs[0]!.steps.set(A, TIMED_OUT);
    await v.engine.advance("1h");
    return v;
  }

  test("reach the function's catch, and are recognisable there", async () => {
    const v = await withPlatformError({});
    expect(v.seen).toMatchObject(["caught", { message: "the step timed out" }, "finally"]);
    expect(isPlatformError(v.seen[1])).toBe(true);
  });

  test("are refused where the policy says so, and no user code runs on them", async () => {
    const v = await withPlatformError({ plaintextFrom: { platformErrors: false } });
    expectRefused(v.runs[0], v.seen, "PLAINTEXT_REJECTED", A, "its error");
  });

  test("an error of the function's own is not taken for one, caught, in onFailure, or in an event", async () => {
    const seen: [string, boolean][] = [];
    const see = (where: string, error: unknown) => seen.push([where, isPlatformError(error)]);
    const { engine, inngest } = await createApp(
      (client) => [
        client.createFunction(
          {
            id: "fn",
            retries: 0,
            triggers: { event: "go" },
            onFailure: ({ error, event }: FailureArg) => {
              see("onFailure: error", error);
              see("onFailure: event", event.data.error);
            },
          },
          async ({ step }) => {
            const failed = await step
              .run("fail", () => {
                throw new TypeError("mine");
              })
              .catch((error: unknown) => error);
            await step.sleep("nap", "1h");
            see("caught", failed);
            throw new Error("mine, too");
          },
        ),
      ],
      { checkpointing },
    );
    await inngest.send({ name: "go" });
    await engine.advance("2h");
    expect(seen).toEqual([
      ["caught", false],
      ["onFailure: error", false],
      ["onFailure: event", false],
    ]);
    for (const nothing of [undefined, null, "x", {}]) expect(isPlatformError(nothing)).toBe(false);
  });

  test.each([true, false])("one made up for onFailure: accepted %s", async (platformErrors) => {
    const seen: unknown[] = [];
    const { engine, inngest } = await createApp(
      (client) => [
        client.createFunction(
          {
            id: "fn",
            retries: 0,
            triggers: { event: "go" },
            onFailure: ({ error, event }: FailureArg) => {
              seen.push(error.message, isPlatformError(error), isPlatformError(event.data.error));
            },
          },
          () => {
            throw new Error("the truth");
          },
        ),
      ],
      {
        checkpointing,
        seal: { plaintextFrom: { platformErrors } },
        engineOptions: { onExecute: tellingOf({ name: "Error", message: "made up" }) },
      },
    );
    await inngest.send({ name: "go" });
    await engine.idle();
    if (platformErrors) expect(seen).toEqual(["made up", true, true]);
    else expectRefused(engine.runsOf("app-fn-failure")[0], seen, "PLAINTEXT_REJECTED", "its error");
  });
});

describe("an answer that the platform cannot take ends the run with an error of its own", () => {
  const ANSWERS: [name: string, answer: (honest: () => Promise<Response>) => Promise<Response>][] = [
    ["too large", (honest) => honest()],
    ["none", () => Promise.reject(new Error("unreachable"))],
    ["a proxy's, with a status of failure", async () => new Response("<h1>No</h1>", { status: 502 })],
    ["a proxy's, with one of success", async () => new Response("<h1>Yes</h1>")],
    ["a redirection", async () => new Response(null, { status: 302 })],
  ];

  /** What `onFailure` and a listener see of it. */
  async function failed(answer: (typeof ANSWERS)[number][1], seal: EncryptionMiddlewareOptions | null) {
    const seen: { who: string; error: Error; told: Record<string, unknown> }[] = [];
    const engine = createTestEngine({ signingKey: null });
    const inngest = new Inngest({
      id: "app",
      ...engine.clientOptions,
      logger: quiet,
      checkpointing: false,
      middleware: seal === null ? [] : [encryptionMiddleware({ keyring: keyring(), ...seal })],
    });
    const see = (who: string, error: Error, event: { readonly data: object }): void => {
      const { error: copy, result } = event.data as { error: Error; result?: unknown };
      seen.push({ who, error, told: { copy, result } });
    };
    const fn = inngest.createFunction(
      {
        id: "fn",
        retries: 0,
        triggers: { event: "go" },
        onFailure: ({ error, event }: FailureArg) => see("onFailure", error, event),
      },
      ({ step }) => step.run("large", () => "x".repeat(5 * 1024 * 1024)),
    );
    const listen = inngest.createFunction(
      { id: "listen", retries: 0, triggers: { event: "inngest/function.finished" } },
      ({ event }) => {
        const { function_id, error } = event.data as unknown as { function_id: string; error: Error };
        if (function_id === "app-fn") see("listener", error, event);
      },
    );
    const handler = serve({ client: inngest, functions: [fn, listen] });
    await engine.serve((request) => {
      const isRun = request.method === "POST" && new URL(request.url).searchParams.get("fnId") === "app-fn";
      return isRun ? answer(() => Promise.resolve(handler(request))) : handler(request);
    });
    await inngest.send({ name: "go", data: { encrypted: 1 } });
    await engine.advance("1h");
    return seen.sort((a, b) => (a.who < b.who ? -1 : 1));
  }

  test.each(ANSWERS)(
    "%s: onFailure and listeners hear of it as without stepseal, and recognise it",
    async (_name, answer) => {
      const [plain, sealed] = [await failed(answer, null), await failed(answer, {})];
      expect(plain.map(({ who }) => who)).toEqual(["listener", "onFailure"]);
      const told = (seen: typeof plain) =>
        JSON.parse(JSON.stringify(seen.map(({ error: { message }, told }) => [message, told])));
      expect(told(sealed)).toEqual(told(plain));
      expect(sealed.map(({ error }) => isPlatformError(error))).toEqual([true, true]);
      expect(sealed.map(({ told: { copy } }) => isPlatformError(copy))).toEqual([true, true]);
    },
  );

  test("but not where such errors are refused", async () => {
    const [, answer] = ANSWERS[1]!;
    expect(await failed(answer, { plaintextFrom: { platformErrors: false } })).toEqual([]);
  });
});

describe.each(MODES)("$name, functions and events of apps without stepseal", ({ checkpointing }) => {
  /** An app without stepseal with two functions, and one with it that invokes them and hears of an event. */
  async function mixed(seal: EncryptionMiddlewareOptions) {
    const seen: unknown[] = [];
    const engine = createTestEngine();
    const plain = new Inngest({ id: "plain", ...engine.clientOptions, logger: quiet, checkpointing });
    const heard: unknown[] = [];
    const child = plain.createFunction({ id: "child", triggers: [] }, ({ event }) => {
      heard.push(event.data);
      return { answer: 42 };
    });
    const bad = plain.createFunction({ id: "bad", retries: 0, triggers: [] }, () => {
      throw new Error("no answer");
    });
    await engine.serve(serve({ client: plain, functions: [child, bad] }));
    await createApp(
      (client) => [
        client.createFunction(
          { id: "fn", retries: 0, triggers: { event: "plain/go" } },
          async ({ event, step }) => {
            seen.push(event.data.encrypted);
            seen.push(await step.invoke("child", { function: child, data: { n: 1 } }));
            await step
              .invoke("bad", { function: bad })
              .catch((error: Error) => seen.push([error.message, isPlatformError(error)]));
            await step.sleep("nap", "1h");
            seen.push(await step.run("own", () => "mine"));
          },
        ),
      ],
      { engine, checkpointing, seal },
    );
    await plain.send({ name: "plain/go", data: { encrypted: "readable" } });
    await engine.advance("2h");
    return { engine, seen, heard, run: engine.runsOf("app-fn")[0]! };
  }
  const both = { functions: ["plain-child", "plain-bad"], events: ["plain/go"] };

  test("are understood where they are named, with nothing added to what they are sent", async () => {
    const { seen, heard, run } = await mixed({ plaintextFrom: both });
    expect(stored(run)).toBeUndefined();
    expect(run.status).toBe("completed");
    expect(seen).toContainEqual("readable");
    expect(seen).toContainEqual({ answer: 42 });
    expect(seen).toContainEqual(["no answer", true]);
    // `_inngest` is the platform's own.
    expect(heard).toEqual([{ n: 1, _inngest: expect.anything() }]);
  });

  test("an error of one that is named is accepted even where the platform's are refused", async () => {
    const { seen, run } = await mixed({ plaintextFrom: { ...both, platformErrors: false } });
    expect(run.status).toBe("completed");
    expect(seen).toContainEqual(["no answer", true]);
  });

  test.each([
    ["an event that is not named", { functions: both.functions }, "plain/go"],
    ["a function that is not named", { functions: ["plain-bad"], events: both.events }, '"child"'],
    ["a function when none is named", { events: both.events }, "its result"],
  ])("%s is refused", async (_name, plaintextFrom, place) => {
    const { seen, run } = await mixed({ plaintextFrom });
    expect(run.status).toBe("failed");
    expect(stored(run)).toMatch("PLAINTEXT_REJECTED");
    expect(stored(run)).toContain(JSON.stringify(place).slice(1, -1));
    expect(seen).not.toContainEqual({ answer: 42 });
  });

  test("naming a function lets no error of the platform's in where those are refused", async () => {
    const plaintextFrom = { functions: ["plain-child"], platformErrors: false };
    const v = await victim({ checkpointing, seal: { plaintextFrom } });
    v.engine.cancel(v.engine.runsOf("refund")[0]!.id);
    v.runs[0]!.steps.set(A, TIMED_OUT);
    await v.engine.advance("1h");
    expectRefused(v.runs[0], v.seen, "PLAINTEXT_REJECTED", A, "its error");
  });

  test.each([[{ signal: "buy", data: 5 }], [{ name: "x", data: { encrypted: 5 } }], [null], ["text"]])(
    "a function that is named may return %j",
    async (value) => {
      const engine = createTestEngine();
      const plain = new Inngest({ id: "plain", ...engine.clientOptions, logger: quiet, checkpointing });
      const child = plain.createFunction({ id: "child", triggers: [] }, () => value);
      await engine.serve(serve({ client: plain, functions: [child] }));
      const seen: unknown[] = [];
      const { inngest } = await createApp(
        (client) => [
          client.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, async ({ step }) => {
            seen.push(await step.invoke("child", { function: child }));
          }),
        ],
        { engine, checkpointing, seal: { plaintextFrom: { functions: ["plain-child"] } } },
      );
      await inngest.send({ name: "go" });
      await engine.advance("1h");
      expect(seen).toEqual([value]);
    },
  );

  test("naming a function lets nobody else's plaintext in", async () => {
    for (const data of ["forged", null, { name: "x", data: {} }, { answer: "forged" }]) {
      const v = await victim({ checkpointing, seal: { plaintextFrom: { functions: ["plain-child"] } } });
      v.engine.cancel(v.engine.runsOf("refund")[0]!.id);
      v.runs[0]!.steps.set(A, { data });
      await v.engine.advance("1h");
      expectRefused(v.runs[0], v.seen, "PLAINTEXT_REJECTED", A);
    }
  });
});

describe.each(MODES)("$name, of several steps of one id", ({ checkpointing }) => {
  /** A function whose steps are all called "ask", with plaintext in place of what the one at `forged` gave. */
  async function asking(steps: readonly ("plain" | "sealed" | "run")[], forged: number, parallel = false) {
    const seen: unknown[] = [];
    const engine = createTestEngine();
    const other = new Inngest({ id: "plain", ...engine.clientOptions, logger: quiet, checkpointing });
    const plain = other.createFunction({ id: "child", triggers: [] }, () => "of plain");
    await engine.serve(serve({ client: other, functions: [plain] }));
    const { inngest } = await createApp(
      (client) => {
        const sealed = client.createFunction({ id: "sealed", triggers: [] }, () => "of sealed");
        const fns = { plain, sealed };
        const fn = client.createFunction(
          { id: "fn", retries: 0, triggers: { event: "go" } },
          async ({ step }) => {
            const ask = (each: (typeof steps)[number]): Promise<unknown> =>
              each === "run" ? step.run("ask", () => "of run") : step.invoke("ask", { function: fns[each] });
            const got: unknown[] = [];
            if (parallel) got.push(...(await Promise.all(steps.map(ask))));
            else for (const each of steps) got.push(await ask(each));
            await step.sleep("nap", "1h");
            seen.push(...got);
          },
        );
        return [sealed, fn];
      },
      { engine, checkpointing, seal: { plaintextFrom: { functions: ["plain-child"] } } },
    );
    await inngest.send({ name: "go" });
    await engine.idle();
    const [run] = engine.runsOf("fn");
    const step = hashStepId(forged === 0 ? "ask" : `ask:${forged}`);
    expect(run!.steps.get(step)).toBeDefined();
    run!.steps.set(step, { data: "forged" });
    await engine.advance("1h");
    return { run, seen, step };
  }

  test.each([
    ["a step that ran here, after a call of such a function", ["plain", "run"], 1],
    ["a step that ran here, before one", ["run", "plain"], 0],
    ["a call of another function, after one", ["plain", "sealed"], 1],
  ] as const)("plaintext is not taken for what it returned: %s", async (_name, steps, forged) => {
    const { run, seen, step } = await asking(steps, forged);
    expectRefused(run, seen, "PLAINTEXT_REJECTED", step);
  });

  // SDK v4 does not say which of the calls a result is of: once another function was called, none is taken.
  test("plaintext is not taken for what it returned: a call of another function, before one", async () => {
    for (const parallel of [false, true]) {
      const { run, seen } = await asking(["sealed", "plain"], 0, parallel);
      expectRefused(run, seen, "PLAINTEXT_REJECTED");
    }
  });

  test("it is taken of each call of such a function", async () => {
    expect((await asking(["plain", "plain"], 0)).seen).toEqual(["forged", "of plain"]);
    expect((await asking(["plain", "plain"], 1)).seen).toEqual(["of plain", "forged"]);
  });
});

describe.each(MODES)("$name, an operator's edited input", ({ checkpointing }) => {
  async function rerunWith(seal: EncryptionMiddlewareOptions) {
    const seen: unknown[] = [];
    const { engine, inngest } = await createApp(
      (client) => [
        client.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, ({ step }) =>
          step.run(
            "a",
            (given: string) => {
              seen.push(given);
              return given;
            },
            "first",
          ),
        ),
      ],
      { checkpointing, seal },
    );
    await inngest.send({ name: "go" });
    await engine.idle();
    const again = engine.rerun(engine.runs[0]!.id, { fromStep: "a", input: ["edited"] });
    await engine.idle();
    return { seen, again };
  }

  test("reaches the function where the policy says so", async () => {
    const { seen, again } = await rerunWith({ plaintextFrom: { editedInputs: true } });
    expect(seen).toEqual(["first", "edited"]);
    expect(again.status).toBe("completed");
  });

  test("is refused by default", async () => {
    const { seen, again } = await rerunWith({});
    expectRefused(again, seen.slice(1), "PLAINTEXT_REJECTED", "its input");
  });
});

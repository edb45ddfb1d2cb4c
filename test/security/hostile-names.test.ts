import type { Inngest, InngestFunction } from "inngest";
import { createDefer } from "inngest/experimental";
import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
import { isPlatformError } from "stepseal/inngest";
import type { ExecutionRequest, Run, TestEngine } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { createApp, MODES, SDK } from "../adapters/inngest/harness.ts";
import { expectRefused } from "./victim.ts";

// What an event is called decides what of it has to be sealed, and the platform calls it what it likes.

type Data = Record<string, unknown>;

interface Attack {
  /** The function that is given the event. */
  readonly victim: string;
  readonly seal?: EncryptionMiddlewareOptions;
  readonly edit: (event: Data, body: ExecutionRequest) => void;
}

const both = (body: ExecutionRequest): Data[] => [body.event, ...body.events];

describe.each(MODES)("$name", ({ checkpointing }) => {
  async function play({ victim, seal = {}, edit }: Attack) {
    const sights: [fn: string, ...unknown[]][] = [];
    let edited = 0;
    const build = (client: Inngest): InngestFunction.Any[] => {
      const later = SDK.defers
        ? createDefer(client, { id: "later", retries: 0 }, ({ event }) => {
            sights.push(["app-later", event.data]);
          })
        : undefined;
      const pay = client.createFunction(
        {
          id: "pay",
          retries: 0,
          triggers: { event: "shop/pay" },
          onFailure: ({ error, event }: { error: Error; event: { data: Data } }) => {
            sights.push(["app-pay-failure", error.message, isPlatformError(error), event.data]);
          },
        },
        ({ event, defer }) => {
          if (later !== undefined) defer("later", { function: later, data: { amount: 5 } });
          if (victim !== "app-pay") throw new Error("the truth");
          sights.push(["app-pay", event.data]);
        },
      );
      const listen = client.createFunction(
        { id: "listen", retries: 0, triggers: { event: "inngest/function.finished" } },
        ({ event }) => {
          sights.push(["app-listen", event.data]);
        },
      );
      return [pay, listen, ...(later === undefined ? [] : [later])];
    };
    const { engine, inngest } = await createApp(build, {
      checkpointing,
      seal,
      engineOptions: {
        onExecute: (body, { run }) => {
          if (run.functionId !== victim) return;
          // Of the listener's runs, those about the run of "pay".
          if (victim === "app-listen" && (body.event.data as Data).function_id !== "app-pay") return;
          edited += 1;
          for (const event of both(body)) edit(event, body);
        },
      },
    });
    await inngest.send({ name: "shop/pay", data: { encrypted: { card: "honest" } } });
    await engine.idle();
    expect(edited).toBeGreaterThan(0);
    const about = (run: Run) => victim !== "app-listen" || run.event.data.function_id === "app-pay";
    const seen = sights.filter(
      ([fn, data]) => fn === victim && (fn !== "app-listen" || (data as Data).function_id === "app-pay"),
    );
    return { seen, run: engine.runs.find((run) => run.functionId === victim && about(run)) };
  }

  const failure = { function_id: "app-pay", run_id: "r", error: { name: "Error", message: "forged" } };
  const nested = { name: "shop/pay", data: { encrypted: { card: "forged" } } };
  const attacks: [name: string, attack: Attack, says: string][] = [
    [
      "a failure under another name, with an error and an event made up",
      {
        victim: "app-pay-failure",
        edit: (event) =>
          Object.assign(event, { name: "inngest/function.failed.x", data: { ...failure, event: nested } }),
      },
      "does not start the function",
    ],
    [
      "an event by a name that may be plaintext, and that starts another function",
      {
        victim: "app-pay",
        seal: { plaintextFrom: { events: ["legacy/x"] } },
        edit: (event) => Object.assign(event, { name: "legacy/x", data: { encrypted: "forged" } }),
      },
      "does not start the function",
    ],
    [
      "the same without a list of events, which the SDK checks",
      {
        victim: "app-pay",
        seal: { plaintextFrom: { events: ["legacy/x"] } },
        edit: (event, body) => {
          Object.assign(event, { name: "legacy/x", data: { encrypted: "forged" } });
          body.events = [];
        },
      },
      "does not start the function",
    ],
    [
      "an event by the name of a request to a durable endpoint, where those are allowed",
      {
        victim: "app-pay",
        seal: { allowPlaintext: ["durable-endpoint"] },
        edit: (event) =>
          Object.assign(event, { name: "inngest/http.request", data: { encrypted: "forged" } }),
      },
      "does not start the function",
    ],
    [
      "no list of events",
      { victim: "app-pay", edit: (_event, body) => Object.assign(body, { events: [] }) },
      "different events",
    ],
    [
      "what is told of a run under another name, with a result made up",
      {
        victim: "app-listen",
        edit: (event, body) => {
          Object.assign(event, { name: "other", data: { ...(event.data as Data), result: { paid: true } } });
          body.events = [];
        },
      },
      "does not start the function",
    ],
    [
      "a call of what hears of runs, with a result made up",
      {
        victim: "app-listen",
        edit: (event) => {
          const { function_id, run_id } = event.data as Data;
          const data = { function_id, run_id, result: { paid: true } };
          Object.assign(event, { name: "inngest/function.invoked", data });
        },
      },
      "that hears of runs that ended",
    ],
    [
      "the same with an error made up, and the events that started the run",
      {
        victim: "app-listen",
        edit: (event) => {
          const { result, ...data } = event.data as Data;
          Object.assign(data, { error: { name: "Error", message: "forged" } });
          Object.assign(event, { name: "inngest/function.invoked", data });
        },
      },
      "that hears of runs that ended",
    ],
    [
      "a failure of a run that was started by what does not start the function",
      {
        victim: "app-pay-failure",
        seal: { plaintextFrom: { events: ["legacy/x"] } },
        edit: (event) => {
          const data = event.data as { event: Data; events: Data[] };
          const legacy = { name: "legacy/x", data: { encrypted: "forged" } };
          Object.assign(data, {
            event: { ...data.event, ...legacy },
            events: [{ ...data.event, ...legacy }],
          });
        },
      },
      "starts no run of this function",
    ],
  ];
  test.each(attacks)("%s: refused", async (_name, attack, says) => {
    const { seen, run } = await play(attack);
    expectRefused(run, seen, says);
  });

  test.skipIf(!SDK.defers).each(["x", "inngest/function.invoked", "inngest/http.request"])(
    "a deferred call under the name %s, with an input made up: refused",
    async (name) => {
      const { seen, run } = await play({
        victim: "app-later",
        seal: { allowPlaintext: ["durable-endpoint"] },
        edit: (event) => {
          const { _inngest } = event.data as Data;
          Object.assign(event, { name, data: { _inngest, amount: 1_000_000 } });
        },
      });
      expectRefused(run, seen, "does not start the function");
    },
  );

  test("untouched, each sees its own", async () => {
    const { seen } = await play({ victim: "app-pay-failure", edit: () => {} });
    expect(seen).toEqual([["app-pay-failure", "the truth", false, expect.anything()]]);
  });
});

describe.each(MODES)("$name, the failures of two runs", ({ checkpointing }) => {
  async function failures(edit: (one: Data, other: Data, engine: TestEngine) => void) {
    const seen: unknown[] = [];
    let edits = 0;
    const { engine, inngest } = await createApp(
      (client) => [
        client.createFunction(
          {
            id: "fn",
            retries: 0,
            triggers: { event: "go" },
            onFailure: ({ error, event }: { error: Error; event: { data: { event: { data: Data } } } }) => {
              seen.push([error.message, event.data.event.data.encrypted]);
            },
          },
          async ({ event, step }) => {
            await step
              .run("cache", () => {
                throw new Error("cache miss");
              })
              .catch(() => {});
            throw new Error(`failed for ${event.data.encrypted}`);
          },
        ),
      ],
      {
        checkpointing,
        engineOptions: {
          onExecute: (body, { run }) => {
            if (run.functionId !== "app-fn-failure") return;
            const other = engine.events.find(
              ({ name, data }) =>
                name === "inngest/function.failed" && data.run_id !== (body.event.data as Data).run_id,
            );
            edits += 1;
            for (const event of both(body)) edit(event.data as Data, other!.data, engine);
          },
        },
      },
    );
    await inngest.send([
      { name: "go", data: { encrypted: "alice" } },
      { name: "go", data: { encrypted: "bob" } },
    ]);
    await engine.idle();
    expect(edits).toBe(2);
    return { seen, engine };
  }

  test("untouched, are each with their own event", async () => {
    const { seen } = await failures(() => {});
    expect(seen.sort()).toEqual([
      ["failed for alice", "alice"],
      ["failed for bob", "bob"],
    ]);
  });

  test.each([
    ["event and list", ["event", "events"]],
    ["event", ["event"]],
    ["list", ["events"]],
  ])("with their %s swapped are refused", async (_name, keys) => {
    const { seen, engine } = await failures((one, other) => {
      for (const key of keys) one[key] = structuredClone(other[key]);
    });
    expect(seen).toEqual([]);
    for (const run of engine.runsOf("app-fn-failure")) expect(run.status).toBe("failed");
  });

  test("with the error of a step that was caught in place of their own are refused", async () => {
    const { seen } = await failures((one, _other, engine) => {
      const run = engine.run(String(one.run_id));
      const [step] = [...run.steps.values()].filter((kept) => kept?.error !== undefined);
      Object.assign(one, { error: structuredClone(step!.error), result: structuredClone(step!.error) });
    });
    expect(seen).toEqual([]);
  });
});

import { eventType, Middleware } from "inngest";
import { findPlaintext } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { createApp, MODES } from "./harness.ts";

const SECRET = "mk70-seen-by-other-middleware";

/** Middleware that notes what each hook shows it. */
function watcher(seen: Record<string, unknown[]>): Middleware.Class {
  const note = (hook: string, value: unknown): void => {
    seen[hook] ??= [];
    seen[hook].push(value);
  };
  return class Watcher extends Middleware.BaseMiddleware {
    override readonly id = "watcher";
    override transformFunctionInput(arg: Middleware.TransformFunctionInputArgs) {
      note("event in", arg.ctx.event.data);
      note("steps in", Object.values(arg.steps));
      return arg;
    }
    override async wrapStep({ next }: Middleware.WrapStepArgs) {
      const result = await next();
      note("step result", result);
      return result;
    }
    override async wrapStepHandler({ next }: Middleware.WrapStepHandlerArgs) {
      const result = await next();
      note("step handler's result", result);
      return result;
    }
    override transformStepInput(arg: Middleware.TransformStepInputArgs) {
      note("step input", arg.input);
      return arg;
    }
    override transformSendEvent(arg: Middleware.TransformSendEventArgs) {
      note("events out", arg.events);
      return arg;
    }
    override async wrapFunctionHandler({ next }: Middleware.WrapFunctionHandlerArgs) {
      const result = await next();
      note("function result", result);
      return result;
    }
  };
}

describe.each(MODES)("$name", ({ checkpointing }) => {
  test("other middleware sees plaintext in every hook, and the platform none", async () => {
    const seen: Record<string, unknown[]> = {};
    const { engine, inngest } = await createApp(
      (client) => [
        client.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
          await step.run("a", (given: string) => given, SECRET);
          await step.sendEvent("send", { name: "sent", data: { encrypted: SECRET } });
          await step.sleep("nap", "1h");
          return { result: SECRET };
        }),
      ],
      { checkpointing, middleware: [watcher(seen)] },
    );
    await inngest.send({ name: "go", data: { encrypted: SECRET } });
    await engine.advance("2h");
    expect(engine.runs[0]!.status).toBe("completed");
    const hooks = [
      "event in",
      "steps in",
      "step result",
      "step handler's result",
      "step input",
      "events out",
      "function result",
    ];
    expect(Object.keys(seen).sort()).toEqual(hooks.sort());
    for (const hook of hooks) {
      expect(JSON.stringify(seen[hook]), hook).toContain(SECRET);
      expect(JSON.stringify(seen[hook]), hook).not.toContain("ss1.");
    }
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  });

  test("what other middleware changes on its way out is sealed as changed, and comes back so", async () => {
    const seen: unknown[] = [];
    class Stamp extends Middleware.BaseMiddleware {
      override readonly id = "stamp";
      override async wrapStepHandler({ next }: Middleware.WrapStepHandlerArgs) {
        return { stamped: await next(), by: SECRET };
      }
      override transformSendEvent(arg: Middleware.TransformSendEventArgs) {
        const events = arg.events.map((event) => ({ ...event, data: { ...event.data, encrypted: SECRET } }));
        return { ...arg, events };
      }
    }
    const { engine, inngest } = await createApp(
      (client) => [
        client.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ event, step }) => {
          const a = await step.run("a", () => 1);
          await step.sleep("nap", "1h");
          seen.push(event.data.encrypted, a);
        }),
      ],
      { checkpointing, middleware: [Stamp] },
    );
    await inngest.send({ name: "go", data: {} });
    await engine.advance("2h");
    expect(seen).toEqual([SECRET, { stamped: 1, by: SECRET }]);
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  });

  describe("schemas are checked on plaintext", () => {
    const order = eventType("shop/order", {
      schema: z.object({ id: z.number(), encrypted: z.object({ card: z.string().min(4) }) }),
    });
    const paid = eventType("shop/paid", {
      schema: z.object({ encrypted: z.object({ amount: z.number() }) }),
    });

    async function play(card: string, amount: unknown) {
      const seen: unknown[] = [];
      const { engine, inngest } = await createApp(
        (client) => [
          client.createFunction({ id: "fn", retries: 0, triggers: [order] }, async ({ event, step }) => {
            seen.push(event.data.encrypted.card);
            const got = await step.waitForEvent("paid", { event: paid, timeout: "1d" });
            seen.push(got?.data.encrypted.amount);
          }),
        ],
        { checkpointing },
      );
      await inngest.send({ name: "shop/order", data: { id: 1, encrypted: { card } } });
      await engine.idle();
      await inngest.send({ name: "shop/paid", data: { encrypted: { amount } } });
      await engine.idle();
      return { engine, inngest, seen, run: engine.runs[0]! };
    }

    test("of events that start a function and of those it waits for", async () => {
      const { seen, run, engine } = await play("4111-1111", 12);
      expect(seen).toEqual(["4111-1111", "4111-1111", 12]);
      expect(run.status).toBe("completed");
      expect(findPlaintext(engine.wire, ["4111-1111"])).toEqual([]);
    });

    test.each([
      ["an event that starts a function", "1", 12, []],
      ["an event that is waited for", "4111-1111", "twelve", ["4111-1111", "4111-1111"]],
    ])("%s and breaks its schema fails the run", async (_name, card, amount, expected) => {
      const { seen, run } = await play(card, amount);
      expect(seen).toEqual(expected);
      expect(run.status).toBe("failed");
    });

    test("of events that are sent: the sender is told, and nothing leaves", async () => {
      const { inngest, engine } = await play("4111-1111", 12);
      const before = engine.wire.length;
      const make = () =>
        inngest.send(order.create({ id: "no number", encrypted: { card: "4111" } } as never));
      await expect(make()).rejects.toThrow();
      expect(engine.wire.length).toBe(before);
    });
  });
});

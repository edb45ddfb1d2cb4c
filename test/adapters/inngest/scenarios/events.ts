import { eventType, Middleware, staticSchema } from "inngest";
import * as z from "zod";
import { SDK } from "../harness.ts";
import { GO, type Scenario, settle } from "./scenario.ts";

const ORDER = z.object({
  plain: z.string(),
  encrypted: z.object({ secret: z.string(), n: z.number() }),
});

export const EVENT_SCENARIOS: readonly Scenario[] = [
  {
    name: "events sent by a step and by a function, and what sending returns",
    build: (inngest, see) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
        see("sent", await step.sendEvent("one", { name: "next", data: { encrypted: { a: 1 }, b: 2 } }));
        see(
          "sent several",
          await step.sendEvent("many", [
            { name: "next", data: { b: 2 } },
            { name: "next", data: { encrypted: null, b: undefined } },
            { name: "next" },
          ]),
        );
        see("sent outside a step", await inngest.send({ name: "next", data: { encrypted: "bare" } }));
        await settle(see, "sent nothing", () => step.sendEvent("none", []));
      }),
      inngest.createFunction({ id: "next", triggers: { event: "next" } }, async ({ event, events }) => {
        see("next", { event, events });
      }),
    ],
  },
  {
    name: "events without the sealed field, without data, and from outside",
    build: (inngest, see) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ event, events, step }) => {
        see("event", { event, events });
        see("step", await step.run("s", () => event.data));
        see("later", event);
        return event.data;
      }),
    ],
    play: async ({ engine, inngest }) => {
      await inngest.send({ name: "go" });
      await inngest.send({ name: "go", data: {} });
      await inngest.send({ name: "go", data: { a: 1 }, ts: 1_900_000_000_000, id: "my-own-id" });
      await engine.send({ name: "go", data: { outside: true } });
      await engine.advance("1d");
    },
  },
  {
    name: "the end of a run that is cancelled",
    build: (inngest, see) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
        await step.run("s", () => "kept");
        await step.sleep("nap", "1d");
        see("awake", true);
      }),
    ],
    play: async ({ engine, inngest }) => {
      await inngest.send(GO);
      await engine.idle();
      engine.cancel(engine.runsOf("app-fn")[0]!.id);
      await engine.advance("7d");
    },
  },
  {
    name: "batches of events",
    build: (inngest, see) => [
      inngest.createFunction(
        { id: "fn", triggers: { event: "go" }, batchEvents: { maxSize: 3, timeout: "10s" } },
        async ({ event, events, step }) => {
          see("event", event);
          see("events", events);
          see(
            "step",
            await step.run("s", () =>
              events.map((each: { data: { encrypted?: unknown } }) => each.data.encrypted),
            ),
          );
        },
      ),
    ],
    play: async ({ engine, inngest }) => {
      for (const data of [{ encrypted: 1 }, { encrypted: { b: 2 }, c: 3 }, { d: 4 }, { encrypted: null }]) {
        await inngest.send({ name: "go", data });
      }
      await engine.advance("1d");
    },
  },
  {
    name: "a schema that validates what is sent and what is received",
    needs: "v4",
    build: (inngest, see) => {
      const placed = eventType("placed", { schema: ORDER });
      const child = inngest.createFunction(
        { id: "child", triggers: [eventType("child.called", { schema: ORDER })] },
        async ({ event }) => {
          see("child", event.data);
          return event.data;
        },
      );
      return [
        child,
        inngest.createFunction(
          { id: "typed", triggers: [eventType("go", { schema: staticSchema<typeof GO.data>() })] },
          async ({ event, step }) => {
            see("static", event.data);
            const good = { plain: "p", encrypted: { secret: "s", n: 1 } };
            await settle(see, "sent", () => step.sendEvent("good", placed.create(good)));
            await settle(see, "called", () => step.invoke("call", { function: child, data: good }));
            see("waited", await step.waitForEvent("wait", { event: placed, timeout: "1h" }));
          },
        ),
        inngest.createFunction({ id: "placed", triggers: [placed], retries: 0 }, async ({ event }) => {
          see("placed", event.data);
        }),
      ];
    },
    play: async ({ engine, inngest }) => {
      await inngest.send(GO);
      await engine.advance("1m");
      await inngest.send({ name: "placed", data: { plain: "p", encrypted: { secret: "s", n: 2 } } });
      await inngest.send({ name: "placed", data: { plain: "p", encrypted: { secret: 7 } } });
      await engine.advance("1d");
    },
  },
  {
    name: "another middleware, listed after, that records and changes what passes",
    middleware: (see) => [SDK.v4 ? recorder(see) : recorderOfV3(see)],
    build: (inngest, see) => {
      const child = inngest.createFunction({ id: "child", triggers: [] }, async ({ event }) => {
        see("child", event.data);
        return { of: "child" };
      });
      return [
        child,
        inngest.createFunction(
          { id: "fn", triggers: { event: "go" }, retries: 0 },
          async ({ event, step }) => {
            see("event", event);
            see("a", await step.run("a", (given: object) => ({ given }), { input: 1 }));
            see("all", await Promise.all([step.run("b", () => "b"), step.run("c", () => null)]));
            see("invoked", await step.invoke("call", { function: child, data: { encrypted: { x: 1 } } }));
            await step.sendEvent("send", { name: "other", data: { encrypted: { y: 2 } } });
            await settle(see, "bad", () =>
              step.run("bad", () => {
                throw new TypeError("seen by all");
              }),
            );
            return { output: true };
          },
        ),
      ];
    },
  },
];

/** Sees what every hook is given, and puts a mark on what may be changed. */
function recorder(see: (what: string, value: unknown) => void): Middleware.Class {
  return class Recorder extends Middleware.BaseMiddleware {
    override readonly id = "recorder";
    override async transformFunctionInput(arg: Middleware.TransformFunctionInputArgs) {
      see("hook: function input", { event: arg.ctx.event, events: arg.ctx.events, steps: arg.steps });
      return arg;
    }
    override transformStepInput(arg: Middleware.TransformStepInputArgs) {
      see("hook: step input", [arg.stepOptions.id, arg.input]);
      return arg;
    }
    override async wrapStep({ next, stepInfo }: Middleware.WrapStepArgs) {
      const output = await next();
      see("hook: step output", [stepInfo.options.id, output]);
      return output;
    }
    override async wrapStepHandler({ next, stepInfo }: Middleware.WrapStepHandlerArgs) {
      const output = await next();
      see("hook: step handler's output", [stepInfo.options.id, output]);
      return output;
    }
    override async wrapFunctionHandler({ next }: Middleware.WrapFunctionHandlerArgs) {
      const output = await next();
      see("hook: function output", output);
      return output;
    }
    override transformSendEvent(arg: Middleware.TransformSendEventArgs) {
      see("hook: events to send", arg.events);
      return arg;
    }
    override async wrapSendEvent({ next, events }: Middleware.WrapSendEventArgs) {
      see("hook: events sent", events);
      return next();
    }
    override onStepError({ error, stepInfo }: Middleware.OnStepErrorArgs) {
      see("hook: step error", [stepInfo.options.id, error]);
    }
  };
}

/** The same for SDK v3, whose middleware is an object. */
function recorderOfV3(see: (what: string, value: unknown) => void): Middleware.Class {
  const init = () => ({
    onFunctionRun: ({ ctx }: { ctx: { event: object } }) => {
      see("on run", ctx.event);
      return {
        transformInput: ({
          ctx: { event, events },
          steps,
        }: {
          ctx: Record<string, object>;
          steps: object[];
        }) => {
          see("input", { event, events, steps });
        },
        transformOutput: ({
          result,
          step,
        }: {
          result: { data?: unknown; error?: unknown };
          step?: object;
        }) => {
          see("output", { ...result, step });
          return { result: { ...result, ...(step === undefined && { data: { changed: result.data } }) } };
        },
        finished: ({ result }: { result: object }) => see("finished", result),
      };
    },
    onSendEvent: () => ({
      transformInput: ({ payloads }: { payloads: { data?: object }[] }) => {
        see("sends", payloads);
        return { payloads: payloads.map((each) => ({ ...each, data: { ...each.data, stamped: true } })) };
      },
    }),
  });
  return { name: "recorder", init } as unknown as Middleware.Class;
}

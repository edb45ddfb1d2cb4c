import {
  type Inngest,
  type InngestFunction,
  invoke,
  NonRetriableError,
  RetryAfterError,
  staticSchema,
} from "inngest";
import { SDK } from "../harness.ts";
import { GO, type Scenario, type See, settle } from "./scenario.ts";
import { THROWN } from "./thrown.ts";

const ALL: readonly number[] = [...THROWN.keys()];

/**
 * The SDK leaves a falsy thrown value out of its checkpoint, which the platform refuses, and tries five times: two
 * seconds for each. Seen in the scenario of caught errors; the next ones do without.
 */
const TRUTHY = ALL.filter((index) => Boolean(THROWN[index]![1]()));

/** One run for each thrown value; the event carries its index. */
function eachThrown(indexes: readonly number[] = ALL): NonNullable<Scenario["play"]> {
  return async ({ engine, inngest }) => {
    for (const index of indexes) {
      await inngest.send({ name: "go", data: { index, encrypted: "sealed" } });
      await engine.advance("1d");
    }
  };
}

function fail(index: unknown): never {
  throw THROWN[index as number]![1]();
}

/** What the invoked functions are called with. */
const CALLED = invoke(staticSchema<{ index: number }>());

const nameOf = (index: unknown): string => THROWN[index as number]![0];

/** SDK v3 takes the code of an object that is thrown for an error's; v4 does not. */
const CODES_OF_OBJECTS: Pick<Scenario, "codeSurvives"> = SDK.v4 ? {} : { codeSurvives: true };

export const ERROR_SCENARIOS: readonly Scenario[] = [
  {
    name: "whatever a step throws, caught after its retries",
    build: (inngest, see) => [
      inngest.createFunction(
        { id: "fn", triggers: { event: "go" }, retries: 2 },
        async ({ event, step, attempt }) => {
          const { index } = event.data;
          await settle(see, nameOf(index), () =>
            step.run("fail", () => {
              see("attempt", attempt);
              fail(index);
            }),
          );
          await step.run("go on", () => 1);
          see("went on", attempt);
        },
      ),
    ],
    play: eachThrown(),
  },
  {
    name: "whatever a step throws, not caught: onFailure and listeners",
    build: (inngest, see) => [
      inngest.createFunction(
        { id: "fn", triggers: { event: "go" }, retries: 1, onFailure: onFailure(see) },
        async ({ event, step }) => {
          await step.run("before", () => 1);
          await step.run("fail", () => fail(event.data.index));
        },
      ),
    ],
    play: eachThrown(TRUTHY),
  },
  {
    name: "whatever a function throws: onFailure and listeners",
    ...CODES_OF_OBJECTS,
    build: (inngest, see) => [
      inngest.createFunction(
        { id: "fn", triggers: { event: "go" }, retries: 1, onFailure: onFailure(see) },
        async ({ event, attempt }) => {
          see("attempt", attempt);
          fail(event.data.index);
        },
      ),
      inngest.createFunction(
        { id: "fn-with-step", triggers: { event: "go" }, retries: 1, onFailure: onFailure(see) },
        async ({ event, step, attempt }) => {
          await step.run("before", () => 1);
          see("attempt", attempt);
          fail(event.data.index);
        },
      ),
    ],
    play: eachThrown(),
  },
  {
    name: "whatever an invoked function throws, as its caller sees it",
    ...CODES_OF_OBJECTS,
    build: (inngest, see) => {
      const child = inngest.createFunction(
        { id: "child", triggers: [CALLED], retries: 1 },
        async ({ event }) => {
          fail(event.data.index);
        },
      );
      const stepChild = inngest.createFunction(
        { id: "step-child", triggers: [CALLED], retries: 1 },
        async ({ event, step }) => {
          await step.run("fail", () => fail(event.data.index));
        },
      );
      const parent = inngest.createFunction(
        { id: "parent", triggers: { event: "go" } },
        async ({ event, step }) => {
          const { index } = event.data;
          await settle(see, nameOf(index), () => step.invoke("call", { function: child, data: { index } }));
          await settle(see, `${nameOf(index)}, in its step`, () =>
            step.invoke("call again", { function: stepChild, data: { index } }),
          );
        },
      );
      return [parent, child, stepChild];
    },
    play: eachThrown(TRUTHY),
  },
  {
    name: "a step that fails twice and then succeeds",
    build: (inngest, see) => {
      let calls = 0;
      return [
        inngest.createFunction(
          { id: "fn", triggers: { event: "go" }, retries: 3 },
          async ({ step, attempt }) => {
            const value = await step.run("flaky", () => {
              calls += 1;
              see("call", [calls, attempt]);
              if (calls < 3) throw new Error(`failure ${calls}`);
              return { calls };
            });
            see("value", value);
            return value;
          },
        ),
      ];
    },
  },
  {
    name: "a RetryAfterError puts off the next attempt as long as it says",
    build: (inngest, see) => {
      let calls = 0;
      return [
        inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 3 }, async ({ step }) => {
          await step.run("busy", () => {
            see("step call", ++calls);
            if (calls < 3) throw new RetryAfterError("busy", "7m");
          });
          see("function call", ++calls);
          if (calls < 6) throw new RetryAfterError("busy, too", 1_234_000);
        }),
      ];
    },
  },
  {
    name: "errors in parallel branches, allSettled, race and finally",
    build: (inngest, see) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ step }) => {
        const bad = (id: string) =>
          step.run(id, () => {
            throw new TypeError(`from ${id}`);
          });
        see("all settled", await Promise.allSettled([bad("a"), step.run("b", () => "b"), bad("c")]));
        await settle(see, "all", () => Promise.all([step.run("d", () => 1), bad("e")]));
        await settle(see, "any", () => Promise.any([bad("f"), bad("g")]));
        try {
          await bad("h");
        } catch (error) {
          await settle(see, "wrapped", async () => {
            throw new Error("wrapped by user code", { cause: error });
          });
        } finally {
          see("finally", await step.run("i", () => "i"));
        }
      }),
    ],
  },
  {
    name: "errors that user code wraps around a step's, and throws",
    build: (inngest, see) => [
      inngest.createFunction(
        { id: "fn", triggers: { event: "go" }, retries: 1, onFailure: onFailure(see) },
        async ({ step }) => {
          try {
            await step.run("fail", () => {
              throw new TypeError("inner", { cause: new Error("innermost") });
            });
          } catch (error) {
            throw new NonRetriableError("outer", { cause: error });
          }
        },
      ),
    ],
  },
  {
    name: "an error's code",
    codeSurvives: true,
    build: (inngest, see) => [codeFunction(inngest, see)],
  },
];

function onFailure(see: See) {
  return async ({ event, events, error, runId, step }: OnFailureArgs) => {
    see("onFailure: event", event);
    see("onFailure: events", events);
    see("onFailure: error", error);
    see("onFailure: run", runId);
    await settle(see, "onFailure: step", () => step.run("note", () => ({ noted: true })));
  };
}

interface OnFailureArgs {
  readonly event: unknown;
  readonly events?: unknown;
  readonly error: unknown;
  readonly runId: string;
  readonly step: { run(id: string, fn: () => unknown): Promise<unknown> };
}

function codeFunction(inngest: Inngest, see: See): InngestFunction.Any {
  const coded = () => Object.assign(new Error("with a code"), { code: "E_CODE" });
  return inngest.createFunction(
    { id: "fn", triggers: { event: GO.name }, retries: 0, onFailure: onFailure(see) },
    async ({ step }) => {
      await settle(see, "caught", () =>
        step.run("fail", () => {
          throw coded();
        }),
      );
      throw coded();
    },
  );
}

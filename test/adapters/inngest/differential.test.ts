import { type Inngest, StepError } from "inngest";
import { describe, expect, test } from "vitest";
import { ALL_MODES, expectSame, PATIENCE } from "./compare.ts";
import { differences } from "./differences.ts";
import { createApp, SDK } from "./harness.ts";
import { observe } from "./observe.ts";
import { ERROR_SCENARIOS } from "./scenarios/errors.ts";
import { EVENT_SCENARIOS } from "./scenarios/events.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { STEP_SCENARIOS } from "./scenarios/steps.ts";

const SCENARIOS = [...STEP_SCENARIOS, ...EVENT_SCENARIOS, ...ERROR_SCENARIOS].filter(
  ({ needs }) => needs === undefined || SDK[needs],
);

describe.each(ALL_MODES)("$name a function sees what it would see without stepseal", ({ checkpointing }) => {
  test.each(SCENARIOS)("$name", PATIENCE, (scenario) => expectSame(scenario, checkpointing));
});

/** The name of an error: the oldest SDK renames one that it caught before and that then fails a function. */
const nameFor = (who: string, name: string): string => (who === "catch" || SDK.keepsNames ? name : "Error");

/** Who sees the error of a step: a function that catches it, `onFailure`, and a parent that invoked the function. */
const observers = (make: () => Error, see: (who: string, error: unknown) => void) => (inngest: Inngest) => {
  const failing = inngest.createFunction(
    {
      id: "failing",
      triggers: { event: "never" },
      retries: 0,
      onFailure: ({ error }) => see("onFailure", error),
    },
    async ({ step }) => {
      const charge = () => step.run("charge", () => Promise.reject(make()));
      await charge().catch((error: unknown) => {
        see("catch", error);
        throw error;
      });
    },
  );
  const parent = inngest.createFunction(
    { id: "parent", triggers: { event: "go" }, retries: 0 },
    async ({ step }) => {
      await step.invoke("call", { function: failing, data: {} }).catch((error) => see("parent", error));
    },
  );
  return [failing, parent];
};

describe.each([
  { sealed: "with stepseal", seal: {} },
  { sealed: "without stepseal", seal: null },
])("$sealed", ({ seal }) => {
  describe.each(ALL_MODES)("$name", ({ checkpointing }) => {
    const errorsOf = async (make: () => Error): Promise<Record<string, Error>> => {
      const seen: Record<string, Error> = {};
      const see = (who: string, error: unknown): void => {
        seen[who] = error as Error;
      };
      const { engine, inngest } = await createApp(observers(make, see), { seal, checkpointing });
      await inngest.send({ name: "go", data: {} });
      await engine.advance("1m");
      expect(Object.keys(seen).sort()).toEqual(["catch", "onFailure", "parent"]);
      return seen;
    };

    test("a typed error with a cause is seen with name, message and cause, and without its other members", async () => {
      const declined = () =>
        Object.assign(new TypeError("card declined", { cause: new RangeError("over the limit") }), {
          amount: 7,
        });
      const seen = await errorsOf(declined);
      for (const [who, error] of Object.entries(seen)) {
        expect([error.name, error.message]).toEqual([nameFor(who, "TypeError"), "card declined"]);
        expect(error.cause).toBeInstanceOf(Error);
        expect(error.cause).toMatchObject({ name: "RangeError", message: "over the limit" });
        expect(error).not.toHaveProperty("amount");
      }
      expect(seen.catch).toBeInstanceOf(StepError);
      expect(seen.parent).toBeInstanceOf(StepError);
      expect(seen.onFailure).toBeInstanceOf(SDK.keepsNames ? TypeError : Error);
    });

    test("an AggregateError is seen with its name and message, and without its errors", async () => {
      const seen = await errorsOf(
        () => new AggregateError([new Error("one"), new Error("two")], "both banks"),
      );
      for (const [who, error] of Object.entries(seen)) {
        expect([error.name, error.message]).toEqual([nameFor(who, "AggregateError"), "both banks"]);
        expect(error).not.toHaveProperty("errors");
        expect(error).not.toBeInstanceOf(AggregateError);
      }
    });
  });
});

describe("the comparison itself notices", () => {
  const play = (output: unknown, error: () => unknown): Scenario => ({
    name: "one value and one error",
    build: (inngest, see) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ step }) => {
        await step.run("s", () => 1);
        see("value", output);
        see("error", error());
      }),
    ],
  });
  const made = (): Error => new TypeError("m", { cause: new Error("c") });
  const cases: [name: string, left: [unknown, () => unknown], right: [unknown, () => unknown]][] = [
    ["undefined and null", [undefined, made], [null, made]],
    ["undefined and absent", [{ a: undefined }, made], [{}, made]],
    ["0 and -0", [0, made], [-0, made]],
    ["a hole and undefined", [[undefined], made], [new Array(1), made]],
    [
      "a prototype and a member __proto__",
      [Object.create({ a: 1 }), made],
      [JSON.parse('{"__proto__":{"a":1}}'), made],
    ],
    ["another class of error", [1, made], [1, () => new RangeError("m", { cause: new Error("c") })]],
    ["another cause", [1, made], [1, () => new TypeError("m", { cause: new Error("d") })]],
    ["a member of an error", [1, made], [1, () => Object.assign(made(), { code: "E" })]],
  ];
  test.each(cases)("%s", async (_name, left, right) => {
    const [a, b] = [
      await observe(play(...left), { seal: null }),
      await observe(play(...right), { seal: null }),
    ];
    expect(differences(a, a)).toEqual([]);
    expect(differences(a, b)).not.toEqual([]);
  });
});

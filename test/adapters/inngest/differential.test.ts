import { describe, expect, test } from "vitest";
import { ALL_MODES, expectSame, PATIENCE } from "./compare.ts";
import { differences } from "./differences.ts";
import { SDK } from "./harness.ts";
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

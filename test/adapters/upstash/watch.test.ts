import type { RouteFunction, WorkflowContext } from "@upstash/workflow";
import { describe, expect, it } from "vitest";
import { resolveOptions } from "../../../src/adapters/upstash/options.ts";
import { runState } from "../../../src/adapters/upstash/place.ts";
import { watch } from "../../../src/adapters/upstash/watch.ts";
import { BASE, KEY, ORIGIN } from "./harness.ts";

const settings = resolveOptions({ key: KEY, qstash: { token: "token" }, publicUrl: ORIGIN });

/** Runs a function that asks for one step, with a context of an SDK that is not the one we know. */
async function run(context: object, step: object = {}): Promise<unknown> {
  const route: RouteFunction<unknown, unknown> = async (given) =>
    (given as unknown as { addStep: (step: object) => unknown }).addStep(step);
  return watch(route, runState(`${BASE}main`, "wfr_1"), settings, undefined)(context as WorkflowContext);
}

const UNKNOWN: [name: string, context: object, step?: object][] = [
  ["has no addStep", { executor: { stepCount: 0 } }],
  ["has no executor", { addStep: async () => {} }],
  ["counts no steps", { addStep: async () => {}, executor: {} }],
  [
    "reads results elsewhere",
    { addStep: async () => {}, executor: { stepCount: 0 } },
    { stepType: "Run", stepName: "x" },
  ],
];

describe("an SDK that", () => {
  it.each(UNKNOWN)("%s is not supported, and runs nothing", async (_, context, step) => {
    await expect((async () => run(context, step))()).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });
});

describe("a result that the platform gives for a step", () => {
  it.each<[name: string, found: object, gives: string]>([
    ["is that of the step", { stepId: 1, stepName: "x", stepType: "Run" }, "the result"],
    ["is not that of another number", { stepId: 2, stepName: "x", stepType: "Run" }, "CONTEXT"],
    ["is not that of a number as text", { stepId: "1", stepName: "x", stepType: "Run" }, "CONTEXT"],
    ["is not that of another name", { stepId: 1, stepName: "y", stepType: "Run" }, "CONTEXT"],
    ["is not that of another type", { stepId: 1, stepName: "x", stepType: "Notify" }, "CONTEXT"],
  ])("%s", async (_, found, gives) => {
    const executor = { stepCount: 0 };
    const context = {
      executor,
      addStep: (step: { parseOut: (found: object) => unknown }) => {
        executor.stepCount++;
        return Promise.resolve().then(() => step.parseOut(found));
      },
    };
    const step = { stepType: "Run", stepName: "x", parseOut: () => "the result" };
    const given = await run(context, step).catch((error) => error.code);
    expect(given).toBe(gives);
  });
});

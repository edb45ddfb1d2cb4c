import { describe, expect, test } from "vitest";
import { MODES } from "./harness.ts";
import { observe } from "./observe.ts";
import { VALUE_SCENARIOS } from "./scenarios/values.ts";

const SCENARIOS = [...VALUE_SCENARIOS];

const ALL_MODES = [...MODES, { name: "with buffered checkpoints", checkpointing: { bufferedSteps: 5 } }];

describe.each(ALL_MODES)("$name, a function sees exactly what it would see without stepseal", (mode) => {
  test.each(SCENARIOS)("$name", async (scenario) => {
    const { checkpointing } = mode;
    const without = await observe(scenario, { seal: null, checkpointing });
    const withIt = await observe(scenario, { checkpointing });
    expect(without.seen.length).toBeGreaterThan(0);
    expect(withIt.seen).toEqual(without.seen);
    expect(withIt.runs).toEqual(without.runs);
    expect(withIt.wire).toEqual(without.wire);
  });
});

import { expect } from "vitest";
import { differences } from "./differences.ts";
import { type AppOptions, MODES } from "./harness.ts";
import { type Observation, observe } from "./observe.ts";
import type { Scenario } from "./scenarios/scenario.ts";

/** The ways the SDK reports steps: those of the harness, and several steps in one checkpoint. */
export const ALL_MODES: readonly { readonly name: string; readonly checkpointing: Checkpointing }[] = [
  ...MODES,
  { name: "with buffered checkpoints", checkpointing: { bufferedSteps: 5 } },
];

type Checkpointing = NonNullable<AppOptions["checkpointing"]>;

/** For a test that plays a scenario twice; some of the SDK's own retries take seconds of real time. */
export const PATIENCE = { timeout: 120_000 };

/** Plays a scenario without stepseal and with it, and expects the two plays to be one. */
export async function expectSame(scenario: Scenario, checkpointing: Checkpointing): Promise<void> {
  const without = await observe(scenario, { seal: null, checkpointing });
  const seal = scenario.editedInput ? ({ plaintext: "accept" } as const) : {};
  const withIt = await observe(scenario, { seal, checkpointing });
  expect(without.seen.length).toBeGreaterThan(0);
  if (scenario.codeSurvives) {
    const [left, right] = [withoutCode(without), withoutCode(withIt)];
    expect(right.codes).toBeGreaterThan(left.codes);
    expect(differences(left.rest, right.rest)).toEqual([]);
  } else {
    expect(differences(without, withIt)).toEqual([]);
  }
}

/** The description without each member `code`, and how many there were. */
function withoutCode(observation: Observation): { readonly rest: Observation; readonly codes: number } {
  let codes = 0;
  const text = JSON.stringify(observation, (key, value: unknown) => {
    if (key !== "members" || !Array.isArray(value)) return value;
    const rest = value.filter(([name]: [string]) => name !== "code");
    codes += value.length - rest.length;
    return rest;
  });
  return { rest: JSON.parse(text) as Observation, codes };
}

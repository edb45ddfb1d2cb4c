import { describe, expect, test } from "vitest";
import { ALL_MODES, expectSame, PATIENCE } from "./compare.ts";
import { createApp, MODES } from "./harness.ts";
import { ODD_OUTPUTS, VALUE_SCENARIOS, VALUES } from "./scenarios/values.ts";

/** SLOW=1: also several values in one checkpoint, which differential.test.ts asks of everything else. */
const modes = process.env.SLOW === "1" ? ALL_MODES : MODES;

describe.each(modes)("$name a function sees what it would see without stepseal", ({ checkpointing }) => {
  test.each(VALUE_SCENARIOS)("$name", PATIENCE, (scenario) => expectSame(scenario, checkpointing));

  // RULE "outputs"; see there.
  test.each(ODD_OUTPUTS)("sealed, %s comes back from a function as JSON has it", async (name) => {
    const [, value] = VALUES.find(([each]) => each === name)!;
    const seen: unknown[] = [];
    const { engine, inngest } = await createApp(
      (client) => {
        const child = client.createFunction({ id: "child", triggers: [] }, async () => value);
        return [
          client.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
            seen.push(await step.invoke("call", { function: child }));
          }),
          child,
        ];
      },
      { checkpointing },
    );
    await inngest.send({ name: "go" });
    await engine.idle();
    expect(seen[0] ?? null).toEqual(typeof value === "string" ? value : null);
    expect(seen).toHaveLength(1);
  });
});

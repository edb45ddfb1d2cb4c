import { describe, expect, test } from "vitest";
import { createFleet, expectAllRight, type Fleet } from "./fleet.ts";
import { KEY, MODES } from "./harness.ts";

// An app whose runs began without stepseal, as docs/engines/inngest.md has it get stepseal, and leave it. One deploy each.
const WITHOUT = null;
const OPENS = { key: KEY, decryptOnly: true } as const;
const WARNS = { key: KEY, plaintext: "warn" } as const;
const SEALS = { key: KEY } as const;

/** Until all runs that began so far are through. */
async function wait(fleet: Fleet, options: Parameters<Fleet["run"]>[0][number]): Promise<void> {
  for (let hour = 0; hour < 6; hour++) await fleet.run([options], 0);
  expect(fleet.seen.finished.size).toBe(fleet.orders);
}

describe.each(MODES)("$name", ({ checkpointing }) => {
  test("an app gets stepseal while its runs are under way, and leaves it again, and loses none", async () => {
    const fleet = createFleet(checkpointing, 4);
    const holds = (text: string, from = 0): boolean =>
      fleet.engine.wire.slice(from).some(({ body }) => body.includes(text));
    await fleet.run([WITHOUT], 2);
    await fleet.run([WITHOUT, OPENS], 2);
    await fleet.run([OPENS], 2);
    expect(holds("ss1.")).toBe(false);
    await fleet.run([OPENS, WARNS], 2);
    await fleet.run([WARNS], 2);
    await wait(fleet, WARNS);
    const sealed = fleet.engine.wire.length;
    await fleet.run([WARNS, SEALS], 2);
    await fleet.run([SEALS], 2);
    await wait(fleet, SEALS);
    expect(holds("ss1.", sealed)).toBe(true);
    expect(holds("card-", sealed)).toBe(false);

    await fleet.run([SEALS, WARNS], 2);
    await fleet.run([WARNS, OPENS], 2);
    await fleet.run([OPENS], 2);
    await wait(fleet, OPENS);
    await fleet.run([OPENS, WITHOUT], 2);
    await wait(fleet, WITHOUT);
    expectAllRight(fleet);
  });
});

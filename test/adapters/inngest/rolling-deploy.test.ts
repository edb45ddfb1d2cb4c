import { createKeyring, type Keyring } from "stepseal";
import { describe, expect, test } from "vitest";
import { createFleet, expectAllRight, type Fleet } from "./fleet.ts";
import { KEY, keyring, MODES, OTHER_KEY } from "./harness.ts";

// KEY is the old key, OTHER_KEY the new one; a rotation goes through these rings, one deploy each.
const before = keyring();
const introduced = createKeyring({
  keys: [
    { key: KEY, state: "primary" },
    { key: OTHER_KEY, state: "standby" },
  ],
});
const swapped = createKeyring({ key: OTHER_KEY, fallbackKeys: [KEY] });
const retired = createKeyring({
  keys: [
    { key: OTHER_KEY, state: "primary" },
    { key: KEY, state: "disabled" },
  ],
});
const after = createKeyring({ key: OTHER_KEY });

/** Processes with these rings answer in turn. */
const run = (fleet: Fleet, rings: readonly Keyring[], orders: number): Promise<void> =>
  fleet.run(
    rings.map((ring) => ({ keyring: ring })),
    orders,
  );

const saying = ({ engine }: Fleet, code: string) => engine.wire.filter(({ body }) => body.includes(code));

/** The kids under which something that left the app from this place of the wire on was sealed. */
const kidsFrom = ({ engine }: Fleet, start: number): Set<string> =>
  new Set(
    engine.wire
      .slice(start)
      .flatMap(({ body }) => [...body.matchAll(/ss1\.([0-9a-f]{16})\./g)].map(([, kid = ""]) => kid)),
  );

describe.each(MODES)(
  "$name, a key is rotated while two generations serve the same runs",
  ({ checkpointing }) => {
    test("and no run fails, no request is refused, every value is right", async () => {
      const fleet = createFleet(checkpointing, 4);
      await run(fleet, [before], 2);
      await run(fleet, [before, introduced], 2);
      await run(fleet, [introduced], 2);
      expect(kidsFrom(fleet, 0)).toEqual(new Set([before.primary]));
      await run(fleet, [introduced, swapped], 2);
      await run(fleet, [swapped], 2);
      // What was sealed under the old key is opened for as long as the longest run takes.
      for (let hour = 0; hour < 6; hour++) await run(fleet, [swapped], 0);
      expect(fleet.seen.finished.size).toBe(fleet.orders);
      const done = fleet.engine.wire.length;
      await run(fleet, [swapped, retired], 2);
      await run(fleet, [retired, after], 2);
      await run(fleet, [after], 2);
      for (let hour = 0; hour < 6; hour++) await run(fleet, [after], 0);
      expect(kidsFrom(fleet, done)).toEqual(new Set([after.primary]));
      expectAllRight(fleet);
      for (const code of ["UNKNOWN_KEY", "KEY_DISABLED"]) expect(saying(fleet, code)).toEqual([]);
    });

    test("and where the standby deploy is left out, requests are refused and retried until the deploy is through", async () => {
      const fleet = createFleet(checkpointing, 10);
      await run(fleet, [before], 2);
      await run(fleet, [before, swapped], 2);
      const refused = saying(fleet, "UNKNOWN_KEY");
      expect(refused.length).toBeGreaterThan(0);
      for (const { status, functionId, body } of refused) {
        // A refusal uses up an attempt: of handlers of onFailure there are two, and both can meet an old process.
        if (functionId !== "app-broken-failure") expect(status).toBe(500);
        expect(body).toContain(after.primary);
        expect(body).toContain(`${before.primary} (primary)`);
      }
      for (let hour = 0; hour < 12; hour++) await run(fleet, [swapped], 0);
      expect(fleet.seen.finished.size).toBe(fleet.orders);
    });
  },
);

test("the rings of this test are those of a rotation: each step changes one thing", () => {
  const states = [before, introduced, swapped, retired, after].map(({ keys }) =>
    Object.fromEntries(keys.map(({ kid, state }) => [kid === before.primary ? "old" : "new", state])),
  );
  expect(states).toEqual([
    { old: "primary" },
    { old: "primary", new: "standby" },
    { old: "decrypt-only", new: "primary" },
    { old: "disabled", new: "primary" },
    { new: "primary" },
  ]);
});

import { Inngest, NonRetriableError } from "inngest";
import { serve } from "inngest/edge";
import { createKeyring, type Keyring } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import { createTestEngine, type ServeHandler, type TestEngine } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { type Build, KEY, keyring, MODES, OTHER_KEY, quiet } from "./harness.ts";

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

/** What user code of all generations together saw, by order. */
interface Seen {
  readonly finished: Map<number, unknown>;
  readonly audited: Map<number, unknown>;
  readonly failures: Map<number, unknown>;
  /** Whose flaky step has failed once. */
  readonly flaked: Set<number>;
}

/** Sends, steps, a step that is retried, a caught error, an invoke, a wait, and an error nobody catches. */
const functions =
  ({ finished, audited, failures, flaked }: Seen, retries: 4 | 10): Build =>
  (inngest) => {
    const ship = inngest.createFunction(
      { id: "ship", triggers: { event: "shop/ship" }, retries },
      async ({ event, step }) => {
        const label = await step.run("label", () => `label of ${event.data.encrypted.address}`);
        await step.sleep("drive", "1h");
        return { label, arrived: await step.run("arrive", () => true) };
      },
    );
    const order = inngest.createFunction(
      { id: "order", triggers: { event: "shop/order" }, retries },
      async ({ event, step }) => {
        const { n, encrypted } = event.data;
        const charge = await step.run("charge", () => ({ card: encrypted.card, amount: n * 100 }));
        const declined = await step
          .run("declined", () => {
            throw new RangeError(`card of ${n} declined`);
          })
          .catch((error: Error) => `${error.name}: ${error.message}`);
        await step.sleep("nap", "2h");
        const again = await step.run("flaky", () => {
          if (flaked.has(n)) return `flaky ${n}`;
          flaked.add(n);
          throw new Error(`flaky ${n} at first`);
        });
        await step.sendEvent("audit", { name: "shop/audit", data: { n, encrypted: { charge } } });
        const shipped = await step.invoke("ship", {
          function: ship,
          data: { encrypted: { address: `street ${n}` } },
        });
        const paid = await step.waitForEvent("paid", { event: "shop/paid", timeout: "1d", match: "data.n" });
        finished.set(n, { charge, declined, again, shipped, paid: paid?.data.encrypted });
        return charge;
      },
    );
    const audit = inngest.createFunction(
      { id: "audit", triggers: { event: "shop/audit" }, retries },
      async ({ event, step }) => {
        await step.sleep("queue", "30m");
        audited.set(event.data.n, event.data.encrypted);
      },
    );
    const broken = inngest.createFunction(
      {
        id: "broken",
        triggers: { event: "shop/broken" },
        retries,
        onFailure: ({ error, event }) => {
          const { n, encrypted } = event.data.event.data;
          failures.set(n, { error: error.message, encrypted });
        },
      },
      async ({ event, step }) => {
        await step.sleep("nap", "90m");
        throw new NonRetriableError(`broken ${event.data.encrypted.why}`);
      },
    );
    return [order, ship, audit, broken];
  };

interface Fleet {
  readonly engine: TestEngine;
  readonly seen: Seen;
  /** Processes with these rings answer in turn, request by request; orders come from each, and an hour passes. */
  run: (rings: readonly Keyring[], orders: number) => Promise<void>;
  readonly orders: number;
}

function createFleet(checkpointing: boolean, retries: 4 | 10): Fleet {
  const engine = createTestEngine({ requestTimeout: 5_000 });
  const seen: Seen = { finished: new Map(), audited: new Map(), failures: new Map(), flaked: new Set() };
  let orders = 0;
  const boot = (ring: Keyring): { inngest: Inngest; handler: ServeHandler } => {
    const inngest = new Inngest({
      id: "app",
      ...engine.clientOptions,
      logger: quiet,
      checkpointing,
      middleware: [encryptionMiddleware({ keyring: ring })],
    });
    return { inngest, handler: serve({ client: inngest, functions: functions(seen, retries)(inngest) }) };
  };
  return {
    engine,
    seen,
    get orders() {
      return orders;
    },
    async run(rings, count) {
      const processes = rings.map(boot);
      let turn = 0;
      await engine.serve((request) => processes[turn++ % processes.length]!.handler(request));
      for (let i = 0; i < count; i++) {
        const n = ++orders;
        const { inngest } = processes[i % processes.length]!;
        const encrypted = { card: `card-${n}`, why: `reason-${n}` };
        await inngest.send([
          { name: "shop/order", data: { n, encrypted } },
          { name: "shop/broken", data: { n, encrypted } },
        ]);
      }
      await engine.advance("1h");
      // Payments for all orders so far, from either generation.
      for (let n = 1; n <= orders; n++) {
        const { inngest } = processes[n % processes.length]!;
        await inngest.send({ name: "shop/paid", data: { n, encrypted: { receipt: `receipt-${n}` } } });
      }
      await engine.idle();
    },
  };
}

/** What the functions must have seen, had there been no encryption. */
function expectAllRight({ engine, seen, orders }: Fleet): void {
  for (let n = 1; n <= orders; n++) {
    const charge = { card: `card-${n}`, amount: n * 100 };
    expect(seen.finished.get(n)).toEqual({
      charge,
      declined: `RangeError: card of ${n} declined`,
      again: `flaky ${n}`,
      shipped: { label: `label of street ${n}`, arrived: true },
      paid: { receipt: `receipt-${n}` },
    });
    expect(seen.audited.get(n)).toEqual({ charge });
    expect(seen.failures.get(n)).toEqual({
      error: `broken reason-${n}`,
      encrypted: { card: `card-${n}`, why: `reason-${n}` },
    });
  }
  const failed = engine.runs.filter((run) => run.status !== "completed");
  expect(new Set(failed.map((run) => `${run.functionId} ${run.status}`))).toEqual(
    new Set(["app-broken failed"]),
  );
  expect(failed).toHaveLength(orders);
}

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
      await fleet.run([before], 2);
      await fleet.run([before, introduced], 2);
      await fleet.run([introduced], 2);
      expect(kidsFrom(fleet, 0)).toEqual(new Set([before.primary]));
      await fleet.run([introduced, swapped], 2);
      await fleet.run([swapped], 2);
      // What was sealed under the old key is opened for as long as the longest run takes.
      for (let hour = 0; hour < 6; hour++) await fleet.run([swapped], 0);
      expect(fleet.seen.finished.size).toBe(fleet.orders);
      const done = fleet.engine.wire.length;
      await fleet.run([swapped, retired], 2);
      await fleet.run([retired, after], 2);
      await fleet.run([after], 2);
      for (let hour = 0; hour < 6; hour++) await fleet.run([after], 0);
      expect(kidsFrom(fleet, done)).toEqual(new Set([after.primary]));
      expectAllRight(fleet);
      for (const code of ["UNKNOWN_KEY", "KEY_DISABLED"]) expect(saying(fleet, code)).toEqual([]);
    });

    test("and where the standby deploy is left out, requests are refused and retried until the deploy is through", async () => {
      const fleet = createFleet(checkpointing, 10);
      await fleet.run([before], 2);
      await fleet.run([before, swapped], 2);
      const refused = saying(fleet, "UNKNOWN_KEY");
      expect(refused.length).toBeGreaterThan(0);
      for (const { status, functionId, body } of refused) {
        // A refusal uses up an attempt: of handlers of onFailure there are two, and both can meet an old process.
        if (functionId !== "app-broken-failure") expect(status).toBe(500);
        expect(body).toContain(after.primary);
        expect(body).toContain(`${before.primary} (primary)`);
      }
      for (let hour = 0; hour < 12; hour++) await fleet.run([swapped], 0);
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

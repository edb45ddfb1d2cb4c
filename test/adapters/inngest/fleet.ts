import { Inngest, NonRetriableError } from "inngest";
import { serve } from "inngest/edge";
import { type EncryptionMiddlewareOptions, encryptionMiddleware } from "stepseal/inngest";
import { createTestEngine, type ServeHandler, type TestEngine } from "stepseal/testing";
import { expect } from "vitest";
import { type Build, quiet } from "./harness.ts";

// An order app that is deployed again and again while its runs are under way.

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

export interface Fleet {
  readonly engine: TestEngine;
  readonly seen: Seen;
  /**
   * Processes with these options, null for none of stepseal, answer in turn, request by request; orders come from each, and
   * an hour passes.
   */
  run: (processes: readonly (EncryptionMiddlewareOptions | null)[], orders: number) => Promise<void>;
  readonly orders: number;
}

export function createFleet(checkpointing: boolean, retries: 4 | 10): Fleet {
  const engine = createTestEngine({ requestTimeout: 5_000 });
  const seen: Seen = { finished: new Map(), audited: new Map(), failures: new Map(), flaked: new Set() };
  let orders = 0;
  const boot = (options: EncryptionMiddlewareOptions | null): { inngest: Inngest; handler: ServeHandler } => {
    const inngest = new Inngest({
      id: "app",
      ...engine.clientOptions,
      logger: quiet,
      checkpointing,
      middleware: options === null ? [] : [encryptionMiddleware(options)],
    });
    return { inngest, handler: serve({ client: inngest, functions: functions(seen, retries)(inngest) }) };
  };
  return {
    engine,
    seen,
    get orders() {
      return orders;
    },
    async run(options, count) {
      const processes = options.map(boot);
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
export function expectAllRight({ engine, seen, orders }: Fleet): void {
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

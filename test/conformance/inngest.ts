import { type Check, holds, same } from "./check.ts";
import { KEYS } from "./vectors.ts";

/** The adapter, the SDK it is put into, and the platform to run on. */
export interface InngestSubject {
  readonly core: typeof import("stepseal");
  readonly adapter: typeof import("stepseal/inngest");
  readonly sdk: typeof import("inngest");
  readonly edge: typeof import("inngest/edge");
  readonly testing: typeof import("stepseal/testing");
}

const SECRETS = ["4111-1111-1111-1111", "12 Harbour Street", "receipt-of-marguerite", "the-bank-said-no"];
const [CARD, ADDRESS, RECEIPT, REASON] = SECRETS as [string, string, string, string];

/** A run on the real SDK, from the event to the result: the function sees plaintext and the platform none. */
export function inngestChecks({ core, adapter, sdk, edge, testing }: InngestSubject, check: Check): void {
  for (const checkpointing of [false, true]) {
    check(
      `runs a function, ${checkpointing ? "with" : "without"} checkpointing, and the platform sees none of its data`,
      async () => {
        const engine = testing.createTestEngine({ checkpointing });
        const client = new sdk.Inngest({
          id: "shop",
          checkpointing,
          logger: SILENT,
          middleware: [adapter.encryptionMiddleware({ key: KEYS.A.text })],
          ...engine.clientOptions,
        });
        const seen: unknown[] = [];
        let failures = 1;
        const order = client.createFunction(
          { id: "order", triggers: [{ event: "shop/ordered" }], retries: 2 },
          async ({ event, step }) => {
            seen.push(event.data.encrypted);
            const charge = await step.run("charge", () => {
              if (failures-- > 0) throw new TypeError(REASON);
              return { receipt: RECEIPT };
            });
            await step.sleep("a day", "1d");
            const caught = await step
              .run("ship", () => {
                throw new sdk.NonRetriableError(REASON);
              })
              .catch((error: Error) => error.message);
            const packed = await step.waitForEvent("packed", { event: "shop/packed", timeout: "7d" });
            return { charge, caught, packed: packed?.data };
          },
        );
        await engine.serve(edge.serve({ client, functions: [order] }));
        await client.send({ name: "shop/ordered", data: { id: 17, encrypted: { card: CARD } } });
        await engine.idle();
        await engine.advance("1m");
        await engine.advance("1d");
        await client.send({ name: "shop/packed", data: { encrypted: { to: ADDRESS } } });
        await engine.idle();

        const [run] = engine.runsOf("order");
        same([run?.status, new Set(seen.map((data) => JSON.stringify(data))).size], ["completed", 1]);
        same(seen[0], { card: CARD });
        same(run?.events[0]?.data.id, 17);
        same(
          testing.findPlaintext(engine.wire, SECRETS).map(({ needle }) => needle),
          [],
        );
        holds(engine.wire.length > 3, "something left the app");

        const sealer = core.createSealer({ keyring: core.createKeyring({ key: KEYS.A.text }) });
        return same(sealer.open(run?.output, { kind: "fn.output" }), {
          charge: { receipt: RECEIPT },
          caught: REASON,
          packed: { encrypted: { to: ADDRESS } },
        });
      },
    );
  }
}

const SILENT = { info() {}, warn() {}, error() {}, debug() {} };

import { type ClientOptions, Inngest, NonRetriableError, type StepError } from "inngest";
import { type Seen, STORY } from "../story.ts";

/** Beside the story's: what only Inngest has. */
export const MARKERS = { ...STORY, voucherCause: "insurance-number-M123456789-is-closed" } as const;

/** A client of either SDK: of v3, one whose functions are made as in v4 (sdk.ts). */
export type MakeClient = (options: ClientOptions) => Inngest;

/** The app of the demo: an order with a card and a national id, as it would be written without stepseal. */
export function createApp(
  options: Omit<ClientOptions, "id">,
  seen: Seen,
  makeClient: MakeClient = (all) => new Inngest(all),
) {
  const inngest = makeClient({ id: "shop", ...options });

  const shipParcel = inngest.createFunction({ id: "ship-parcel", triggers: [] }, async ({ event, step }) => {
    seen("child, invoked with", (event.data as { encrypted?: unknown }).encrypted);
    return step.run("hand over", () => ({ status: "delivered", note: MARKERS.childOutput }));
  });

  let bankCalls = 0;
  const placeOrder = inngest.createFunction(
    { id: "place-order", triggers: [{ event: "shop/order.placed" }], retries: 2 },
    async ({ event, step }) => {
      const order = event.data.encrypted as { card: string; nationalId: string };
      seen("order", order);

      const [risk, fraud] = await Promise.all([
        step.run("check risk", () => ({ score: 71, note: MARKERS.riskNote })),
        step.run("check fraud lists", () => MARKERS.fraudVerdict),
      ]);
      seen("risk, in parallel", [risk, fraud]);

      const charge = await step.run("charge the card", () => {
        bankCalls += 1;
        if (bankCalls === 1) throw new Error(MARKERS.bankError);
        return { charged: true, attempts: bankCalls };
      });
      seen("charge, after one failure", charge);

      // An argument of a step, and an error that the function catches: the platform keeps both.
      const discount = await step
        .run("redeem the voucher", redeem, MARKERS.voucher)
        .catch((error: StepError) => {
          const { name, message, cause } = error;
          seen("error and cause, caught", [name, message, (cause as Error).message]);
          return 0;
        });
      seen("discount", discount);

      const approval = await step.waitForEvent("approval", {
        event: "shop/order.approved",
        timeout: "2d",
        if: `async.data.order == '${event.data.order}'`,
      });
      seen("approval", approval?.data.encrypted);

      const parcel = await step.invoke("ship", {
        function: shipParcel,
        data: { order: event.data.order, encrypted: { address: MARKERS.childInput } },
      });
      seen("parcel, from the child", parcel);

      await step.sleep("cool off", "1d");
      await step.sendEvent("send receipt", {
        name: "shop/receipt.sent",
        data: { order: event.data.order, encrypted: { text: MARKERS.receipt } },
      });
      return { order: event.data.order, summary: MARKERS.result, score: risk.score };
    },
  );

  return { inngest, functions: [placeOrder, shipParcel] };
}

function redeem(voucher: string): number {
  const cause = new TypeError(MARKERS.voucherCause);
  throw new NonRetriableError(`${MARKERS.voucherError} (${voucher.length} characters)`, { cause });
}

/** The two events that come from outside. */
export const ORDER = {
  name: "shop/order.placed",
  data: { order: "order-1001", encrypted: { card: MARKERS.card, nationalId: MARKERS.nationalId } },
};
export const APPROVAL = {
  name: "shop/order.approved",
  data: { order: "order-1001", encrypted: { by: MARKERS.approver } },
};

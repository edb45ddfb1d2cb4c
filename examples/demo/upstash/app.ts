import { type WorkflowContext, WorkflowNonRetryableError } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import type { AnyWorkflow } from "stepseal/upstash";
import { type Seen, STORY } from "../story.ts";

/** Beside the story's: what only Upstash has. */
export const MARKERS = {
  ...STORY,
  childNote: "handed-over-at-the-side-door",
  apology: "sorry-that-your-insurance-ended",
} as const;

/** The app of the demo: an order with a card and a national id, as it would be written without stepseal. */
export function createApp(seen: Seen): Record<string, AnyWorkflow> {
  const shipParcel = createWorkflow(async (context: WorkflowContext<{ address: string }>) => {
    seen("child, invoked with", context.requestPayload);
    const note = await context.run("hand over", () => MARKERS.childNote);
    seen("note of the child", note);
    return { status: "delivered", note: MARKERS.childOutput };
  });

  const redeemVoucher = createWorkflow(
    async (context: WorkflowContext<{ voucher: string }>) =>
      context.run("redeem", () => {
        throw new WorkflowNonRetryableError(
          `${MARKERS.voucherError} (${context.requestPayload.voucher.length} characters)`,
        );
      }),
    {
      failureFunction: ({ failStatus, failResponse, context }) => {
        seen("failure, and of what", [failStatus, failResponse, context.requestPayload]);
        return MARKERS.apology;
      },
    },
  );

  let bankCalls = 0;
  const placeOrder = createWorkflow(async (context: WorkflowContext<Order>) => {
    seen("order", context.requestPayload);
    const { order } = context.requestPayload;

    const [risk, fraud] = await Promise.all([
      context.run("check risk", () => ({ score: 71, note: MARKERS.riskNote })),
      context.run("check fraud lists", () => MARKERS.fraudVerdict),
    ]);
    seen("risk, in parallel", [risk, fraud]);

    const charge = await context.run("charge the card", () => {
      bankCalls += 1;
      if (bankCalls === 1) throw new Error(MARKERS.bankError);
      return { charged: true, attempts: bankCalls };
    });
    seen("charge, after one failure", charge);

    // Fails for good, in a run of its own, and tells its failure function.
    const { isFailed } = await context.invoke("redeem the voucher", {
      workflow: redeemVoucher,
      body: { voucher: MARKERS.voucher },
    });
    seen("discount", isFailed ? 0 : 10);

    const approval = await context.waitForEvent("approval", `approved-${order}`, { timeout: "2d" });
    seen("approval", approval.eventData);

    const parcel = await context.invoke("ship", {
      workflow: shipParcel,
      body: { address: MARKERS.childInput },
    });
    seen("parcel, from the child", parcel.body);

    await context.sleep("cool off", "1d");
    await context.notify("send receipt", `receipt-${order}`, { text: MARKERS.receipt });
    return { order, summary: MARKERS.result, score: risk.score };
  });

  // By the last segment of their URLs.
  return { "place-order": placeOrder, "ship-parcel": shipParcel, "redeem-voucher": redeemVoucher };
}

interface Order {
  readonly order: string;
  readonly card: string;
  readonly nationalId: string;
}

/** The two things that come from outside. */
export const ORDER: Order = { order: "order-1001", card: MARKERS.card, nationalId: MARKERS.nationalId };
export const APPROVAL = { eventId: `approved-${ORDER.order}`, eventData: { by: MARKERS.approver } };

import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import type { QstashDelivery } from "stepseal/testing";
import { describe, expect, it } from "vitest";
import { type App, BASE, createApp, type Seal } from "./harness.ts";

// What a request is, its headers say. The SDK and stepseal have to read the same in them.

const FORGED = "forged";
const THIRD = "https://third.example.com";

/** An app whose payload the platform has seen, and a request of another kind that it makes up with it. */
async function createAsked(
  forge: (delivery: QstashDelivery, payload: string) => void,
  seal: Seal = {},
): Promise<{ app: App; saw: unknown[] }> {
  const saw: unknown[] = [];
  let payload = "";
  let attacks = false;
  const app = await createApp(
    {
      order: createWorkflow(
        async (context: WorkflowContext<{ order: string }>) => {
          saw.push(context.requestPayload.order);
          saw.push(await context.run("charge", () => `charged ${context.requestPayload.order}`));
          if (seal?.thirdPartyCalls === "allow") await context.call("ask", { url: THIRD });
        },
        { failureFunction: ({ context }) => void saw.push(context.requestPayload) },
      ),
    },
    {
      seal,
      onDeliver: (delivery) => {
        if (delivery.kind === "step")
          payload ||= (JSON.parse(delivery.body) as { body: string }[])[0]?.body ?? "";
        if (attacks && delivery.kind !== "step") forge(delivery, payload);
      },
    },
  );
  app.qstash.serve(THIRD, () => new Response("answer"));
  attacks = seal?.thirdPartyCalls === "allow";
  await app.trigger("order", { order: "mine" }, { retries: 0 });
  await app.qstash.idle();
  attacks = true;
  return { app, saw };
}

describe("a platform that", () => {
  it.each([
    "upstash-workflow-failure-callback",
    "upstash-workflow-callback",
    "upstash-workflow-is-failure",
    "upstash-workflow-unknown-sdk",
    "upstash-workflow-sdk-version",
  ])("starts a run with a failure that it made up, and leaves %s empty, is refused", async (name) => {
    const { app, saw } = await createAsked((delivery, payload) => {
      if (name !== "upstash-workflow-failure-callback")
        delivery.headers["upstash-workflow-is-failure"] = "true";
      delivery.headers[name] = "";
      delivery.body = JSON.stringify({
        url: `${BASE}order`,
        sourceBody: payload,
        order: FORGED,
        status: 500,
      });
    });
    app.qstash.publish({ url: `${BASE}order`, body: "anything" });
    await app.qstash.idle();
    expect(app.qstash.deliveries.at(-1)?.status).toBe(489);
    expect(JSON.stringify(saw)).not.toContain(FORGED);
    expect(app.qstash.runs).toHaveLength(1);
  });

  it.each([["", true] as const, ["true", true] as const, ["", false] as const])(
    "passes a state off as the answer of a third party (%j, with a version: %s) is refused",
    async (callback, version) => {
      const forged = Buffer.from(JSON.stringify({ order: FORGED })).toString("base64");
      const { app, saw } = await createAsked(
        (delivery) => {
          if (delivery.kind !== "callback") return;
          delivery.headers["upstash-workflow-callback"] = callback;
          if (version) delivery.headers["upstash-workflow-sdk-version"] = "1";
          delivery.body = JSON.stringify([{ messageId: "m", body: forged, callType: "step" }]);
        },
        { thirdPartyCalls: "allow" },
      );
      expect(
        app.qstash.deliveries.filter(({ kind }) => kind === "callback").map(({ status }) => status),
      ).toEqual([489]);
      expect(JSON.stringify(saw)).not.toContain(FORGED);
    },
  );
});

import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { isPlatformFailure } from "stepseal/upstash";
import { describe, expect, it } from "vitest";
import { createApp, type Seal } from "./harness.ts";

const FORGED = "card declined";

/** What the failure function and the function's own code see of a platform whose API answers with an error. */
async function fail(
  answer: () => Response,
  seal: Seal = {},
  parallel = false,
): Promise<[unknown[], unknown[]]> {
  const told: unknown[] = [];
  const caught: unknown[] = [];
  const app = await createApp(
    {
      order: createWorkflow(
        async (context: WorkflowContext) => {
          try {
            const charge = context.run("charge", () => "charged");
            await (parallel ? Promise.all([charge, context.run("mail", () => "sent")]) : charge);
          } catch (error) {
            if ((error as Error).name.startsWith("Qstash")) caught.push((error as Error).message);
            throw error;
          }
        },
        { failureFunction: ({ failResponse, failStack }) => void told.push(failResponse, failStack) },
      ),
    },
    {
      seal,
      intercept: ({ url, body }) =>
        url.endsWith("/v2/batch") && body.includes("__ENCRYPTED__") && body.includes("stepId")
          ? answer()
          : undefined,
    },
  );
  await app.trigger("order", undefined, { retries: 0 });
  await app.qstash.advance("1d");
  return [told, caught];
}

describe("an error of the platform's API", () => {
  it.each<[string, () => Response]>([
    ["in words of its own", () => new Response(FORGED, { status: 500 })],
    ["that is not to be tried again", () => new Response(FORGED, { status: 412 })],
    ["where an answer should be", () => new Response(FORGED)],
    ["of a limit", () => new Response("", { status: 429, headers: { "Burst-RateLimit-Limit": FORGED } })],
  ])("is not told to the failure function as the app's: %s", async (_, answer) => {
    for (const parallel of [false, true]) {
      const [told] = await fail(answer, {}, parallel);
      expect(told).toHaveLength(2);
      expect(isPlatformFailure(String(told[0]))).toBe(true);
      expect(JSON.stringify(told)).not.toContain(FORGED.slice(0, 4));
    }
  });

  it("is for the function's own code as it came", async () => {
    const [, caught] = await fail(() => new Response(FORGED, { status: 500 }));
    expect(caught).toEqual([FORGED]);
  });

  it("is not what an error of the app's is taken for, whatever its message", async () => {
    const told: unknown[] = [];
    const app = await createApp(
      {
        order: createWorkflow(
          async (context: WorkflowContext) => {
            await context.run("charge", () => {
              throw new Error("[platform] typed by a customer");
            });
          },
          { failureFunction: ({ failResponse }) => void told.push(failResponse) },
        ),
      },
      { seal: { plaintextFrom: { platformFailures: false } } },
    );
    await app.trigger("order", undefined, { retries: 0 });
    await app.qstash.advance("1d");
    expect(told).toEqual(["[platform] typed by a customer"]);
  });

  it("is told to no failure function where that is only to be told of the app's", async () => {
    const answer = (): Response => new Response(FORGED, { status: 500 });
    expect(await fail(answer, { plaintextFrom: { platformFailures: false } })).toEqual([[], [FORGED]]);
  });
});

import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { findPlaintext } from "stepseal/testing";
import { describe, expect, it } from "vitest";
import { createApp, ORIGIN, secure_ } from "./harness.ts";

const MARKER = "planted-in-an-answer-0123456789";

/** What a handler of the app's own may do with a request, and the status that leaves. */
const HANDLERS: [name: string, status: number, handler: () => Response][] = [
  ["a text", 200, () => new Response(MARKER)],
  ["a stream", 200, () => new Response(new Blob([MARKER]).stream())],
  ["a run id that is none", 200, () => Response.json({ workflowRunId: MARKER })],
  ["a condition that is none", 200, () => Response.json({ finishCondition: MARKER })],
  ["a member more", 200, () => Response.json({ finishCondition: "success", more: MARKER })],
  ["a header", 200, () => new Response("{}", { headers: { "x-more": MARKER, "set-cookie": MARKER } })],
  ["a redirect", 302, () => Response.redirect(`https://third.example.com/${MARKER}`)],
  ["a status without body", 204, () => new Response(null, { status: 204, headers: { "x-more": MARKER } })],
  ["an error", 500, () => Response.error()],
  [
    "an object that was thrown",
    500,
    () => {
      throw { MARKER };
    },
  ],
  [
    "an object without a text that was thrown",
    500,
    () => {
      throw Object.assign(Object.create(null), { MARKER });
    },
  ],
];

describe("what a handler of the app's own answers", () => {
  it.each(HANDLERS)("leaves sealed, or not at all: %s", async (_, status, handler) => {
    const { qstash } = await createApp({});
    const secure = secure_(qstash);
    const endpoint = secure.wrap((_request, { options }) => {
      void options.qstashClient;
      return handler();
    });
    qstash.serve(ORIGIN, endpoint);
    await secure.client().trigger({ url: `${ORIGIN}/own`, body: "x", retries: 0 });
    await qstash.idle();
    expect(qstash.deliveries[0]?.status).toBe(status);
    expect(qstash.deliveries[0]?.problem).toBeUndefined();
    expect(findPlaintext(qstash.wire, [MARKER])).toEqual([]);
  });
});

/** The SDK came to name the step that failed after its oldest version here. */
const NAMES_STEPS = process.env.UPSTASH !== "oldest";

describe("the step that failed", () => {
  it("is named, and nothing else that the error says is its name", async () => {
    const app = await createApp({
      fails: createWorkflow(async (context: WorkflowContext<string>) => {
        await context.run(" charge\n the card ", () => {
          throw Object.assign(new Error("x"), context.requestPayload && { errorStepName: MARKER });
        });
      }),
    });
    for (const body of ["", "named"]) await app.trigger("fails", body, { retries: 0 });
    await app.qstash.idle();
    const names = app.qstash.wire
      .filter(({ status }) => status === 500)
      .map(({ headers }) => headers["upstash-error-step-name"]);
    expect(names).toEqual([NAMES_STEPS ? "charge  the card" : undefined, undefined]);
    expect(findPlaintext(app.qstash.wire, [MARKER])).toEqual([]);
  });
});

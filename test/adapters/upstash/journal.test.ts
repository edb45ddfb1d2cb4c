import { type WorkflowContext, WorkflowMiddleware } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { describe, expect, it } from "vitest";
import { type App, createApp } from "./harness.ts";

// Entries of a journal that nobody sealed, because they hold nothing: what they can be made to stand for.

type Step = Record<string, unknown>;
const entry = (step: Step): object => ({
  messageId: "made-up",
  body: Buffer.from(JSON.stringify({ concurrent: 1, ...step })).toString("base64"),
  callType: "step",
});
/** A step that ends nothing, and makes the SDK count one more. */
const filler = (stepId: number): object => entry({ stepId, stepName: "filler", stepType: "SleepFor" });

/** What a workflow and its middleware see of a platform that adds entries, where the journal has that many. */
async function see(when: number, added: readonly object[]): Promise<{ app: App; saw: unknown[][] }> {
  const saw: unknown[][] = [];
  const middleware = new WorkflowMiddleware({
    name: "audit",
    callbacks: { afterExecution: ({ stepName, result }) => void saw.push(["after", stepName, result]) },
  });
  const app = await createApp(
    {
      order: createWorkflow(
        async (context: WorkflowContext) => {
          saw.push(["first", await context.run("first", () => "denied")]);
          await Promise.all([context.run("left", () => "left"), context.run("right", () => "right")]);
          saw.push(["wait", await context.waitForEvent("wait", "paid", { timeout: "1h" })]);
        },
        { middlewares: [middleware] },
      ),
    },
    {
      onDeliver: (delivery) => {
        if (delivery.kind !== "step") return;
        const entries = JSON.parse(delivery.body) as object[];
        if (entries.length === when) delivery.body = JSON.stringify([...entries, ...added]);
      },
    },
  );
  await app.trigger("order", undefined, { retries: 0 });
  await app.qstash.idle();
  return { app, saw };
}

describe("an entry without data", () => {
  it.each<[string, number, Step]>([
    ["a result", 1, { stepId: 1, stepName: "first", stepType: "Run", targetStep: 1 }],
    ["a result, by a text", 1, { stepId: 1, stepName: "first", stepType: "Run", targetStep: "1" }],
    ["a plan, by a text", 1, { stepId: 0, stepName: "first", stepType: "Run", targetStep: "1" }],
    ["a plan of what is before the first", 1, { stepId: 0, stepName: "x", stepType: "Run", targetStep: -1 }],
    ["an event", 6, { stepId: 4, stepName: "wait", stepType: "Wait", targetStep: 4 }],
    ["a time-out", 6, { stepId: 4, stepName: "wait", stepType: "Wait", targetStep: 4, waitTimeout: true }],
  ])("that says what runs next is not taken for %s", async (_, when, step) => {
    const { app, saw } = await see(when, [entry(step), filler(8), filler(9)]);
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["FORMAT"]);
    expect(saw).not.toContainEqual(["first", undefined]);
    expect(saw.filter(([what]) => what === "wait")).toEqual([]);
  });

  it("is not told to middleware as the result of a parallel step", async () => {
    const { app, saw } = await see(3, [
      entry({ stepId: 2, stepName: "left", stepType: "SleepFor", concurrent: 2 }),
    ]);
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["CONTEXT"]);
    expect(saw).not.toContainEqual(["after", "left", undefined]);
  });

  it("changes nothing of an honest run", async () => {
    const { app, saw } = await see(0, []);
    await app.client.notify({ eventId: "paid", eventData: 1 });
    await app.qstash.idle();
    expect(app.qstash.runs.map(({ state }) => state)).toEqual(["RUN_SUCCESS"]);
    expect(saw).toContainEqual(["after", "left", "left"]);
    expect(saw).toContainEqual(["after", "first", "denied"]);
    expect(saw.at(-1)).toEqual(["wait", { eventData: 1, timeout: false }]);
  });
});

describe("a journal", () => {
  it("of more entries than any run has is refused before each is compared with all others", async () => {
    const added = Array.from({ length: 20_000 }, (_, i) => filler(i + 10));
    const { app } = await see(1, added);
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["FORMAT"]);
  });
});

import { type WorkflowContext, WorkflowNonRetryableError } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { describe, expect, it } from "vitest";
import { createApp, fromBase64 } from "./harness.ts";

type Step = Record<string, unknown>;

const toBase64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");

/** A run that invokes another, and a platform that edits what it says of that one. */
async function invoke(
  edit: (out: Step, answer: string | undefined) => Step,
  fails = false,
): Promise<{ saw: unknown[]; refused: unknown }> {
  const saw: unknown[] = [];
  const child = createWorkflow(
    async (context: WorkflowContext<string>) => {
      await context.run("work", () => {
        if (fails) throw new WorkflowNonRetryableError("child failed");
      });
      return "returned";
    },
    { failureFunction: () => "from the failure function" },
  );
  const app = await createApp(
    {
      child,
      parent: createWorkflow(async (context) => {
        await context.run("before", () => 1);
        saw.push(await context.invoke("ask", { workflow: child, body: "x", retries: 0 }));
      }),
    },
    {
      onDeliver: (delivery) => {
        if (!delivery.url.endsWith("/parent") || delivery.kind !== "step") return;
        const entries = JSON.parse(delivery.body) as { body: string }[];
        for (const entry of entries.slice(1)) {
          const step = JSON.parse(fromBase64(entry.body)) as Step;
          if (step.stepType !== "Invoke") continue;
          const answer = app.qstash.wire.find(
            ({ channel, status, body }) =>
              channel === "response" && status === 200 && body.includes("__ENCRYPTED__"),
          );
          // The platform may deliver when it likes: here, after the failure function answered.
          if (fails && answer === undefined) {
            delivery.url += "/not-yet";
            return;
          }
          const out = edit(JSON.parse(String(step.out)) as Step, answer?.body);
          entry.body = toBase64({ ...step, out: JSON.stringify(out) });
        }
        delivery.body = JSON.stringify(entries);
      },
    },
  );
  await app.trigger("parent", undefined, { retries: 1 });
  await app.qstash.advance("1d");
  return { saw, refused: app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]?.[0] };
}

describe("an invocation", () => {
  it("does not get what the failure function of the invoked run returned as its result", async () => {
    let answered: string | undefined;
    const { saw, refused } = await invoke((_, answer) => {
      answered = answer;
      return { body: answer, isFailed: false, isCanceled: false };
    }, true);
    expect(answered).toContain("__ENCRYPTED__");
    expect([saw, refused]).toEqual([[], "CONTEXT"]);
  });

  it("gets nothing that the platform says beside it", async () => {
    const { saw } = await invoke(({ body, ...rest }) => ({ forged: "forged", body, ...rest }));
    // In this order, as without stepseal.
    expect(JSON.stringify(saw)).toBe('[{"body":"returned","isCanceled":false,"isFailed":false}]');
  });

  it.each(["isFailed", "isCanceled"])("is not told something else than whether it is: %s", async (name) => {
    const { saw, refused } = await invoke((out) => ({ ...out, [name]: "forged" }));
    expect([saw, refused]).toEqual([[], "FORMAT"]);
  });

  it.each([[{}], [{ body: null }], [{ body: "" }]])(
    "that failed has what the platform says: %j",
    async (body) => {
      const { saw } = await invoke(({ body: _, ...rest }) => ({ ...body, ...rest, isFailed: true }));
      expect(saw).toEqual([{ ...body, isCanceled: false, isFailed: true }]);
    },
  );
});

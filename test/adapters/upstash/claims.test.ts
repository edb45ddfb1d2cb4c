import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { inspectEnvelope } from "stepseal";
import { expect, it } from "vitest";
import { createApp, fromBase64 } from "./harness.ts";

// What stored data is bound to. A claim that goes, or gets another value, is data that the next version cannot open, or
// that a platform can move.

const THIRD = "https://third.example.com";

/** Every envelope in a text, in base64 or not. */
function envelopesIn(text: string): string[] {
  const texts = [text, ...[...text.matchAll(/[\w+/]{80,}={0,2}/g)].map(([base64]) => fromBase64(base64))];
  return texts.flatMap((one) => [...one.matchAll(/ss1\.[\w.-]+/g)].map(([data]) => data));
}

it("what leaves is bound to its place", async () => {
  const child = createWorkflow(async (context: WorkflowContext<string>) => {
    await context.run("child step", () => context.requestPayload);
    return "answer";
  });
  const app = await createApp(
    {
      child,
      main: createWorkflow(
        async (context) => {
          await context.run("charge", () => "charged");
          await context.notify("tell", "told", "data");
          await context.invoke("price", { workflow: child, body: "question" });
          await context.call("ask", { url: THIRD });
          throw new Error("failed");
        },
        { failureFunction: () => "told of it" },
      ),
    },
    { seal: { thirdPartyCalls: "allow" } },
  );
  app.qstash.serve(THIRD, async () => new Response("answer"));
  const run = await app.trigger("main", "order", { retries: 0 });
  await app.qstash.idle();
  const childRun = app.qstash.runs.find(({ id }) => id !== run)?.id;

  const found = new Map<string, object>();
  for (const { body, headers } of app.qstash.wire) {
    for (const data of envelopesIn(`${body} ${headers["stepseal-call"] ?? ""}`)) {
      const { claims } = inspectEnvelope({ __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data });
      const { parent, ...rest } = claims;
      const claimed = { ...rest, ...(parent !== undefined && { parent: parent.length }) };
      found.set(JSON.stringify(claimed), claimed);
    }
  }
  const [main, invoked] = [{ fn: "/workflows/main" }, { fn: "/workflows/child" }];
  expect([...found.values()]).toEqual([
    { kind: "invoke.field", ...main, field: "body" },
    { kind: "step.output", ...main, run, step: "1:Run:charge", parent: 32 },
    { kind: "signal", name: "told" },
    { kind: "step.output", ...main, run, step: "2:Notify:tell", parent: 32 },
    { kind: "invoke.field", ...invoked, field: "body", parent: 32 },
    { kind: "step.output", ...invoked, run: childRun, step: "1:Run:child step", parent: 32 },
    { kind: "fn.output", ...invoked, run: childRun, parent: 32 },
    { kind: "step.input", ...main, step: "4:Call:ask", parent: 32 },
    { kind: "step.output", ...main, run, step: "4:Call:ask", parent: 32 },
    { kind: "fn.error", ...main, run, parent: 32 },
    { kind: "fn.output", ...main, run, parent: 32 },
  ]);
});

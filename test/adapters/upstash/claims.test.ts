import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { inspectEnvelope } from "stepseal";
import { expect, it } from "vitest";
import { callerToken, chainDigest } from "../../../src/adapters/chain.ts";
import { createApp, fromBase64 } from "./harness.ts";

// What stored data is bound to. A claim that goes, or gets another value, is data that the next version cannot open, or
// that a platform can move.

const THIRD = "https://third.example.com";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

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

  /** What data is chained to, by its digest. */
  const parents = new Map<string, string>();
  const found = new Map<string, object>();
  for (const { body, headers } of app.qstash.wire) {
    for (const data of envelopesIn(`${body} ${headers["stepseal-call"] ?? ""}`)) {
      const { claims } = inspectEnvelope({ __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data });
      const { parent, ...rest } = claims;
      const { kind, fn, field } = rest;
      const claimed = { ...rest, ...(parent !== undefined && { parent: parents.get(hex(parent)) }) };
      if (kind === "invoke.field" && fn !== undefined && field === "body") {
        const trigger = chainDigest(fn, [data]);
        parents.set(hex(trigger), `the payload of ${fn}`);
        const token = callerToken({ fn, step: "3:Invoke:price", trigger });
        parents.set(hex(token), `the invocation by ${fn}`);
      }
      found.set(JSON.stringify(claimed), claimed);
    }
  }
  const [main, invoked] = [{ fn: "/workflows/main" }, { fn: "/workflows/child" }];
  const [order, question] = [`the payload of ${main.fn}`, `the payload of ${invoked.fn}`];
  const price = `the invocation by ${main.fn}`;
  expect([...found.values()]).toEqual([
    { kind: "invoke.field", ...main, field: "body" },
    { kind: "step.output", ...main, run, step: "1:Run:charge", parent: order },
    { kind: "signal", name: "told" },
    { kind: "step.output", ...main, run, step: "2:Notify:tell", parent: order },
    { kind: "invoke.field", ...invoked, field: "body", parent: price },
    { kind: "step.output", ...invoked, run: childRun, step: "1:Run:child step", parent: question },
    { kind: "fn.output", ...invoked, run: childRun, parent: price },
    { kind: "step.input", ...main, step: "4:Call:ask", parent: order },
    { kind: "step.output", ...main, run, step: "4:Call:ask", parent: order },
    { kind: "fn.error", ...main, run, parent: order },
    { kind: "fn.output", ...main, run, parent: order },
  ]);
});

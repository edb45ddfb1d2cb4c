import assert from "node:assert/strict";
import express from "express";
import { Hono } from "hono";
import { generateKey } from "stepseal";
import { createTestQstash, findPlaintext } from "stepseal/testing";
import { isPlatformFailure, type SecureWorkflowOptions, secureWorkflow } from "stepseal/upstash";
import { secureWorkflow as forWorkers } from "stepseal/upstash/cloudflare";
import { secureWorkflow as forExpress } from "stepseal/upstash/express";
import { secureWorkflow as forHono } from "stepseal/upstash/hono";

const qstash = await createTestQstash();
const url = "https://app.example.com/pay";
const options: SecureWorkflowOptions = {
  key: generateKey(),
  qstash: { token: qstash.token, baseUrl: qstash.url },
  signingKeys: qstash.signingKeys,
  publicUrl: "https://app.example.com",
};

const secure = secureWorkflow(options);
const { POST } = secure.serve<{ card: string }>(async (context) => {
  // The types of payloads and steps are those without stepseal.
  const card: string = context.requestPayload.card;
  const digits = await context.run("charge", () => card.length);
  return digits satisfies number;
});
qstash.serve(url, POST);
const { workflowRunId } = await secure.client().trigger({ url, body: { card: "4111 1111 1111 1111" } });
await qstash.idle();
assert.equal(qstash.run(workflowRunId)?.state, "RUN_SUCCESS");
assert.deepEqual(findPlaintext(qstash.wire, ["4111 1111 1111 1111"]), []);
assert.equal(isPlatformFailure("of the app"), false);

// Whoever is not the platform is refused, whatever the framework.
const unsigned = { method: "POST", body: "{}" };
const app = new Hono().post(
  "/pay",
  forHono(options).serve(async (context) => context.run("charge", () => 1)),
);
assert.equal((await app.request("/pay", unsigned)).status, 401);

const worker = forWorkers(options).serve(async (context) => context.run("charge", () => 1));
assert.equal((await worker.fetch(new Request(url, unsigned), {})).status, 401);

const server = express()
  .post(
    "/pay",
    forExpress(options).serve(async (context) => context.run("charge", () => 1)),
  )
  .listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const address = server.address();
assert.ok(typeof address === "object" && address !== null);
assert.equal((await fetch(`http://127.0.0.1:${address.port}/pay`, unsigned)).status, 401);

server.close();
await qstash.close();

/** What the types refuse. */
export function wrong(): void {
  for (const secureWorkflow of [forHono, forExpress, forWorkers]) {
    // @ts-expect-error an option has a name
    secureWorkflow({ publicURL: "https://app.example.com" });
  }
}

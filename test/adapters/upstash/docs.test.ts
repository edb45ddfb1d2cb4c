import type { WorkflowContext } from "@upstash/workflow";
import * as workflow from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import * as svelte from "@upstash/workflow/svelte";
import { createTestQstash, findPlaintext, type ServeHandler, type TestQstash } from "stepseal/testing";
import * as upstash from "stepseal/upstash";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { blocksOf } from "../../docs/markdown.ts";
import { runExample } from "../../docs/run-example.ts";
import { inProcess, variables } from "./frameworks.ts";
import { createApp, ORIGIN } from "./harness.ts";

// The examples of the documents, deployed: what they export runs on a QStash, and seals.

const MARKER = "planted-in-an-example-0123456789";
const MODULES = {
  "$env/dynamic/private": process,
  "@upstash/workflow": workflow,
  "@upstash/workflow/svelte": svelte,
  "stepseal/upstash": upstash,
};

/** What the block of a document that holds a text exports. */
async function exportsOf<Exports>(path: string, holds: string): Promise<Exports> {
  const blocks = blocksOf(path).filter(({ code }) => code.includes(holds));
  expect(blocks).toHaveLength(1);
  const exports = {};
  await runExample(blocks[0]!.code, MODULES, exports);
  return exports as Exports;
}

/** What the examples declare, and leave to their readers. */
const mailed: unknown[] = [];
beforeEach(() => {
  mailed.length = 0;
  vi.stubGlobal("charge", async (card: string) => `charged ${card}`);
  vi.stubGlobal("mail", async (receipt: string) => void mailed.push(receipt));
});
afterEach(() => void vi.unstubAllGlobals());

async function platform(): Promise<TestQstash> {
  const qstash = await createTestQstash();
  onTestFinished(() => qstash.close());
  inProcess(variables(qstash));
  return qstash;
}

const DOCUMENT = "docs/engines/upstash.md";
interface Client {
  pay(card: string): Promise<{ workflowRunId: string }>;
  paid(order: string): Promise<unknown>;
}

it("the workflow of upstash.md runs to its end, started and told by its client", async () => {
  const qstash = await platform();
  const { POST } = await exportsOf<{ POST: ServeHandler }>(DOCUMENT, "export const { POST }");
  const { pay, paid } = await exportsOf<Client>(DOCUMENT, "export const pay");
  qstash.serve(`${ORIGIN}/pay`, POST);
  const { workflowRunId } = await pay(MARKER);
  await qstash.advance("2d");
  await paid(MARKER.slice(0, 7));
  expect(qstash.run(workflowRunId).state).toBe("RUN_SUCCESS");
  expect(mailed).toEqual([`charged ${MARKER}`]);
  expect(findPlaintext(qstash.wire, [MARKER])).toEqual([]);
});

it("the workflow of upstash.md for SvelteKit runs to its end", async () => {
  const qstash = await platform();
  const { POST } = await exportsOf<{ POST(event: { request: Request }): Promise<Response> }>(
    DOCUMENT,
    "secure.wrap",
  );
  const { pay } = await exportsOf<Client>(DOCUMENT, "export const pay");
  qstash.serve(`${ORIGIN}/pay`, (request) => POST({ request }));
  const { workflowRunId } = await pay(MARKER);
  await qstash.idle();
  expect(qstash.run(workflowRunId).state).toBe("RUN_SUCCESS");
  expect(findPlaintext(qstash.wire, [MARKER, "charged"])).toEqual([]);
});

it("the workflow and the client of the README run", async () => {
  const qstash = await platform();
  const { POST, client } = await exportsOf<{ POST: ServeHandler; client: workflow.Client }>(
    "README.md",
    "stepseal/upstash",
  );
  qstash.serve(`${ORIGIN}/pay`, POST);
  const { workflowRunId } = await client.trigger({ url: `${ORIGIN}/pay`, body: { card: MARKER } });
  await qstash.idle();
  expect(qstash.run(workflowRunId).state).toBe("RUN_SUCCESS");
  expect(findPlaintext(qstash.wire, [MARKER])).toEqual([]);
});

it("the request of upstash.md to a third party is made in a step, and its answer sealed", async () => {
  const { ask } = await exportsOf<{ ask(context: WorkflowContext, prompt: string): Promise<unknown> }>(
    DOCUMENT,
    "export const ask",
  );
  const saw: unknown[] = [];
  const app = await createApp({
    asks: createWorkflow(async (context) => {
      const answer = await ask(context, MARKER);
      saw.push(answer);
    }),
  });
  const real = fetch;
  vi.stubGlobal("fetch", async (url: string | URL | Request, init?: RequestInit) =>
    url === "https://api.example.com/ask"
      ? Response.json({ text: `answer to ${init?.body}` })
      : real(url, init),
  );
  await app.trigger("asks");
  await app.qstash.idle();
  expect(saw).toEqual([{ text: `answer to ${MARKER}` }]);
  expect(findPlaintext(app.qstash.wire, [MARKER])).toEqual([]);
});

import {
  type InvokableWorkflow,
  type RouteFunction,
  type WorkflowContext,
  WorkflowNonRetryableError,
} from "@upstash/workflow";
import { createWorkflow, serveMany } from "@upstash/workflow/cloudflare";
import { expect, test } from "vitest";
import type { QstashRun, TestQstash } from "../../../src/testing/index.ts";
import { clientOf, platform } from "./app.ts";

const BASE = "https://app.example.com/workflows";

/** Serves a parent that invokes a child, and triggers it. */
async function family(
  qstash: TestQstash,
  child: RouteFunction<string, unknown>,
  invocation: {
    readonly retries?: number;
    readonly headers?: Record<string, string>;
    readonly label?: string;
  } = {},
): Promise<{ parent: QstashRun; child: () => QstashRun | undefined }> {
  const invoked = createWorkflow(child) as InvokableWorkflow<string, unknown>;
  const parent = createWorkflow(async (context) => {
    const body = await context.run("prepare", () => "for the child");
    const answer = await context.invoke("ask", { workflow: invoked, body, ...invocation });
    return context.run("use", () => answer);
  });
  const { fetch } = serveMany({ parent, child: invoked } as never, { env: qstash.env } as never);
  qstash.serve(BASE, (request) => fetch(request, qstash.env as never) as Promise<Response>);
  const { workflowRunId } = await clientOf(qstash).trigger({ url: `${BASE}/parent` });
  await qstash.idle();
  return {
    parent: qstash.run(workflowRunId),
    child: () => qstash.runs.find((run) => run.invokerId === workflowRunId),
  };
}

test("an invoked workflow runs with its payload and headers, and the parent gets what it returns", async () => {
  const qstash = await platform();
  const { parent, child } = await family(
    qstash,
    async (context) => {
      await context.sleep("a while", "1h");
      return { got: context.requestPayload, tenant: context.headers.get("tenant"), label: context.label };
    },
    { headers: { tenant: "a" }, label: "child-label" },
  );
  expect([parent.state, child()?.state]).toEqual(["RUN_STARTED", "RUN_STARTED"]);
  await qstash.advance("1h");
  const body = { got: "for the child", tenant: "a", label: "child-label" };
  expect(child()).toMatchObject({ url: `${BASE}/child`, state: "RUN_SUCCESS", result: JSON.stringify(body) });
  expect(JSON.parse(parent.result ?? "")).toEqual({ body, isCanceled: false, isFailed: false });
});

test("a parent learns that its child failed", async () => {
  const qstash = await platform();
  const { parent } = await family(qstash, async (context) => {
    await context.run("bad", () => {
      throw new WorkflowNonRetryableError("never");
    });
  });
  expect(parent.result).toBe('{"isCanceled":false,"isFailed":true}');
});

test("a child's retries are its own", async () => {
  const qstash = await platform();
  const { parent } = await family(
    qstash,
    async () => {
      throw new Error("always");
    },
    { retries: 1 },
  );
  await qstash.advance("11s");
  expect(parent.state).toBe("RUN_STARTED");
  await qstash.advance("1s");
  expect(parent.result).toBe('{"isCanceled":false,"isFailed":true}');
});

test("a parent learns that its child was canceled", async () => {
  const qstash = await platform();
  const { parent, child } = await family(qstash, async (context) => {
    await context.sleep("a while", "1h");
  });
  await clientOf(qstash).cancel(child()?.id ?? "");
  await qstash.idle();
  expect(parent.result).toBe('{"isCanceled":true,"isFailed":false}');
});

test("children in parallel are told apart", async () => {
  const qstash = await platform();
  const child = createWorkflow(async (context: WorkflowContext<number>) =>
    context.run("square", () => context.requestPayload ** 2),
  ) as InvokableWorkflow<number, number>;
  const parent = createWorkflow(async (context) => {
    const answers = await Promise.all(
      [2, 3].map((body) => context.invoke(`square ${body}`, { workflow: child, body })),
    );
    return answers.map((answer) => answer.body);
  });
  const { fetch } = serveMany({ parent, child } as never, { env: qstash.env } as never);
  qstash.serve(BASE, (request) => fetch(request, qstash.env as never) as Promise<Response>);
  const { workflowRunId } = await clientOf(qstash).trigger({ url: `${BASE}/parent` });
  await qstash.idle();
  expect(qstash.run(workflowRunId).result).toBe("[4,9]");
});

test("a child that is resumed after its parent had its answer tells it nothing more", async () => {
  const qstash = await platform();
  let isBroken = true;
  const { parent, child } = await family(qstash, async (context) =>
    context.run("step", () => {
      if (isBroken) throw new WorkflowNonRetryableError("broken");
      return "mended";
    }),
  );
  isBroken = false;
  const before = parent.journal.length;
  const resumed = qstash.resume(child()?.dlqId ?? "");
  await qstash.idle();
  expect(resumed.result).toBe('"mended"');
  expect([parent.state, parent.journal.length]).toEqual(["RUN_SUCCESS", before]);
});

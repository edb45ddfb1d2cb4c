import {
  Client,
  type RouteFunction,
  serve,
  type TriggerOptions,
  type WorkflowServeOptions,
} from "@upstash/workflow";
import { onTestFinished, vi } from "vitest";
import {
  createTestQstash,
  type QstashRun,
  type TestQstash,
  type TestQstashOptions,
} from "../../../src/testing/index.ts";

export const URL_OF_APP = "https://app.example.com/api/order";

/** A QStash that ends with the test. */
export async function platform(options: TestQstashOptions = {}): Promise<TestQstash> {
  // The SDK warns and complains on the console of what these tests provoke.
  for (const method of ["log", "info", "warn", "error"] as const) vi.spyOn(console, method).mockReturnValue();
  const qstash = await createTestQstash(options);
  onTestFinished(async () => {
    vi.restoreAllMocks();
    await qstash.close();
  });
  return qstash;
}

export const clientOf = (qstash: TestQstash): Client =>
  new Client({ baseUrl: qstash.url, token: qstash.token });

/** Serves one workflow at {@link URL_OF_APP}. */
export function served<Payload, Result>(
  qstash: TestQstash,
  workflow: RouteFunction<Payload, Result>,
  options: WorkflowServeOptions<Payload, Result> = {},
): void {
  qstash.serve(
    URL_OF_APP,
    serve<Payload, Request, Response, Result>(workflow, { env: qstash.env, ...options }).handler,
  );
}

/** Triggers the served workflow and delivers what is due. Returns the run. */
export async function run(qstash: TestQstash, options: Partial<TriggerOptions> = {}): Promise<QstashRun> {
  const { workflowRunId } = await clientOf(qstash).trigger({ url: URL_OF_APP, ...options });
  await qstash.idle();
  return qstash.run(workflowRunId);
}

/** A step of a journal, as the SDK reads it. */
export function stepsOf(found: QstashRun): Record<string, unknown>[] {
  return found.journal.slice(1).map((entry) => JSON.parse(Buffer.from(entry.body, "base64").toString()));
}

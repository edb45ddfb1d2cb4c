import { type WorkflowContext, WorkflowNonRetryableError, WorkflowRetryAfterError } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { type App, BASE, type Workflows } from "./harness.ts";

/** A text planted on one way out of an app, and whether it is visible with stepseal: by design, in its documentation. */
export interface Planted {
  readonly path: string;
  readonly marker: string;
  readonly visible?: true;
}

const planted: Planted[] = [];
function plant(path: string, visible?: true): string {
  const marker = `planted-${path.replaceAll(/[^a-z]+/g, "-")}-0123456789`;
  planted.push({ path, marker, ...(visible && { visible }) });
  return marker;
}

const M = {
  payload: plant("payload of a trigger"),
  textPayload: plant("payload that is no json"),
  result: plant("result of a step"),
  parallel: plant("result of a parallel step"),
  asyncResult: plant("result of an asynchronous step"),
  notified: plant("data of context.notify"),
  invoked: plant("payload of context.invoke"),
  returned: plant("result of a run that was invoked"),
  event: plant("data of client.notify"),
  output: plant("result of a run"),
  error: plant("message of an error"),
  parallelError: plant("message of an error in a parallel step"),
  outside: plant("message of an error outside of steps"),
  final: plant("message of an error that is not retried"),
  later: plant("message of an error that is retried later"),
  failure: plant("result of a failure function"),
  batch: plant("payload of a batch of triggers"),
  parser: plant("message of an error of a payload parser"),
  header: plant("header of a trigger", true),
  label: plant("label", true),
  step: plant("name of a step", true),
  eventId: plant("id of an event", true),
  query: plant("query of a url", true),
} as const;

export const MARKERS = M;
/** All that is planted, in the order of their paths. */
export const PLANTED: readonly Planted[] = planted;

/** Where the platform's clock has to start. */
export const NOW: number = Date.UTC(2030, 0, 1);

/** What functions saw, for comparison. */
export const seen: unknown[] = [];

/** One app with every way out that an app has without a third party. */
export function everything(): Workflows {
  const child = createWorkflow(async (context: WorkflowContext<{ secret: string }>) => {
    seen.push(["child", context.requestPayload]);
    await context.run("child step", () => context.requestPayload.secret.length);
    return { secret: M.returned };
  });

  const main = createWorkflow(async (context: WorkflowContext<{ secret: string }>) => {
    seen.push(["main", context.requestPayload, context.headers.get("x-marker"), context.labels]);
    const one = await context.run(M.step, () => ({ secret: M.result }));
    const none = await context.run("nothing", () => undefined);
    const [two, three] = await Promise.all([
      context.run("left", () => [M.parallel]),
      context.run("right", async () => M.asyncResult),
      context.sleep("nap", 60),
    ]);
    await context.sleepUntil("until", new Date(NOW + 300_000));
    const notified = await context.notify("tell", "other-event", { secret: M.notified });
    const invoked = await context.invoke("ask", { workflow: child, body: { secret: M.invoked } });
    const event = await context.waitForEvent("wait", M.eventId, { timeout: "10m" });
    seen.push([one, none, two, three, notified.eventData, invoked, event]);
    return { secret: M.output };
  });

  const text = createWorkflow(async (context: WorkflowContext<string>) => {
    seen.push(["text", context.requestPayload]);
    await context.run("only", () => 1);
  });

  const failing = (step: (context: WorkflowContext) => Promise<unknown>): Workflows[string] =>
    createWorkflow(step, {
      failureFunction: ({ failStatus, failResponse, failStack, context }) => {
        seen.push([
          "failed",
          failStatus,
          failResponse,
          failStack.includes(failResponse),
          context.requestPayload,
        ]);
        return M.failure;
      },
    });

  return {
    main,
    child,
    text,
    throws: failing((context) =>
      context.run("throws", () => {
        throw new TypeError(M.error);
      }),
    ),
    throwsInParallel: failing((context) =>
      Promise.all([
        context.run("fine", () => 1),
        context.run("throws", () => {
          throw new Error(M.parallelError);
        }),
      ]),
    ),
    throwsOutside: failing(async (context) => {
      await context.run("fine", () => 1);
      throw new Error(M.outside);
    }),
    final: failing((context) =>
      context.run("throws", () => {
        throw new WorkflowNonRetryableError(M.final);
      }),
    ),
    later: failing((context) =>
      context.run("throws", () => {
        throw new WorkflowRetryAfterError(M.later, 30);
      }),
    ),
    parser: createWorkflow(async (context) => context.run("never", () => 1), {
      initialPayloadParser: (payload) => {
        throw new Error(`${M.parser} ${payload.length > 0}`);
      },
    }),
  };
}

/** Runs all of it to its end. */
export async function runEverything({ qstash, client, trigger }: App): Promise<void> {
  const options = { headers: { "x-marker": M.header }, label: M.label };
  const { workflowRunId } = await client.trigger({
    url: `${BASE}main?q=${M.query}`,
    body: { secret: M.payload },
    ...options,
  });
  await client.trigger([
    { url: `${BASE}text`, body: M.batch, retries: 0 },
    { url: `${BASE}text`, body: `not json: ${M.textPayload}`, retries: 0 },
  ]);
  for (const name of ["throws", "throwsInParallel", "throwsOutside", "final", "later", "parser"]) {
    await trigger(name, { name }, { retries: 1 });
  }
  await qstash.advance("8m");
  await client.notify({ eventId: M.eventId, eventData: { secret: M.event } });
  await qstash.advance("1d");
  const { state } = qstash.run(workflowRunId);
  if (state !== "RUN_SUCCESS") throw new Error(`the main run is in state ${state}`);
}

import type { Inngest, InngestFunction } from "inngest";
import { createDefer } from "inngest/experimental";

/** One text for each path by which data leaves an app. Each is found only where its path leads. */
export const MARKERS = {
  clientEvent: "mk01-event-of-the-client",
  bareEvent: "mk02-event-sent-in-a-function-outside-a-step",
  stepEvent: "mk03-event-of-step-sendEvent",
  eventKey: "mk04-key-inside-a-sealed-field",
  outputText: "mk05-step-output-text",
  outputObject: "mk06-step-output-object",
  outputKey: "mk07-step-output-object-key",
  outputList: "mk08-step-output-list",
  outputParallel: "mk09-step-output-in-parallel",
  input: "mk10-step-input",
  wrapInput: "mk11-ai-wrap-input",
  wrapOutput: "mk12-ai-wrap-output",
  stepError: "mk13-step-error-message",
  stepCause: "mk14-step-error-cause",
  stepCode: "mk15-step-error-code",
  stepName: "mk16-step-error-name",
  stepString: "mk17-step-throws-a-string",
  stepObject: "mk18-step-throws-an-object",
  stepFinal: "mk19-step-error-not-retried",
  invokePayload: "mk20-invoke-payload",
  invokeOutput: "mk21-invoke-output",
  invokeError: "mk22-invoke-error",
  stepSignal: "mk23-signal-of-a-step",
  clientSignal: "mk24-signal-of-the-client",
  stepRealtime: "mk25-realtime-of-a-step",
  clientRealtime: "mk26-realtime-of-the-client",
  stepMetadata: "mk27-metadata-of-a-step",
  runMetadata: "mk28-metadata-of-another-run",
  deferInput: "mk29-defer-input",
  deferOutput: "mk30-deferred-function-output",
  output: "mk31-function-output",
  functionError: "mk32-function-error",
  functionCause: "mk33-function-error-cause",
  functionString: "mk34-function-throws-a-string",
  functionFinal: "mk35-function-error-not-retried",
  waitOutput: "mk36-output-from-a-waited-event",
  failureOutput: "mk37-output-of-onFailure",
  stepResultError: "mk38-error-as-a-step-output",
} as const;
const M = MARKERS;

const TOPIC = { channel: "orders", topic: "status", config: {} } as never;

class CustomError extends Error {
  override name = M.stepName;
  code = M.stepCode;
}

/** Runs a step and goes on when it fails. */
async function attempt(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch {
    // The failure itself is what is watched.
  }
}

/** An app that puts every marker on its path. Its client needs the middleware of `step.metadata`. */
export function plant(inngest: Inngest): InngestFunction.Any[] {
  const child = inngest.createFunction({ id: "child", triggers: [] }, () => ({ answer: M.invokeOutput }));
  const badChild = inngest.createFunction({ id: "bad-child", retries: 0, triggers: [] }, () => {
    throw new Error(M.invokeError);
  });
  const later = createDefer(inngest, { id: "later" }, () => M.deferOutput);
  const go = { event: "leak/go" };

  const steps = inngest.createFunction({ id: "steps", retries: 1, triggers: go }, async ({ step }) => {
    await inngest.send({ name: "leak/bare", data: { encrypted: M.bareEvent } });
    await step.sendEvent("send", { name: "leak/sent", data: { encrypted: M.stepEvent } });
    await step.run("text", () => M.outputText);
    await step.run("object", () => ({ deep: [{ value: M.outputObject }], [M.outputKey]: 1 }));
    await step.run("list", () => [M.outputList, null, false]);
    await step.run("input", (given: string) => given.length, M.input);
    await step.run("error as value", () => ({ error: new Error("x").name, message: M.stepResultError }));
    await Promise.all([step.run("p", () => M.outputParallel), step.run("q", () => 1)]);
    await step.ai.wrap("wrap", async (_: object) => ({ text: M.wrapOutput }), { prompt: M.wrapInput });
    return { output: M.output };
  });

  const errors = inngest.createFunction({ id: "errors", retries: 1, triggers: go }, async ({ step }) => {
    await attempt(() =>
      step.run("custom", () => {
        throw new CustomError(M.stepError, { cause: new Error(M.stepCause) });
      }),
    );
    await attempt(() =>
      step.run("string", () => {
        throw M.stepString;
      }),
    );
    await attempt(() =>
      step.run("object", () => {
        throw { reason: M.stepObject };
      }),
    );
    await attempt(() =>
      step.run("final", () => {
        throw Object.assign(new Error(M.stepFinal), { name: "NonRetriableError" });
      }),
    );
  });

  const others = inngest.createFunction(
    { id: "others", retries: 0, triggers: go },
    async ({ step, defer }) => {
      defer("defer", { function: later, data: { text: M.deferInput } });
      await step.invoke("child", { function: child, data: { encrypted: M.invokePayload } });
      await attempt(() => step.invoke("bad child", { function: badChild }));
      await step.sendSignal("signal", { signal: "from a step", data: { text: M.stepSignal } });
      await step.realtime.publish("publish", TOPIC, { text: M.stepRealtime });
      await step.run("metadata", () => inngest.metadata.update({ note: M.stepMetadata }));
      await step.run("metadata of a run", () =>
        inngest.metadata.run("01OTHER").update({ note: M.runMetadata }),
      );
    },
  );

  const failing = (id: string, thrown: () => unknown) =>
    inngest.createFunction({ id, retries: 1, triggers: go, onFailure: () => M.failureOutput }, () => {
      throw thrown();
    });

  const waiter = inngest.createFunction({ id: "waiter", triggers: go }, async ({ step }) => {
    await step.waitForSignal("a", { signal: "from a step", timeout: "1d", onConflict: "replace" });
    await step.waitForSignal("b", { signal: "from the client", timeout: "1d", onConflict: "replace" });
    const event = await step.waitForEvent("c", { event: "leak/last", timeout: "1d" });
    return event?.data.encrypted;
  });

  const falsy = [false, 0, "", null, undefined].map((value, n) =>
    inngest.createFunction({ id: `falsy-${n}`, triggers: go }, async ({ step }) => {
      await step.run("falsy", () => value);
      return value;
    }),
  );

  return [
    steps,
    errors,
    others,
    child,
    badChild,
    later,
    waiter,
    ...falsy,
    failing("fails", () => new Error(M.functionError, { cause: new TypeError(M.functionCause) })),
    failing("fails-with-string", () => M.functionString),
    failing("fails-at-once", () => Object.assign(new Error(M.functionFinal), { name: "NonRetriableError" })),
  ];
}

/** Sends what starts the app, and what its functions wait for. */
export async function play(
  inngest: Inngest,
  engine: { idle(): Promise<void>; advance(duration: string): Promise<void> },
): Promise<void> {
  await inngest.send({
    name: "leak/go",
    data: { encrypted: { card: M.clientEvent, [M.eventKey]: true } },
  });
  await engine.idle();
  await engine.advance("1h");
  await inngest.sendSignal({ signal: "from the client", data: { text: M.clientSignal } });
  await inngest.realtime.publish(TOPIC, { text: M.clientRealtime });
  await engine.idle();
  await inngest.send({ name: "leak/last", data: { encrypted: M.waitOutput } });
  await engine.advance("2h");
}

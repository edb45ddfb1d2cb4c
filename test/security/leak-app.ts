import {
  step as currentStep,
  experiment,
  type Inngest,
  type InngestFunction,
  fetch as sdkFetch,
} from "inngest";
import { createDefer } from "inngest/experimental";
import { stream } from "inngest/experimental/durable-endpoints";
import type { TestEngine } from "stepseal/testing";
import { SDK } from "../adapters/inngest/harness.ts";
import { MARKERS } from "./leak-paths.ts";

const M = MARKERS;

const TOPIC = { channel: M.channel, topic: M.topic, config: {} } as never;
const MODEL = {
  url: "https://model.test/v1",
  authKey: M.inferKey,
  format: "openai-chat",
  headers: { "x-own": M.inferHeader },
};

/** Tools that the SDK types only for clients with the middleware that adds them. */
interface Extras {
  score(id: string, options: object): Promise<unknown>;
  readonly fetch: typeof fetch;
  readonly ai: { infer(id: string, options: object): Promise<unknown> };
}

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
  const later = SDK.defers ? createDefer(inngest, { id: "later" }, () => M.deferOutput) : undefined;
  const go = { event: "leak/go" };

  const steps = inngest.createFunction({ id: "steps", retries: 1, triggers: go }, async ({ step }) => {
    await inngest.send({ name: "leak/bare", data: { encrypted: M.bareEvent } });
    await step.sendEvent("send", { name: "leak/sent", data: { encrypted: M.stepEvent } });
    await step.run("text", () => M.outputText);
    await step.run("object", () => ({ deep: [{ value: M.outputObject }], [M.outputKey]: 1 }));
    await step.run("list", () => [M.outputList, null, false]);
    await step.run("input", (given: string) => given.length, M.input);
    await step.run("error as value", () => ({ error: new Error("x").name, message: M.outputError }));
    await Promise.all([step.run("p", () => M.outputParallel), step.run("q", () => 1)]);
    await step.ai.wrap("wrap", async (_: object) => ({ text: M.wrapOutput }), { prompt: M.wrapInput });
    return { output: M.functionOutput };
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
      step.run("aggregate", () => {
        throw new AggregateError([new Error(M.stepAggregate)], "several", {
          cause: new Error(M.stepAggregate),
        });
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
      if (later !== undefined) defer("defer", { function: later, data: { text: M.deferInput } });
      await step.invoke("child", {
        function: child,
        data: { encrypted: M.invokePayload, plain: M.invokePlain },
      });
      await attempt(() => step.invoke("bad child", { function: badChild }));
      await step.sendSignal("signal", { signal: M.signalName, data: { text: M.stepSignal } });
      await step.realtime.publish("publish", TOPIC, { text: M.stepRealtime });
      await step.run("metadata", () => inngest.metadata.update({ note: M.stepMetadata }, M.metadataKind));
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
    await step.waitForSignal("a", { signal: M.signalName, timeout: "1d", onConflict: "replace" });
    await step.waitForSignal("b", { signal: "from the client", timeout: "1d", onConflict: "replace" });
    const condition = `async.data.plain != '${M.expression}'`;
    const event = await step.waitForEvent("c", { event: "leak/last", timeout: "1d", if: condition });
    return { got: event?.data.encrypted, output: M.waitOutput };
  });

  const names = inngest.createFunction({ id: M.functionId, triggers: go }, async ({ step, group }) => {
    await step.run(M.stepId, () => 1);
    if (SDK.scores) await (step as unknown as Extras).score("score", { name: M.scoreName, value: 1 });
    if (SDK.experiments)
      await group.experiment(M.experimentName, {
        variants: { [M.variant]: () => step.run("variant", () => M.experimentOutput) },
        select: experiment.fixed(M.variant),
      });
  });

  /** What cannot be sealed. With stepseal each fails where it is called. */
  const open = inngest.createFunction({ id: "open", retries: 0, triggers: go }, async ({ step }) => {
    const user = { email: M.stepUser };
    await attempt(() => step.sendEvent("user", { name: "leak/user", data: {}, user } as never));
    await attempt(() =>
      (step as unknown as Extras).ai.infer("ask", { model: MODEL, body: { prompt: M.inferPrompt } }),
    );
    await attempt(() =>
      sdkFetch(`https://shop.test/${M.fetchUrl}`, {
        method: "POST",
        headers: { "x-own": M.fetchHeader },
        body: M.fetchBody,
      }),
    );
    await attempt(() =>
      (step as unknown as Extras).fetch(`https://shop.test/${M.stepFetchUrl}`, {
        method: "POST",
        headers: { "x-own": M.stepFetchHeader },
        body: M.stepFetchBody,
      }),
    );
    if (!SDK.sandboxes) return;
    await step.run("sandbox", () =>
      attempt(() =>
        inngest.sandboxes.create({ name: "box", vcpu: 1, memoryMb: 512, environment: { TOKEN: M.sandbox } }),
      ),
    );
  });

  const streams = !SDK.streams
    ? []
    : [
        inngest.createFunction({ id: "streams", retries: 0, triggers: go }, async () => {
          await attempt(async () => stream.push(M.stream));
        }),
      ];

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
    ...(later === undefined ? [] : [later]),
    waiter,
    names,
    open,
    ...streams,
    ...falsy,
    failing("fails", () => new Error(M.functionError, { cause: new TypeError(M.functionCause) })),
    failing("fails-with-string", () => M.functionString),
    failing("fails-at-once", () => Object.assign(new Error(M.functionFinal), { name: "NonRetriableError" })),
  ];
}

/** Sends what starts the app, and what its functions wait for. */
export async function play(inngest: Inngest, engine: TestEngine): Promise<void> {
  await inngest.send({
    name: "leak/go",
    data: { plain: M.plainField, encrypted: { card: M.clientEvent, [M.eventKey]: true } },
  });
  await engine.idle();
  await engine.advance("1h");
  await inngest.sendSignal({ signal: "from the client", data: { text: M.clientSignal } });
  await inngest.realtime.publish(TOPIC, { text: M.clientRealtime });
  await attempt(() => inngest.send({ name: M.eventName, data: {} }));
  const meta = { sessions: { session: M.eventMeta } };
  await attempt(() => inngest.send({ name: "leak/meta", data: {}, meta } as never));
  await attempt(() => inngest.send({ name: "leak/user", data: {}, user: { email: M.clientUser } } as never));
  await engine.idle();
  await inngest.send({ name: "leak/last", data: { encrypted: M.waitedEvent } });
  await engine.advance("2h");
}

/** Asks a durable endpoint of the app, which ends later than its first request. Its client needs an adapter for such. */
export async function playEndpoint(inngest: Inngest, engine: TestEngine): Promise<void> {
  const endpoint = inngest.endpoint(async () => {
    await currentStep.run("endpoint", () => M.endpointStep);
    await currentStep.sleep("nap", "1h");
    return new Response(M.endpointAnswer);
  }) as (request: Request) => Promise<Response>;
  engine.endpoint(endpoint);
  const headers = { host: "shop.test" };
  await endpoint(new Request(`http://shop.test/?q=${M.endpointRequest}`, { method: "POST", headers }));
  await engine.advance("2h");
}

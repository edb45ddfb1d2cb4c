import { Client as QstashClient } from "@upstash/qstash";
import { StepTypes, type WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { contentOf } from "../../../src/adapters/upstash/steps.ts";
import { createApp, fromBase64, type Workflows } from "./harness.ts";

// What the adapter takes for granted of the SDK. When a new version breaks something, start here.

interface Inside {
  readonly executor: { readonly stepCount: number };
  addStep: (step: { stepType: string; parseOut: (found: object) => unknown }) => Promise<unknown>;
}

afterEach(() => void vi.unstubAllGlobals());

/** Runs a workflow on the SDK alone. */
async function run(workflows: Workflows, body?: unknown) {
  const app = await createApp(workflows, { seal: null });
  const id = await app.trigger(Object.keys(workflows)[0] as string, body, { retries: 0 });
  await app.qstash.idle();
  return { ...app, id };
}

describe("the SDK", () => {
  it("adds each step through context.addStep, and has counted it when that returns", async () => {
    const counts: unknown[] = [];
    const { qstash, id } = await run({
      main: createWorkflow(async (context) => {
        const inside = context as unknown as Inside;
        const addStep = inside.addStep.bind(context);
        inside.addStep = (step) => {
          const before = inside.executor.stepCount;
          const result = addStep(step);
          counts.push([step.stepType, typeof step.parseOut, inside.executor.stepCount - before]);
          return result;
        };
        await context.run("one", () => 1);
        await Promise.all([context.sleep("two", 0), context.run("three", () => 3)]);
      }),
    });
    expect(qstash.run(id).state).toBe("RUN_SUCCESS");
    // The first time, in the rehearsal that looks for a step, nothing is counted.
    expect(counts[0]).toEqual(["Run", "function", 0]);
    expect(new Set(counts.slice(-3).map((count) => JSON.stringify(count)))).toEqual(
      new Set(['["Run","function",1]', '["SleepFor","function",1]']),
    );
  });

  it("reads a result where the step asks for it, through parseOut, synchronously", async () => {
    const found: unknown[] = [];
    await run({
      main: createWorkflow(async (context) => {
        const inside = context as unknown as Inside;
        const addStep = inside.addStep.bind(context);
        inside.addStep = (step) => {
          const parseOut = step.parseOut.bind(step);
          step.parseOut = (given) => {
            const value = parseOut(given);
            found.push([given, value]);
            return value;
          };
          return addStep(step);
        };
        await context.run("one", () => ({ a: 1 }));
        await context.run("two", () => 2);
      }),
    });
    expect(found[0]).toEqual([
      expect.objectContaining({ stepId: 1, stepName: "one", out: '{"a":1}' }),
      { a: 1 },
    ]);
  });

  it("keeps the first of two entries for one step", async () => {
    const saw: unknown[] = [];
    const app = await createApp(
      {
        main: createWorkflow(async (context) => {
          saw.push(await context.run("one", () => "first"));
          await context.sleep("two", 0);
        }),
      },
      {
        seal: null,
        onDeliver: (delivery) => {
          const entries = delivery.body.startsWith("[") ? JSON.parse(delivery.body) : [];
          if (entries.length !== 2) return;
          const step = { ...JSON.parse(fromBase64(entries[1].body)), out: '"second"' };
          const again = { ...entries[1], body: Buffer.from(JSON.stringify(step)).toString("base64") };
          const after = { stepId: 2, stepName: "two", stepType: "SleepFor", concurrent: 1 };
          const last = { ...entries[1], body: Buffer.from(JSON.stringify(after)).toString("base64") };
          delivery.body = JSON.stringify([...entries, again, last]);
        },
      },
    );
    await app.trigger("main");
    await app.qstash.idle();
    expect(new Set(saw)).toEqual(new Set(["first"]));
  });

  it("has the types of steps that the adapter knows, and the one that it makes itself of the payload", () => {
    const settings = { thirdPartyCalls: "allow", webhooks: "allow" } as const;
    for (const type of StepTypes) {
      if (type === "Initial") expect(() => contentOf(type, settings)).toThrow("not known");
      else expect(contentOf(type, settings)).toBeTypeOf("string");
    }
  });

  it("sends nothing past http.request of its client", async () => {
    const { fetch } = globalThis;
    const sent: string[] = [];
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      sent.push(`${init.method} ${new URL(url).pathname}`);
      return fetch(url, init);
    });
    const request = vi.spyOn(QstashClient.prototype as never as { batch: () => unknown }, "batch");
    const child = createWorkflow(async (context: WorkflowContext<string>) => context.run("c", () => 1));
    const { qstash, client } = await run({
      main: createWorkflow(async (context) => {
        await context.run("one", () => 1);
        await Promise.all([context.run("two", () => 2), context.sleep("three", 0)]);
        await context.notify("four", "nobody", "x");
        await context.invoke("five", { workflow: child, body: "x" });
        await context.waitForEvent("six", "told", { timeout: "1m" });
      }),
      child,
    });
    await client.notify({ eventId: "told", eventData: 1 });
    await qstash.idle();
    expect(request).toHaveBeenCalled();
    const { wire } = qstash;
    expect(
      wire
        .filter(({ channel }) => channel === "api")
        .map(({ method, url }) => `${method} ${new URL(url).pathname}`),
    ).toEqual(sent);
  });

  it("tells the platform of a failure in a body, with name, message and stack, and of success without data", async () => {
    const { qstash } = await run({
      main: createWorkflow(async (context) => {
        await context.run("one", () => 1);
        throw new RangeError("out of range");
      }),
    });
    const answers = qstash.wire.filter(({ channel }) => channel === "response");
    expect(Object.keys(JSON.parse(answers[0]?.body ?? ""))).toEqual(["workflowRunId", "finishCondition"]);
    expect(JSON.parse(answers.at(-1)?.body ?? "")).toEqual(
      // The failure callback has no failure function, which is a success.
      expect.objectContaining({ finishCondition: "failure-callback-undefined" }),
    );
    expect(Object.keys(JSON.parse(answers.at(-2)?.body ?? ""))).toEqual(["error", "message", "stack"]);
  });
});

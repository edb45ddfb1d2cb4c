import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { isSealed } from "stepseal";
import { describe, expect, it } from "vitest";
import { type App, createApp, KEY, OTHER_KEY, type Seal, type Workflows } from "./harness.ts";

const workflows = (): Workflows => {
  const child = createWorkflow(async (context: WorkflowContext<string>) => {
    await context.run("child", () => 1);
    return `answer to ${context.requestPayload}`;
  });
  return {
    child,
    main: createWorkflow(async (context: WorkflowContext<{ order: string }>) => {
      await context.run("charge", () => ({ charged: context.requestPayload.order }));
      await Promise.all([context.run("left", () => "l"), context.run("right", () => ["r"])]);
      await context.invoke("ask", { workflow: child, body: "question" });
      await context.waitForEvent("wait", "paid", { timeout: "1h" });
      return { done: true };
    }),
    fails: createWorkflow(
      async (context) => {
        await context.run("fine", () => "fine");
        await context.run("fails", () => {
          throw new Error("card declined");
        });
      },
      { failureFunction: ({ failResponse }) => `told of ${failResponse}` },
    ),
  };
};

async function ran(seal: Seal): Promise<App> {
  const app = await createApp(workflows(), { seal, now: Date.UTC(2030, 0, 1) });
  await app.trigger("main", { order: "order-1001" });
  await app.qstash.idle();
  await app.client.notify({ eventId: "paid", eventData: { by: "card" } });
  await app.qstash.idle();
  await app.trigger("fails", { order: "order-1002" }, { retries: 0 });
  await app.qstash.idle();
  return app;
}

/** What of a list is the same in any two runs: no ids, no times, no stack. */
function comparable(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, member) => {
      if (/id$|ids$|at$|time|headers?$|deadline|callerip|notbefore/i.test(name)) return undefined;
      if (typeof member !== "string") return member;
      return member
        .replaceAll(/\\*"stack\\*":\\*".*?[^\\]"/g, '"stack":""')
        .replaceAll(/wfr_[\w-]+|msg_[\w-]+/g, "id");
    }),
  );
}

describe("what a client lists", () => {
  it("are logs that are open, as without stepseal", async () => {
    const [without, sealed] = [await ran(null), await ran({})];
    const stored = await (
      await fetch(`${sealed.qstash.url}/v2/workflows/events`, {
        headers: { authorization: `Bearer ${sealed.qstash.token}` },
      })
    ).text();
    expect(stored).not.toContain("card declined");
    expect(stored).not.toContain("order-1001");
    const logs = comparable(await sealed.client.logs());
    expect(JSON.stringify(logs)).toContain("card declined");
    expect(logs).toEqual(comparable(await without.client.logs()));
  });

  it("are dead letters that are open, as without stepseal", async () => {
    const [without, sealed] = [await ran(null), await ran({})];
    const letters = comparable(await sealed.client.dlq.list());
    expect(JSON.stringify(letters)).toContain("card declined");
    expect(letters).toEqual(comparable(await without.client.dlq.list()));
  });

  it("stays sealed where its key is not there", async () => {
    const app = await ran({ key: KEY });
    app.deploy(workflows(), { key: OTHER_KEY });
    const { runs } = await app.client.logs();
    expect(JSON.stringify(runs)).not.toContain("order-1001");
    const { messages } = await app.client.dlq.list();
    expect(isSealed(JSON.parse(messages[0]?.responseBody ?? "null"))).toBe(true);
  });

  it("stays sealed where the platform moved it", async () => {
    const app = await ran({});
    const [first, second] = await Promise.all([
      app.client.logs(),
      ran({}).then(({ client }) => client.logs()),
    ]);
    expect(first.runs).toHaveLength(second.runs.length);
    const http = (app.client as unknown as { client: { http: object } }).client.http;
    const given = Object.getPrototypeOf(http) as {
      request: (
        request: object,
      ) => Promise<{ runs: { workflowUrl: string; workflowRunResponse?: string }[] }>;
    };
    const request = given.request.bind(given);
    given.request = async (asked) => {
      const answer = await request(asked);
      for (const run of answer.runs) run.workflowUrl = run.workflowUrl.replace("main", "fails");
      return answer;
    };
    const { runs } = await app.client.logs();
    expect(JSON.stringify(runs)).not.toContain("order-1001");
  });
});

import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import express, { type ErrorRequestHandler } from "express";
import { isSealed } from "stepseal";
import { createTestQstash, findPlaintext, type TestQstash } from "stepseal/testing";
import { secureWorkflow as forWorkers } from "stepseal/upstash/cloudflare";
import { secureWorkflow as forExpress } from "stepseal/upstash/express";
import { secureWorkflow as forHono } from "stepseal/upstash/hono";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import {
  type Deployed,
  ENTRIES,
  type Entry,
  inProcess,
  listening,
  type Routes,
  variables,
} from "./frameworks.ts";
import { ORIGIN, OTHER_KEY, secure_ } from "./harness.ts";

const MARKER = "planted-in-an-entry-0123456789";
/** A name that a URL has to encode. */
const NAME = "ship (é) to $& 100%";

beforeEach(() => {
  for (const method of ["error", "warn"] as const) vi.spyOn(console, method).mockImplementation(() => {});
  onTestFinished(() => void vi.restoreAllMocks());
});

type Secret = WorkflowContext<{ secret: string }>;

/** Workflows that carry the marker on each of their ways, and what they saw of it. */
function routes(saw: unknown[]): Routes {
  const ship = createWorkflow(async (context: Secret) => {
    await context.run("hand over", () => context.requestPayload.secret);
    return { shipped: context.requestPayload.secret };
  });
  return {
    pay: async (context) => {
      const receipt = await context.run("charge", () => ({ charged: context.requestPayload.secret }));
      await context.sleep("a minute", 60);
      const [left, right] = await Promise.all([
        context.run("left", () => `left ${receipt.charged}`),
        context.run("right", () => `right ${receipt.charged}`),
      ]);
      saw.push([left, right]);
      return { left, right };
    },
    many: {
      [NAME]: ship,
      order: createWorkflow(async (context: Secret) => {
        const { body } = await context.invoke("ship", { workflow: ship, body: context.requestPayload });
        saw.push(body);
        return body;
      }),
    },
  };
}

interface Running extends Deployed {
  readonly qstash: TestQstash;
  readonly saw: unknown[];
}

async function run(entry: Entry): Promise<Running> {
  const qstash = await createTestQstash();
  onTestFinished(() => qstash.close());
  const saw: unknown[] = [];
  const deployed = await entry.deploy(qstash, routes(saw));
  qstash.serve(ORIGIN, deployed.answer);
  return { ...deployed, qstash, saw };
}

/** Starts a run and lets it come to its end, which the platform must not be able to read. */
async function runs({ client, qstash }: Running, path: string): Promise<void> {
  const { workflowRunId } = await client.trigger({ url: ORIGIN + path, body: { secret: MARKER } });
  await qstash.advance("5m");
  const { state, result } = qstash.run(workflowRunId);
  expect([state, isSealed(JSON.parse(result ?? "null"))]).toEqual(["RUN_SUCCESS", true]);
}

describe.each(ENTRIES)("an app on $name", (entry) => {
  it("runs a workflow to its end, of which the platform can read nothing", async () => {
    const running = await run(entry);
    await runs(running, "/pay");
    expect(running.saw.at(-1)).toEqual([`left ${MARKER}`, `right ${MARKER}`]);
    expect(findPlaintext(running.qstash.wire, [MARKER])).toEqual([]);
  });

  it("runs one of many, by a name that has to be encoded, and invokes it", async () => {
    const running = await run(entry);
    await runs(running, `/workflows/${encodeURIComponent(NAME)}`);
    await runs(running, "/workflows/order?from=a-test");
    expect(running.saw.at(-1)).toEqual({ shipped: MARKER });
    expect(findPlaintext(running.qstash.wire, [MARKER])).toEqual([]);
  });

  it.each(["nobody", "toString"])("has no workflow %s, and says so", async (name) => {
    const { answer } = await run(entry);
    const request = new Request(`${ORIGIN}/workflows/${name}`, { method: "POST", body: "{}" });
    expect((await answer(request)).status).toBe(404);
  });

  it("refuses what nobody signed", async () => {
    const { answer, saw } = await run(entry);
    for (const path of ["/pay", "/workflows/order"]) {
      const request = new Request(ORIGIN + path, { method: "POST", body: `{"secret":"${MARKER}"}` });
      expect((await answer(request)).status).toBe(401);
    }
    expect(saw).toEqual([]);
  });
});

describe("on Express, after express.json()", () => {
  it("a workflow does not run, and the error says how to mount it", async () => {
    const errors: unknown[] = [];
    const { qstash, client, saw } = await run({
      name: "Express, after express.json()",
      async deploy(qstash, { pay }) {
        inProcess(variables(qstash));
        const secure = forExpress();
        const app = express();
        app.use(express.json());
        app.post("/pay", secure.serve(pay));
        const onError: ErrorRequestHandler = (error, _request, response, _next) => {
          errors.push(error);
          response.status(500).end();
        };
        app.use(onError);
        return { answer: await listening(app), client: secure.client() };
      },
    });
    await client.trigger({ url: `${ORIGIN}/pay`, body: { secret: MARKER }, retries: 0 });
    await qstash.idle();
    expect(errors[0]).toMatchObject({ code: "CONFIG", message: expect.stringContaining("express.raw") });
    expect(saw).toEqual([]);
    expect(findPlaintext(qstash.wire, [MARKER])).toEqual([]);
  });
});

describe("serveMany", () => {
  it("has no workflow for a name that cannot be decoded", async () => {
    const { qstash } = await run(ENTRIES[0] as Entry);
    const { POST } = secure_(qstash).serveMany(routes([]).many);
    const request = new Request(`${ORIGIN}/workflows/%E0%A4%A`, { method: "POST", body: "{}" });
    expect((await POST(request)).status).toBe(404);
  });

  it.each(["", "a/b"])("refuses %j as a name", async (name) => {
    const { qstash } = await run(ENTRIES[0] as Entry);
    expect(() => secure_(qstash).serveMany({ [name]: createWorkflow(async () => {}) })).toThrow(
      expect.objectContaining({ code: "CONFIG" }),
    );
  });
});

function post(): Request {
  return new Request(`${ORIGIN}/pay`, { method: "POST", body: "{}" });
}

/** Handlers that are called with bindings. */
const WITH_BINDINGS = [
  {
    name: "Hono",
    handlerOf: ({ pay }: Routes) => {
      const handler = forHono().serve(pay);
      return (raw: Request, env: object) => handler({ req: { raw }, env });
    },
  },
  { name: "Cloudflare", handlerOf: ({ pay }: Routes) => forWorkers().serve(pay).fetch },
];

describe.each(WITH_BINDINGS)("bindings of $name", ({ handlerOf }) => {
  it("say what is missing in them", async () => {
    const { qstash } = await run(ENTRIES[0] as Entry);
    const { STEPSEAL_KEY: _, ...env } = variables(qstash);
    const handler = handlerOf(routes([]));
    const answer = handler(post(), { ...env, UPSTASH_WORKFLOW_URL: "" });
    const message = expect.stringContaining("UPSTASH_WORKFLOW_URL");
    await expect(answer).rejects.toMatchObject({ code: "CONFIG", message });
  });

  it("are what the workflow finds in context.env", async () => {
    const { qstash } = await run(ENTRIES[0] as Entry);
    const env = { ...variables(qstash), SHOP: "the shop's" };
    const saw: unknown[] = [];
    const handler = handlerOf({
      many: {},
      pay: async (context) => {
        saw.push(context.env.SHOP);
        await context.run("step", () => 1);
      },
    });
    qstash.serve(ORIGIN, (request) => handler(request, env));
    await forWorkers()
      .client(env)
      .trigger({ url: `${ORIGIN}/pay` });
    await qstash.idle();
    expect(new Set(saw)).toEqual(new Set(["the shop's"]));
  });

  it("open with the key that is in them, and with no other", async () => {
    const { qstash } = await run(ENTRIES[0] as Entry);
    const env = variables(qstash);
    const saw: unknown[] = [];
    const handler = handlerOf(routes(saw));
    let bindings: object = { ...env, STEPSEAL_KEY: OTHER_KEY };
    qstash.serve(ORIGIN, (request) => handler(request, bindings));
    const client = forWorkers().client(env);
    const { workflowRunId } = await client.trigger({ url: `${ORIGIN}/pay`, body: { secret: MARKER } });
    await qstash.idle();
    expect([qstash.deliveries.at(-1)?.status, saw]).toEqual([503, []]);
    bindings = env;
    await qstash.advance("1h");
    expect(qstash.run(workflowRunId).state).toBe("RUN_SUCCESS");
  });

  it("come anew with each request, and a signature is still good once", async () => {
    const { qstash } = await run(ENTRIES[0] as Entry);
    const handler = handlerOf(routes([]));
    const statuses: number[] = [];
    qstash.serve(ORIGIN, async (request) => {
      const copies = [request.clone(), request.clone()];
      const answers = [];
      for (const copy of copies) answers.push(await handler(copy, variables(qstash)));
      statuses.push(...answers.map(({ status }) => status));
      return answers[0] as Response;
    });
    const client = forWorkers().client(variables(qstash));
    await client.trigger({ url: `${ORIGIN}/pay`, body: { secret: MARKER } });
    await qstash.idle();
    expect(statuses.slice(0, 2)).toEqual([200, 401]);
  });
});

import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { findPlaintext, type QstashDelivery } from "stepseal/testing";
import { describe, expect, it } from "vitest";
import { type App, BASE, createApp, fromBase64, type Seal, toBase64 } from "./harness.ts";

const MARKER = "planted-in-a-result-0123456789";

async function createOpen(
  seal: Seal,
  onDeliver: (delivery: QstashDelivery) => void = () => {},
): Promise<{ app: App; saw: unknown[] }> {
  const saw: unknown[] = [];
  const app = await createApp(
    {
      main: createWorkflow(async (context: WorkflowContext<{ order: string }>) => {
        saw.push(context.requestPayload);
        await context.run("step", () => MARKER);
        saw.push(await context.waitForEvent("wait", "paid", { timeout: "1h" }));
      }),
    },
    { seal, onDeliver },
  );
  return { app, saw };
}

/** How others start a run: through the platform's API, or as a client of the SDK without stepseal. */
const STARTS: [string, (app: App) => unknown][] = [
  [
    "published from outside",
    ({ qstash }) =>
      qstash.publish({ url: `${BASE}main`, body: { order: "1001" }, headers: { "Upstash-Retries": "0" } }),
  ],
  [
    "triggered by the SDK alone",
    async ({ qstash }) => {
      const { Client } = await import("@upstash/workflow");
      const client = new Client({ baseUrl: qstash.url, token: qstash.token, devMode: false });
      await client.trigger({ url: `${BASE}main`, body: { order: "1001" }, retries: 0 });
    },
  ],
];

describe("a payload that is not sealed", () => {
  it.each(STARTS)("starts nothing, %s", async (_, start) => {
    const { app, saw } = await createOpen({});
    await start(app);
    await app.qstash.idle();
    expect(saw).toEqual([]);
    const answers = app.qstash.wire.filter(
      ({ headers }) => headers["stepseal-error"] === "PLAINTEXT_REJECTED",
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([489]));
  });

  it.each(STARTS)("starts a run where the app says so, and the rest is sealed, %s", async (_, start) => {
    const { app, saw } = await createOpen({ plaintextTrigger: "accept" });
    await start(app);
    await app.qstash.idle();
    await app.client.notify({ eventId: "paid", eventData: { by: "card" } });
    await app.qstash.idle();
    expect(saw.at(-1)).toEqual({ eventData: { by: "card" }, timeout: false });
    expect(app.qstash.runs.map(({ state }) => state)).toEqual(["RUN_SUCCESS"]);
    expect(findPlaintext(app.qstash.wire, [MARKER])).toEqual([]);
  });

  it("tells its run from those that another payload started, all the same", async () => {
    let kept: string | undefined;
    const saw: unknown[] = [];
    const app = await createApp(
      {
        main: createWorkflow(async (context: WorkflowContext<{ order: string }>) => {
          const { order } = context.requestPayload;
          saw.push(await context.run("step", () => `result of ${order}`));
          await context.run("last", () => 1);
        }),
      },
      {
        seal: { plaintextTrigger: "accept" },
        onDeliver: (delivery) => {
          const entries = delivery.body.startsWith("[") ? JSON.parse(delivery.body) : [];
          if (entries.length !== 2) return;
          if (kept === undefined) kept = entries[1].body;
          else entries[1].body = kept;
          delivery.body = JSON.stringify(entries);
        },
      },
    );
    // Not past this endpoint, which would seal them: these payloads stay as they are.
    const { Client } = await import("@upstash/workflow");
    const client = new Client({ baseUrl: app.qstash.url, token: app.qstash.token, devMode: false });
    for (const order of ["theirs", "mine"]) {
      saw.length = 0;
      await client.trigger({ url: `${BASE}main`, body: { order }, retries: 0 });
      await app.qstash.idle();
    }
    expect(kept).toBeDefined();
    expect(saw).toEqual([]);
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["CONTEXT"]);
  });

  it("is sealed before the run begins, where it came past no client of the SDK", async () => {
    const { app } = await createOpen({ plaintextTrigger: "accept" });
    app.qstash.publish({ url: `${BASE}main`, body: { order: "planted-in-a-payload" } });
    await app.qstash.idle();
    expect(findPlaintext(app.qstash.wire, ["planted-in-a-payload"])).toEqual([]);
  });
});

describe("a sealed payload after white space", () => {
  it.each([" ", "\ufeff", "\r\n"])("is still a sealed one: %j", async (space) => {
    let spaced = 0;
    const { app, saw } = await createOpen({ plaintextTrigger: "accept" }, (delivery) => {
      const entries = delivery.body.startsWith("[") ? JSON.parse(delivery.body) : [];
      if (entries.length === 0) return;
      entries[0].body = toBase64(space + fromBase64(entries[0].body));
      delivery.body = JSON.stringify(entries);
      spaced += 1;
    });
    await app.trigger("main", { order: "1001" });
    await app.qstash.idle();
    expect(new Set(saw.map((payload) => JSON.stringify(payload)))).toEqual(new Set(['{"order":"1001"}']));
    expect(spaced).toBeGreaterThan(0);
  });
});

describe("a payload that is the text of a sealed one", () => {
  it("does not get the steps of the run that was started by it", async () => {
    const saw: unknown[] = [];
    const app = await createApp(
      {
        main: createWorkflow(async (context: WorkflowContext) => {
          saw.push(context.requestPayload);
          await context.run("step", () => MARKER);
        }),
      },
      {
        seal: { plaintextTrigger: "accept" },
        onDeliver: (delivery) => {
          if (delivery.kind !== "step") return;
          const entries = JSON.parse(delivery.body) as { body: string }[];
          const [payload] = entries;
          if (entries.length !== 2 || payload === undefined) return;
          const { data } = JSON.parse(fromBase64(payload.body)) as { data: string };
          payload.body = Buffer.from(data).toString("base64");
          delivery.body = JSON.stringify(entries);
        },
      },
    );
    await app.trigger("main", { order: "1001" }, { retries: 0 });
    await app.qstash.idle();
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["CONTEXT"]);
    expect(saw).not.toContainEqual(expect.stringContaining("ss1."));
  });
});

describe("an event that is not sealed", () => {
  it("is refused, and accepted from a sender that is named", async () => {
    const refusing = await createOpen({});
    await refusing.app.trigger("main", { order: "1" }, { retries: 0 });
    await refusing.app.qstash.idle();
    refusing.app.qstash.notify("paid", { by: "cash" });
    await refusing.app.qstash.idle();
    expect(refusing.app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["PLAINTEXT_REJECTED"]);
    expect(JSON.stringify(refusing.saw)).not.toContain("cash");

    const { app, saw } = await createOpen({ plaintextFrom: { events: ["paid"] } });
    await app.trigger("main", { order: "1" });
    await app.qstash.idle();
    app.qstash.notify("paid", { by: "cash" });
    await app.qstash.idle();
    expect(saw.at(-1)).toEqual({ eventData: { by: "cash" }, timeout: false });
  });

  it.each([undefined, null, ""])("may hold nothing, from a sender that is named: %j", async (out) => {
    const { app, saw } = await createOpen({ plaintextFrom: { events: ["paid"] } }, (delivery) => {
      const entries = delivery.body.startsWith("[") ? JSON.parse(delivery.body) : [];
      if (entries.length !== 3) return;
      const step = { ...JSON.parse(fromBase64(entries[2].body)), out };
      entries[2].body = Buffer.from(JSON.stringify(step)).toString("base64");
      delivery.body = JSON.stringify(entries);
    });
    await app.trigger("main", { order: "1" });
    await app.qstash.idle();
    app.qstash.notify("paid");
    await app.qstash.idle();
    expect(saw.at(-1)).toEqual({ eventData: undefined, timeout: false });
  });

  // What the platform may not do with the leave that it has: hand the envelope itself to the function.
  it.each([
    ["as the data of a time-out", (out: string) => ({ out, waitTimeout: true }), undefined],
    ["after white space", (out: string) => ({ out: toBase64(` ${fromBase64(out)}`) }), { by: "card" }],
    [
      "after a byte order mark",
      (out: string) => ({ out: toBase64(`\ufeff${fromBase64(out)}`) }),
      { by: "card" },
    ],
  ])("is not a sealed one %s", async (_, forge, eventData) => {
    let forged = 0;
    const { app, saw } = await createOpen({ plaintextFrom: { events: ["paid"] } }, (delivery) => {
      const entries = delivery.body.startsWith("[") ? JSON.parse(delivery.body) : [];
      if (entries.length !== 3) return;
      const step = JSON.parse(fromBase64(entries[2].body));
      entries[2].body = toBase64(JSON.stringify({ ...step, ...forge(step.out) }));
      delivery.body = JSON.stringify(entries);
      forged += 1;
    });
    await app.trigger("main", { order: "1" }, { retries: 0 });
    await app.qstash.idle();
    await app.client.notify({ eventId: "paid", eventData: { by: "card" } });
    await app.qstash.idle();
    expect(forged).toBe(1);
    const events = saw.filter((entry) => JSON.stringify(entry) !== '{"order":"1"}');
    expect(events).toEqual(eventData === undefined ? [] : [{ eventData, timeout: false }]);
  });

  it("is refused under another name than the one that may be plaintext", async () => {
    const { app, saw } = await createOpen({ plaintextFrom: { events: ["shipped"] } });
    await app.trigger("main", { order: "1" }, { retries: 0 });
    await app.qstash.idle();
    app.qstash.notify("paid", { by: "cash" });
    await app.qstash.idle();
    expect(app.qstash.dlq).toHaveLength(1);
    expect(JSON.stringify(saw)).not.toContain("cash");
  });

  it("is not one that was sealed for another name, whoever may send plaintext", async () => {
    const saw: unknown[] = [];
    const app = await createApp(
      {
        main: createWorkflow(async (context) => {
          saw.push(await context.waitForEvent("first", "shipped", { timeout: "1h" }));
          await context.waitForEvent("second", "paid", { timeout: "1h" });
          saw.push("done");
        }),
      },
      {
        seal: { plaintextFrom: { events: ["paid"] } },
        onDeliver: (delivery) => {
          const entries = delivery.body.startsWith("[") ? JSON.parse(delivery.body) : [];
          if (entries.length !== 3) return;
          const [, first, second] = entries.map(({ body }: { body: string }) => fromBase64(body));
          const step = { ...JSON.parse(second), out: JSON.parse(first).out };
          entries[2].body = Buffer.from(JSON.stringify(step)).toString("base64");
          delivery.body = JSON.stringify(entries);
        },
      },
    );
    await app.trigger("main", undefined, { retries: 0 });
    await app.qstash.idle();
    await app.client.notify({ eventId: "shipped", eventData: "a secret of shipping" });
    await app.qstash.idle();
    await app.client.notify({ eventId: "paid", eventData: { by: "card" } });
    await app.qstash.idle();
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["CONTEXT"]);
    expect(saw).not.toEqual([]);
    for (const event of saw) expect(event).toEqual({ eventData: "a secret of shipping", timeout: false });
  });
});

import { createKeyring, createSealer } from "stepseal";
import type { ExecutionRequest, Run, TestEngine } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { createApp, KEY, keyring, MODES } from "../adapters/inngest/harness.ts";
import { A, expectRefused, victim } from "./victim.ts";

const KID = createKeyring({ key: KEY }).primary;

type Edit = (body: ExecutionRequest, run: Run, engine: TestEngine) => void;

/** An app whose function shows its event; `edit` changes each request on its way, both copies of the event. */
async function read(
  checkpointing: boolean,
  edit: Edit,
  data: Record<string, unknown> = { encrypted: "card" },
) {
  const seen: unknown[] = [];
  const { engine, inngest } = await createApp(
    (inngest) => [
      inngest.createFunction({ id: "read", triggers: { event: "shop/pay" }, retries: 0 }, ({ event }) => {
        seen.push(event.data);
      }),
    ],
    {
      checkpointing,
      engineOptions: { onExecute: (body, { run }) => edit(body, run, engine) },
    },
  );
  await inngest.send({ name: "shop/other", data: { encrypted: "of another event" } });
  await inngest.send({ name: "shop/pay", data });
  await engine.idle();
  return { run: engine.runsOf("read")[0]!, seen };
}

/** Sets fields of the event's data, in both copies. */
const withData =
  (fields: (body: ExecutionRequest, engine: TestEngine) => Record<string, unknown>): Edit =>
  (body, _run, engine) => {
    const set = fields(body, engine);
    for (const event of [body.event, ...body.events]) event.data = { ...(event.data as object), ...set };
  };

const sealer = createSealer({ keyring: keyring() });
/** What the platform holds of a step: sealed under the app's own key. */
const stepResult = sealer.seal("result of a step", {
  kind: "step.output",
  fn: "app-read",
  run: "r",
  step: A,
  parent: new Uint8Array(32),
});

describe.each(MODES)("$name", ({ checkpointing }) => {
  test.each([
    { name: "a step's result", value: () => stepResult, code: "CONTEXT", kid: true },
    {
      name: "the same field of another event",
      value: (engine: TestEngine) => engine.events.find((e) => e.name === "shop/other")!.data.encrypted,
      code: "CONTEXT",
      kid: true,
    },
    {
      name: "another field of the event",
      value: () => sealer.seal("x", { kind: "event.field", event: "shop/pay", field: "ssn" }),
      code: "CONTEXT",
      kid: true,
    },
    { name: "a string", value: () => "forged", code: "PLAINTEXT_REJECTED" },
    { name: "null", value: () => null, code: "PLAINTEXT_REJECTED" },
    { name: "an object", value: () => ({ card: "forged" }), code: "PLAINTEXT_REJECTED" },
  ])("$name in a sealed event field is refused with $code", async ({ value, code, kid }) => {
    const edit = withData((_body, engine) => ({ encrypted: value(engine) }));
    const { run, seen } = await read(checkpointing, edit);
    expectRefused(run, seen, code, "shop/pay", "encrypted", ...(kid ? [KID] : []));
  });

  test("a sealed field that was left out is not there", async () => {
    const { run, seen } = await read(
      checkpointing,
      (body) => {
        for (const event of [body.event, ...body.events]) event.data = { n: 1 };
      },
      { n: 1, encrypted: "card" },
    );
    expect(run.status).toBe("completed");
    expect(seen).toEqual([{ n: 1 }]);
  });

  test("a step's result in a plain event field stays opaque", async () => {
    const { run, seen } = await read(
      checkpointing,
      withData(() => ({ note: stepResult })),
    );
    expect(run.status).toBe("completed");
    expect(seen).toEqual([{ encrypted: "card", note: stepResult }]);
  });

  test("another event's sealed field in a plain event field stays opaque", async () => {
    const stolen = sealer.seal("x", { kind: "event.field", event: "shop/other", field: "encrypted" });
    const { seen } = await read(
      checkpointing,
      withData(() => ({ note: stolen })),
    );
    expect(seen).toEqual([{ encrypted: "card", note: stolen }]);
  });

  test("an envelope of the user's own reaches the function as it was written", async () => {
    const own = { __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data: "ss1.0000000000000000.AAAA" };
    const data = {
      note: own,
      encrypted: { inner: own, list: [own] },
      foreign: { ...own, __STRATEGY__: "x" },
    };
    const { run, seen } = await read(checkpointing, () => {}, data);
    expect(run.status).toBe("completed");
    expect(seen).toEqual([data]);
  });

  test("an event that differs from the first of the list is refused", async () => {
    const { run, seen } = await read(checkpointing, (body) => {
      body.event = {
        ...body.event,
        data: { encrypted: sealer.seal("x", { kind: "event.field", event: "shop/pay", field: "encrypted" }) },
      };
    });
    expectRefused(run, seen, "CONTEXT", "events[0]");
  });

  test("a stored step is refused beside an event that was rewrapped", async () => {
    for (const rewrapped of [false, true]) {
      const seen: unknown[] = [];
      const { engine, inngest } = await createApp(
        (inngest) => [
          inngest.createFunction(
            { id: "read", triggers: { event: "shop/pay" }, retries: 0 },
            async ({ event, step }) => {
              await step.run("a", () => "a");
              await step.sleep("nap", "1h");
              seen.push(event.data.encrypted);
            },
          ),
        ],
        {
          checkpointing,
          engineOptions: {
            onExecute: (body, { run }) => {
              if (!rewrapped || run.steps.size === 0) return;
              for (const event of [body.event, ...body.events]) {
                const data = event.data as { encrypted: { data: string } };
                data.encrypted = sealer.seal("card", {
                  kind: "event.field",
                  event: "shop/pay",
                  field: "encrypted",
                }) as never;
              }
            },
          },
        },
      );
      await inngest.send({ name: "shop/pay", data: { encrypted: "card" } });
      await engine.advance("2h");
      const run = engine.runsOf("read")[0]!;
      expect({ status: run.status, seen }).toEqual(
        rewrapped ? { status: "failed", seen: [] } : { status: "completed", seen: ["card"] },
      );
    }
  });

  test("`__proto__` among the keys of an event changes no prototype", async () => {
    const fields = JSON.parse('{"__proto__":{"admin":true}}') as Record<string, unknown>;
    const { seen } = await read(checkpointing, (body) => {
      for (const event of [body.event, ...body.events]) {
        event.data = JSON.parse(
          JSON.stringify(event.data).replace("{", `${JSON.stringify(fields).slice(0, -1)},`),
        );
      }
    });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toHaveProperty("encrypted", "card");
    expect((seen[0] as { admin?: boolean }).admin).toBeUndefined();
  });

  test("one run's event with another run's steps is refused", async () => {
    const v = await victim({ checkpointing, orders: 2 });
    const [first, second] = v.runs;
    first!.events[0] = structuredClone(second!.events[0]!);
    v.engine.cancel(second!.id);
    v.engine.cancel(v.engine.runsOf("refund")[0]!.id);
    await v.engine.advance("1h");
    expectRefused(first, v.seen, "CONTEXT", "parent", A, KID);
  });
});

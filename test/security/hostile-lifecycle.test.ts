import type { Inngest } from "inngest";
import { describe, expect, test } from "vitest";
import { createApp, MODES } from "../adapters/inngest/harness.ts";
import { expectRefused, stored } from "./victim.ts";

type Work = Parameters<Inngest["createFunction"]>[1];

/** A function that ends, and one that hears of its end in an event that `edit` changes on its way. */
async function heard(
  end: "failed" | "finished" | "cancelled",
  work: Work,
  edit: (data: Record<string, unknown>) => void,
  checkpointing: boolean,
) {
  const seen: unknown[] = [];
  const { engine, inngest } = await createApp(
    (inngest) => [
      inngest.createFunction({ id: "work", retries: 0, triggers: { event: "go" } }, work),
      inngest.createFunction(
        { id: "listen", retries: 0, triggers: { event: `inngest/function.${end}` } },
        ({ event }) => {
          seen.push(event.data);
        },
      ),
    ],
    {
      checkpointing,
      engineOptions: {
        onExecute: (body, { run }) => {
          if (run.functionId !== "app-listen") return;
          for (const event of [body.event, ...body.events]) edit(event.data as Record<string, unknown>);
        },
      },
    },
  );
  await inngest.send({ name: "go", data: { encrypted: "card" } });
  await engine.idle();
  if (end === "cancelled") engine.cancel(engine.runsOf("work")[0]!.id);
  await engine.idle();
  return { run: engine.runsOf("listen")[0], seen };
}

// Events in which the platform tells of runs that ended, with their events, errors and results inside.
describe.each(MODES)("$name", ({ checkpointing }) => {
  test("the failure of another function given to onFailure is refused", async () => {
    const seen: unknown[] = [];
    let edited = 0;
    const { engine, inngest } = await createApp(
      (inngest) =>
        ["one", "two"].map((id) =>
          inngest.createFunction(
            {
              id,
              retries: 0,
              triggers: { event: `go/${id}` },
              onFailure: ({ error }: { error: Error }) => {
                seen.push(error.message);
              },
            },
            () => {
              throw new Error(`secret of ${id}`);
            },
          ),
        ),
      {
        checkpointing,
        engineOptions: {
          onExecute: (body, { run }) => {
            if (run.functionId !== "app-one-failure") return;
            const other = engine.events.find(
              (e) => e.name === "inngest/function.failed" && e.data.function_id === "app-two",
            );
            if (other === undefined) throw new Error("the other failure is missing");
            edited += 1;
            body.event = { ...other };
            body.events = [{ ...other }];
          },
        },
      },
    );
    await inngest.send([{ name: "go/two" }, { name: "go/one" }]);
    await engine.idle();
    expect(edited).toBe(1);
    expect(seen).toEqual(["secret of two"]);
    expect(stored(engine.runsOf("app-one-failure")[0])).toMatch(/CONTEXT.*failure of another function/);
  });

  test("results in two function.finished events cannot be swapped", async () => {
    const seen: unknown[] = [];
    const { engine, inngest } = await createApp(
      (inngest) => [
        inngest.createFunction(
          { id: "work", triggers: { event: "go" } },
          ({ event }) => `result ${event.data.n}`,
        ),
        inngest.createFunction(
          { id: "listen", retries: 0, triggers: { event: "inngest/function.finished" } },
          ({ event }) => {
            if (event.data.function_id === "app-work") seen.push((event.data as { result?: unknown }).result);
          },
        ),
      ],
      {
        checkpointing,
        engineOptions: {
          onExecute: (body, { run }) => {
            if (run.functionId !== "app-listen") return;
            const finished = engine.events.filter(
              (e) => e.name === "inngest/function.finished" && e.data.function_id === "app-work",
            );
            for (const event of [body.event, ...body.events]) {
              const data = event.data as Record<string, unknown>;
              const other = finished.find((e) => e.data.run_id !== data.run_id);
              if (data.function_id === "app-work") data.result = other!.data.result;
            }
          },
        },
      },
    );
    await inngest.send([
      { name: "go", data: { n: 1 } },
      { name: "go", data: { n: 2 } },
    ]);
    await engine.idle();
    expect(seen).toEqual([]);
    const listeners = engine.runsOf("listen").filter((run) => run.event.data.function_id === "app-work");
    expect(listeners).toHaveLength(2);
    for (const run of listeners) expect(stored(run)).toMatch(/CONTEXT.*run.*app-work/);
  });

  const tampered: [name: string, edit: (data: Record<string, unknown>) => void, says: string][] = [
    ["says nothing of the run it is about", (data) => delete data.run_id, "does not say whose run"],
    ["says nothing of the function it is about", (data) => delete data.function_id, "does not say whose run"],
    [
      "bears a made-up result beside the sealed error",
      (data) => Object.assign(data, { result: "forged" }),
      "its result",
    ],
    [
      "bears a made-up error in place of the result's",
      (data) => Object.assign(data, { result: { name: "Error", message: "forged" } }),
      "its result",
    ],
    ["bears another run's error", (data) => Object.assign(data, { run_id: "01X" }), "run"],
  ];
  test.each(tampered)("a failure that %s is refused", async (_name, edit, says) => {
    const fail = () => {
      throw new Error("the truth");
    };
    const { run, seen } = await heard("failed", fail, edit, checkpointing);
    expectRefused(run, seen, says);
  });

  const MADE_UP = { name: "Error", error: "Error", message: "the function timed out" };
  test.each([
    "forged",
    '{"paid":true}',
    JSON.stringify(MADE_UP),
    JSON.stringify({ error: { ...MADE_UP, paid: true } }),
    JSON.stringify({ error: { ...MADE_UP, name: "Declined" } }),
  ])(
    "beside an error of the platform's, the text %s made up in place of a result is refused",
    async (result) => {
      const edit = (data: Record<string, unknown>): void => {
        Object.assign(data, { result, error: MADE_UP });
      };
      const { run, seen } = await heard("finished", () => "honest", edit, checkpointing);
      expectRefused(run, seen, "PLAINTEXT_REJECTED", "its result");
    },
  );

  const asleep: Work = ({ step }) => step.sleep("nap", "1d");

  test("of a run that was cancelled, the event that started it is heard", async () => {
    const { seen } = await heard("cancelled", asleep, () => {}, checkpointing);
    const event = expect.objectContaining({ name: "go", data: { encrypted: "card" } });
    expect(seen).toEqual([expect.objectContaining({ function_id: "app-work", event, events: [event] })]);
  });

  const starting = (data: Record<string, unknown>) => [data.event, ...(data.events as unknown[])] as object[];
  const cancellations: [name: string, edit: (data: Record<string, unknown>) => void, says: string][] = [
    [
      "its event under another name",
      (data) => {
        for (const event of starting(data)) Object.assign(event, { name: "other" });
      },
      "another place",
    ],
    [
      "an event made up",
      (data) => {
        for (const event of starting(data)) Object.assign(event, { data: { encrypted: "forged" } });
      },
      "encrypted",
    ],
    ["a result", (data) => Object.assign(data, { result: { paid: true } }), "its result"],
  ];
  test.each(cancellations)("a cancellation that bears %s is refused", async (_name, edit, says) => {
    const { run, seen } = await heard("cancelled", asleep, edit, checkpointing);
    expectRefused(run, seen, says);
  });

  test.each([
    undefined,
    null,
    {},
    { message: "x" },
    { name: "Declined", error: "x" },
    "no error",
    ["no error"],
  ])("a result made up beside the error %j is refused", async (error) => {
    const edit = (data: Record<string, unknown>): void => {
      data.result = { forged: true };
      if (error !== undefined) data.error = error;
    };
    const { run, seen } = await heard("finished", () => "honest", edit, checkpointing);
    expectRefused(run, seen, "PLAINTEXT_REJECTED", /its (result|error)/, "app-work");
  });
});

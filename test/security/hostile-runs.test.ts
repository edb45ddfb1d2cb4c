import { createKeyring } from "stepseal";
import type { ExecutionRequest, Run, StoredStep } from "stepseal/testing";
import { describe, expect, test, vi } from "vitest";
import { hashStepId } from "../../src/testing/ids.ts";
import { createApp, KEY, MODES } from "../adapters/inngest/harness.ts";
import { A, expectRefused, stored, victim } from "./victim.ts";

const KID = createKeyring({ key: KEY }).primary;
const FIRST = hashStepId("first");
const SECOND = hashStepId("second");

/** A parent that invokes a child twice and then sleeps; two runs of it, asleep. */
async function parents(checkpointing: boolean) {
  const seen: unknown[] = [];
  const { engine, inngest } = await createApp(
    (inngest) => {
      const child = inngest.createFunction({ id: "child", triggers: [] }, ({ event }) => ({
        answer: `secret ${(event.data as { n?: unknown }).n}`,
      }));
      const parent = inngest.createFunction(
        { id: "parent", triggers: { event: "go" }, retries: 0 },
        async ({ event, step }) => {
          try {
            const { n } = event.data;
            const first = await step.invoke("first", { function: child, data: { n: `${n}-1` } });
            seen.push(first);
            const second = await step.invoke("second", { function: child, data: { n: `${n}-2` } });
            seen.push(second);
            await step.sleep("nap", "1h");
            return "done";
          } finally {
            seen.push("finally");
          }
        },
      );
      return [parent, child];
    },
    { checkpointing },
  );
  for (const n of [1, 2]) await inngest.send({ name: "go", data: { n, encrypted: `order ${n}` } });
  await engine.idle();
  seen.length = 0;
  return { engine, seen, runs: engine.runsOf("parent") };
}

describe.each(MODES)("$name", ({ checkpointing }) => {
  test("untouched, invocations return what their child returned", async () => {
    const { engine, seen } = await parents(checkpointing);
    await engine.advance("1h");
    expect(seen).toContainEqual({ answer: "secret 2-1" });
  });

  const invocations: [name: string, code: string, make: (runs: readonly Run[]) => StoredStep][] = [
    ["the other invocation's result", "CONTEXT", ([run]) => run!.steps.get(SECOND)!],
    ["the same invocation's result in another run", "CONTEXT", (runs) => runs[1]!.steps.get(FIRST)!],
    ["null", "PLAINTEXT_REJECTED", () => ({ data: null })],
    ["a bare null", "PLAINTEXT_REJECTED", () => null],
    ["plaintext", "PLAINTEXT_REJECTED", () => ({ data: { answer: "forged" } })],
    ["an event", "PLAINTEXT_REJECTED", () => ({ name: "x/y", data: { answer: "forged" } })],
  ];
  test.each(invocations)("%s given as the result of an invocation is refused", async (_name, code, make) => {
    const { engine, seen, runs } = await parents(checkpointing);
    runs[0]!.steps.set(FIRST, make(runs));
    engine.cancel(runs[1]!.id);
    await engine.advance("1h");
    expectRefused(runs[0], seen, code, FIRST);
  });

  test("a child's failure given as the result of another invocation is refused", async () => {
    const { engine, seen, runs } = await parents(checkpointing);
    const cause = runs[0]!.steps.get(SECOND)!.data;
    runs[0]!.steps.set(FIRST, { error: { name: "Error", message: "failed", cause } });
    engine.cancel(runs[1]!.id);
    await engine.advance("1h");
    expectRefused(runs[0], seen, "CONTEXT", FIRST, KID);
  });

  test("a sealed error given as a value, and another step's sealed error, are refused", async () => {
    const seen: unknown[] = [];
    const { engine, inngest } = await createApp(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ step }) => {
          for (const id of ["a", "b"]) {
            await step
              .run(id, () => {
                throw new Error(`secret ${id}`);
              })
              .catch((error: Error) => seen.push(error.message));
          }
          await step.sleep("nap", "1h");
        }),
      ],
      { checkpointing },
    );
    await inngest.send([
      { name: "go", data: { n: 1 } },
      { name: "go", data: { n: 2 } },
    ]);
    await engine.idle();
    expect(seen).toContain("secret a");
    seen.length = 0;
    const [asValue, asOther] = engine.runs;
    asValue!.steps.set(A, { data: asValue!.steps.get(A)!.error!.cause });
    asOther!.steps.set(A, asOther!.steps.get(hashStepId("b"))!);
    await engine.advance("1h");
    expectRefused(asValue, seen, "CONTEXT", A, KID);
    expectRefused(asOther, seen, "CONTEXT", A, KID);
  });

  test("an error without an envelope is taken for the platform's own", async () => {
    const v = await victim({ checkpointing });
    v.engine.cancel(v.engine.runsOf("refund")[0]!.id);
    v.runs[0]!.steps.set(A, { error: { name: "Error", message: "the step timed out" } });
    await v.engine.advance("1h");
    expect(v.seen).toMatchObject(["caught", { message: "the step timed out" }, "finally"]);
    expect(stored(v.runs[0])).not.toContain("timed out");
  });

  test.each(["__proxy__", ""])("a request that claims the run id %j opens nothing unchecked", async (id) => {
    let claims = false;
    const onExecute = (body: ExecutionRequest): void => {
      if (!claims) return;
      body.ctx.run_id = id;
      body.steps[A] = { data: { secret: "forged" } };
    };
    const v = await victim({ checkpointing, engineOptions: { onExecute } });
    claims = true;
    v.engine.cancel(v.engine.runsOf("refund")[0]!.id);
    await v.engine.advance("1h");
    expectRefused(v.runs[0], v.seen, "PLAINTEXT_REJECTED", A);
  });

  test("a request that claims the id of a run of another order, while that runs, is refused", async () => {
    const seen: string[] = [];
    let honest = "";
    const { engine, inngest } = await createApp(
      (inngest) => [
        inngest.createFunction(
          { id: "fn", triggers: { event: "go" }, retries: 0 },
          async ({ event, step }) => {
            seen.push(`start ${event.data.encrypted}`);
            if (event.data.encrypted === "one") await refused();
            return step.run("a", () => `secret ${event.data.encrypted}`);
          },
        ),
      ],
      {
        checkpointing,
        engineOptions: {
          concurrency: 2,
          onExecute: (body, { run }) => {
            if (honest === "") honest = run.id;
            if (run.id === honest) return;
            body.ctx.run_id = honest;
          },
        },
      },
    );
    const refused = (): Promise<void> =>
      vi.waitFor(() => expect(engine.runs[1]?.status).toBe("failed"), { timeout: 15_000 });
    await inngest.send([
      { name: "go", data: { encrypted: "one" } },
      { name: "go", data: { encrypted: "two" } },
    ]);
    await engine.idle();
    expect(seen).not.toContain("start two");
    const other = engine.runs.find((run) => run.id !== honest);
    expectRefused(other, [], "CONTEXT", "two requests at once", honest);
    expect(engine.run(honest).status).toBe("completed");
  });

  test("arguments made up for a step that has not run are refused", async () => {
    const given: unknown[] = [];
    const { engine, inngest } = await createApp(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ step }) => {
          await step.run("a", (amount: number) => given.push(amount), 5);
        }),
      ],
      {
        checkpointing,
        engineOptions: {
          onExecute: (body) => {
            body.steps[A] = { input: [1_000_000] };
          },
        },
      },
    );
    await inngest.send({ name: "go" });
    await engine.idle();
    expectRefused(engine.runs[0], given, "PLAINTEXT_REJECTED", A, "its input");
  });

  test("a forged result beside a step that has not run: neither is seen, and the other does not start", async () => {
    const seen: unknown[] = [];
    const { engine, inngest } = await createApp(
      (inngest) => [
        inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ step }) => {
          await step.sleep("nap", "1h");
          const forged = step
            .run("a", () => seen.push("a ran"))
            .then((a: unknown) => seen.push(a))
            .catch((error: unknown) => seen.push(error))
            .finally(() => seen.push("finally"));
          await Promise.race([forged, step.run("b", () => seen.push("b ran"))]);
          seen.push("end");
        }),
      ],
      { checkpointing, engineOptions: { requestTimeout: 5000 } },
    );
    await inngest.send({ name: "go" });
    await engine.idle();
    engine.runs[0]!.steps.set(A, { data: null });
    await engine.advance("1h");
    expectRefused(engine.runs[0], seen, "PLAINTEXT_REJECTED", A);
  });
});

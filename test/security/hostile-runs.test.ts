import { createKeyring } from "stepseal";
import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
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
    let started = (): void => {};
    const isRunning = new Promise<void>((resolve) => {
      started = resolve;
    });
    const { engine, inngest } = await createApp(
      (inngest) => [
        inngest.createFunction(
          { id: "fn", triggers: { event: "go" }, retries: 0 },
          async ({ event, step }) => {
            seen.push(`start ${event.data.encrypted}`);
            started();
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
        around: (handler) => async (request) => {
          if (request.method === "POST" && request.headers.get("x-run-id") !== honest) await isRunning;
          return handler(request);
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

  describe("arguments that were sealed for a step", () => {
    /** Runs of two orders, ended; then one of the first again, given `input` as that of its first step. */
    async function rerun(
      input: (of: (order: 1 | 2, step: string) => unknown, run: Run) => unknown,
      seal: EncryptionMiddlewareOptions = {},
    ) {
      const given: unknown[] = [];
      const { engine, inngest } = await createApp(
        (client) => [
          client.createFunction(
            { id: "fn", triggers: { event: "go" }, retries: 0 },
            async ({ event, step }) => {
              const { encrypted: n } = event.data;
              await step.run("a", (order: string) => given.push(order), `a of ${n}`);
              await step.run("b", (order: string) => given.push(order), `b of ${n}`);
            },
          ),
        ],
        { checkpointing, seal },
      );
      await inngest.send([1, 2].map((n) => ({ name: "go", data: { encrypted: n } })));
      await engine.idle();
      const runs = [...engine.runs] as [Run, Run];
      /** As it left with the op of its step. */
      const sealedInput = (order: 1 | 2, step: string): unknown => {
        const ops = engine.wire
          .filter(({ runId, body }) => runId === runs[order - 1]!.id && body.includes('"opts"'))
          .flatMap(({ body }) => {
            const parsed = JSON.parse(body) as { steps?: object[] } | object[];
            return (Array.isArray(parsed) ? parsed : parsed.steps) as {
              id: string;
              opts?: { input?: unknown };
            }[];
          });
        return ops.find(({ id, opts }) => id === hashStepId(step) && opts?.input !== undefined)!.opts!.input;
      };
      const [run] = runs;
      const again = engine.rerun(run.id, { fromStep: "a", input: input(sealedInput, run) as unknown[] });
      given.length = 0;
      await engine.idle();
      return { run: again, given };
    }

    test("and given back to it are those of the function", async () => {
      const { run, given } = await rerun((of) => of(1, "a"));
      expect(run.status).toBe("completed");
      expect(given).toEqual(["a of 1", "b of 1"]);
    });

    const others: [name: string, input: Parameters<typeof rerun>[0]][] = [
      ["another step of the run", (of) => of(1, "b")],
      ["the same step of another run", (of) => of(2, "a")],
      ["no step: a result", (_of, run) => run.steps.get(A)!.data],
      ["no step: a field of the event", (_of, run) => run.event.data.encrypted],
    ];
    test.each(others)(
      "and belong to %s are refused, also where edited ones are not",
      async (_name, input) => {
        for (const seal of [{}, { plaintextFrom: { editedInputs: true } }]) {
          const { run, given } = await rerun(input, seal);
          expectRefused(run, given, "CONTEXT", A);
        }
      },
    );
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

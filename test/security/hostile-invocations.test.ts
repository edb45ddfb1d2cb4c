import { Middleware } from "inngest";
import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
import type { StoredError } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { hashStepId } from "../../src/testing/ids.ts";
import { createApp, MODES, SDK } from "../adapters/inngest/harness.ts";
import { A, B, expectRefused } from "./victim.ts";

const ASK = hashStepId("ask");

describe.each(MODES)("$name", ({ checkpointing }) => {
  /** Three functions that one event starts: two ask another function each under one step id, one has a step of that id. */
  async function asked(seal: EncryptionMiddlewareOptions = {}) {
    const seen: unknown[] = [];
    const { engine, inngest } = await createApp(
      (client) => {
        const balance = client.createFunction({ id: "balance", triggers: [] }, () => "balance 5");
        const approval = client.createFunction({ id: "approval", triggers: [] }, () => "approved");
        const refusal = client.createFunction({ id: "refusal", retries: 0, triggers: [] }, () => {
          throw new Error("refused");
        });
        const asking = (id: string, fn: typeof balance | typeof approval | typeof refusal) =>
          client.createFunction({ id, retries: 0, triggers: { event: "go" } }, async ({ step }) => {
            const got = await step.invoke("ask", { function: fn }).catch((error: Error) => error.message);
            await step.sleep("nap", "1h");
            seen.push([id, got]);
          });
        const own = client.createFunction(
          { id: "own", retries: 0, triggers: { event: "go" } },
          async ({ step }) => {
            const got = await step.run("ask", () => "own");
            await step.sleep("nap", "1h");
            seen.push(["own", got]);
          },
        );
        return [
          balance,
          approval,
          refusal,
          own,
          asking("one", balance),
          asking("two", approval),
          asking("three", refusal),
        ];
      },
      { checkpointing, seal, engineOptions: { requestTimeout: 5_000 } },
    );
    await inngest.send({ name: "go", data: { encrypted: 1 } });
    await engine.idle();
    const stateOf = (id: string) => engine.runsOf(id)[0]!.steps;
    return { engine, seen, stateOf };
  }

  test("untouched, each gets what it asked for", async () => {
    const { engine, seen } = await asked();
    await engine.advance("1h");
    expect(seen.sort()).toEqual([
      ["one", "balance 5"],
      ["own", "own"],
      ["three", "refused"],
      ["two", "approved"],
    ]);
  });

  test.each([
    ["one", "two"],
    ["two", "one"],
    ["one", "three"],
    ["own", "one"],
    ["own", "three"],
    ["one", "own"],
  ])(
    "%s, started by the same event, cannot be given what the step of the same id in %s got",
    async (victim, from) => {
      const bindings = (["trigger", "run", "function"] as const).map((runBinding) => ({ runBinding }));
      // Where plaintext is taken, calls without a token are, too: not in place of one that has a token.
      for (const seal of [...bindings, { plaintext: "warn" }, { plaintext: "accept" }] as const) {
        const { engine, seen, stateOf } = await asked(seal);
        stateOf(victim).set(ASK, stateOf(from).get(ASK)!);
        await engine.advance("1h");
        const told = seen.filter((each) => (each as unknown[])[0] === victim);
        expectRefused(engine.runsOf(victim)[0], told, "CONTEXT", ASK);
      }
    },
  );

  test("a step cannot be given what another step of its own run was invoked for", async () => {
    const seen: unknown[] = [];
    const { engine, inngest } = await createApp(
      (client) => {
        const child = client.createFunction({ id: "child", triggers: [] }, () => "of the child");
        const fn = client.createFunction(
          { id: "fn", retries: 0, triggers: { event: "go" } },
          async ({ step }) => {
            await step.invoke("ask", { function: child });
            const a = await step.run("a", () => "a");
            await step.sleep("nap", "1h");
            seen.push(a);
          },
        );
        return [fn, child];
      },
      { checkpointing, engineOptions: { requestTimeout: 5_000 } },
    );
    await inngest.send({ name: "go", data: { encrypted: 1 } });
    await engine.idle();
    const { steps } = engine.runsOf("fn")[0]!;
    steps.set(A, steps.get(ASK)!);
    await engine.advance("1h");
    expectRefused(engine.runsOf("fn")[0], seen, "CONTEXT", A);
  });

  // The platform keeps the failure of a run that has deferred something as that of a step of this name.
  test.each(["returned", "failed with"] as const)(
    'a step that is named "complete" cannot be given what a former run of its own function %s',
    async (how) => {
      const seen: unknown[] = [];
      const { engine, inngest } = await createApp(
        (client) => {
          const child = client.createFunction({ id: "child", triggers: [] }, () => "of the child");
          const fn = client.createFunction(
            { id: "fn", retries: 0, triggers: { event: "go" } },
            async ({ step }) => {
              const got = await step
                .invoke("complete", { function: child })
                .catch((error: Error) => error.message);
              await step.sleep("nap", "1h");
              seen.push(got);
              if (how === "failed with") throw new Error("of the run itself");
              return "of the run itself";
            },
          );
          return [fn, child];
        },
        { checkpointing, engineOptions: { requestTimeout: 5_000 } },
      );
      await inngest.send({ name: "go", data: { encrypted: 1 } });
      await engine.advance("2h");
      const [former] = engine.runsOf("fn");
      expect(seen.splice(0)).toEqual(["of the child"]);
      const again = engine.rerun(former!.id, { fromStep: "nap" });
      const ended = how === "returned" ? { data: former!.output } : { error: former!.error as StoredError };
      again.steps.set(hashStepId("complete"), ended);
      await engine.advance("2h");
      expectRefused(again, seen, "CONTEXT", hashStepId("complete"));
    },
  );

  test.each([
    { runBinding: "trigger", allowed: true },
    { runBinding: "run", allowed: false },
    { runBinding: "function", allowed: true },
  ] as const)(
    'a rerun takes what the first run was invoked for under runBinding "$runBinding": $allowed',
    async ({ runBinding, allowed }) => {
      const { engine, seen } = await asked({ runBinding });
      await engine.advance("1h");
      seen.length = 0;
      const again = engine.rerun(engine.runsOf("one")[0]!.id, { fromStep: "nap" });
      await engine.advance("2h");
      expect(again.status).toBe(allowed ? "completed" : "failed");
      expect(seen).toEqual(allowed ? [["one", "balance 5"]] : []);
    },
  );

  // The type of a step is first known when other middleware is done with it: where that gave it another id, under that.
  test.skipIf(!SDK.v4)("a forged step is noticed under the id that other middleware gave it", async () => {
    class Renaming extends Middleware.BaseMiddleware {
      override readonly id = "renaming";
      override transformStepInput(arg: Middleware.TransformStepInputArgs) {
        return { ...arg, stepOptions: { ...arg.stepOptions, id: `renamed ${arg.stepOptions.id}` } };
      }
    }
    const seen: unknown[] = [];
    const { engine, inngest } = await createApp(
      (client) => [
        client.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, async ({ step }) => {
          const a = await step.run("a", () => "a");
          // At once: user code must not go on with it until the run fails, either.
          if (a !== "a") seen.push(a);
          await step.sleep("nap", "1h");
        }),
      ],
      { checkpointing, middleware: [Renaming], engineOptions: { requestTimeout: 5_000 } },
    );
    await inngest.send({ name: "go" });
    await engine.idle();
    const renamed = hashStepId("renamed a");
    expect(engine.runs[0]!.steps.get(renamed)).toBeDefined();
    engine.runs[0]!.steps.set(renamed, { data: null });
    await engine.advance("1h");
    expectRefused(engine.runs[0], seen, "PLAINTEXT_REJECTED", renamed);
  });

  // The SDK shows a middleware no step while it is busy with another, in its older versions: for a few turns of the
  // microtask queue after each. A forged sibling must not be resolved in one of them.
  test.skipIf(!SDK.v4)(
    "a forged step is noticed however long other middleware takes over its sibling",
    async () => {
      for (let turns = 85; turns < 100; turns++) {
        class Slow extends Middleware.BaseMiddleware {
          override readonly id = "slow";
          override async wrapStep({ next }: Middleware.WrapStepArgs) {
            const result = await next();
            for (let turn = 0; turn < turns; turn++) await null;
            return result;
          }
        }
        const seen: unknown[] = [];
        const { engine, inngest } = await createApp(
          (client) => [
            client.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, async ({ step }) => {
              const both = await Promise.all([step.run("a", () => "a"), step.run("b", () => "b")]);
              await step.sleep("nap", "1h");
              seen.push(both);
            }),
          ],
          { checkpointing, middleware: [Slow], engineOptions: { requestTimeout: 5_000 } },
        );
        await inngest.send({ name: "go" });
        await engine.idle();
        engine.runs[0]!.steps.set(B, { data: null });
        await engine.advance("1h");
        expectRefused(engine.runs[0], seen, "PLAINTEXT_REJECTED", B);
      }
    },
  );
});

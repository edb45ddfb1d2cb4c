import { NonRetriableError } from "inngest";
import { createKeyring, createSealer } from "stepseal";
import { createTestEngine, type Run, type StoredStep } from "stepseal/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hashStepId } from "../../src/testing/ids.ts";
import { createApp, keyring, MODES, OTHER_KEY, SDK } from "../adapters/inngest/harness.ts";
import { A, B } from "./victim.ts";

// One step that does not open, or was made up, fails its run cleanly, however user code waits for it.

type Combine = (steps: Promise<unknown>[]) => Promise<unknown>;
const COMBINATORS: Record<string, Combine> = {
  "one after the other": async (steps) => {
    for (const step of steps) await step;
  },
  all: (steps) => Promise.all(steps),
  race: (steps) => Promise.race(steps),
  any: (steps) => Promise.any(steps),
  allSettled: (steps) => Promise.allSettled(steps),
};

const elsewhere = createSealer({ keyring: keyring() });
const unknown = createSealer({ keyring: createKeyring({ key: OTHER_KEY }) });
const claims = { kind: "step.output", fn: "app-fn", run: "01X", step: A } as const;

const FORGERIES: Record<string, (held: StoredStep, run: Run) => StoredStep> = {
  "null, which only its type gives away": () => ({ data: null }),
  "an event, which only its type gives away": () => ({ data: { name: "x", data: { paid: true } } }),
  "null, and its sibling's, too": (_held, run) => {
    run.steps.set(B, { data: null });
    return { data: null };
  },
  "plain data": () => ({ data: { paid: true } }),
  "an envelope of another run": () => ({ data: elsewhere.seal("a", claims) }),
  "an envelope under an unknown key": () => ({ data: unknown.seal("a", claims) }),
  "a result of its sibling": (_held, run) => run.steps.get(B)!,
  "its result given as an error": (held) => ({ error: { name: "Error", message: "no", cause: held!.data } }),
};

const STORE = Symbol.for("inngest:als");
const globals = globalThis as { [STORE]?: unknown };
/** What the SDK keeps on runtimes that have no AsyncLocalStorage. */
const NO_STORE = { getStore: () => undefined, run: (_: unknown, work: () => unknown) => work() };

describe.each([true, false])("AsyncLocalStorage: %s", (als) => {
  let before: unknown;
  beforeEach(() => {
    before = globals[STORE];
    const promise = Promise.resolve(NO_STORE);
    if (!als) globals[STORE] = SDK.v4 ? { promise, resolved: NO_STORE, isFallback: true } : promise;
  });
  afterEach(() => {
    globals[STORE] = before;
  });

  describe.each(MODES)("$name", ({ checkpointing }) => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    beforeEach(() => {
      unhandled.length = 0;
      process.on("unhandledRejection", note);
    });
    afterEach(() => {
      process.off("unhandledRejection", note);
    });

    /** Plays a run up to its sleep, or up to the retry after it, forges step "a", and lets the run go on. */
    async function play(
      combine: Combine,
      attempt: "first" | "later",
      forge: keyof typeof FORGERIES | undefined,
    ) {
      const seen: string[] = [];
      const say = (what: string) => () => seen.push(what);
      const engine = createTestEngine({ requestTimeout: 5_000 });
      let failures = attempt === "later" ? 1 : 0;
      const { inngest } = await createApp(
        (client) => [
          client.createFunction({ id: "fn", triggers: { event: "go" }, retries: 1 }, async ({ step }) => {
            try {
              const a = step.run("a", () => "a");
              a.then(say("a was seen"), say("a was caught")).finally(say("a's finally"));
              await combine([a, step.run("b", () => "b")]);
              say("went on")();
              await step.sleep("nap", "1h");
              if (failures-- > 0) throw new Error("once more");
              await step.run("after", say("after"));
            } catch (error) {
              say("caught")();
              throw error instanceof Error ? error : new NonRetriableError("not an error");
            } finally {
              say("finally")();
            }
          }),
        ],
        { checkpointing, engine },
      );
      await inngest.send({ name: "go", data: { encrypted: 1 } });
      await engine.idle();
      const [run] = engine.runs;
      if (attempt === "later") {
        await engine.advance("1h");
        expect(run!.attempts).toBe(2);
      }
      expect(run!.status).toBe("running");
      seen.length = 0;
      if (forge !== undefined) run!.steps.set(A, FORGERIES[forge]!(run!.steps.get(A)!, run!));
      await engine.advance("1d");
      // A rejection that nobody handles is reported after the microtasks.
      await new Promise((resolve) => setImmediate(resolve));
      return { run: run!, seen };
    }

    const combinators = Object.keys(COMBINATORS);
    test.each(combinators)("untouched, %s goes on", async (combinator) => {
      for (const attempt of ["first", "later"] as const) {
        const { run, seen } = await play(COMBINATORS[combinator]!, attempt, undefined);
        expect(run.status).toBe("completed");
        expect(seen).toContain("after");
        expect(unhandled).toEqual([]);
      }
    });

    describe.each(combinators)("%s", (combinator) => {
      test.each(Object.keys(FORGERIES))("%s: the run fails, and no user code runs on it", async (forge) => {
        for (const attempt of ["first", "later"] as const) {
          const { run, seen } = await play(COMBINATORS[combinator]!, attempt, forge);
          expect(run.status).toBe("failed");
          const { message } = run.error as { message: string };
          expect(message).toMatch(A);
          expect(message).not.toContain("paid");
          expect(seen).toEqual([]);
          expect(unhandled).toEqual([]);
        }
      });
    });

    test("another run of the same function is not disturbed", async () => {
      const seen: unknown[] = [];
      const { engine, inngest } = await createApp(
        (client) => [
          client.createFunction(
            { id: "fn", triggers: { event: "go" }, retries: 0 },
            async ({ event, step }) => {
              const a = await step.run("a", () => `a ${event.data.n}`);
              await step.sleep("nap", "1h");
              seen.push(a);
            },
          ),
        ],
        { checkpointing, engineOptions: { concurrency: 2, requestTimeout: 5_000 } },
      );
      await inngest.send([1, 2].map((n) => ({ name: "go", data: { n, encrypted: n } })));
      await engine.idle();
      engine.runs[0]!.steps.set(A, { data: null });
      await engine.advance("1h");
      expect(engine.runs.map((run) => run.status)).toEqual(["failed", "completed"]);
      expect(seen).toEqual(["a 2"]);
      expect(hashStepId("a")).toBe(A);
    });
  });
});

import { createDefer } from "inngest/experimental";
import { GO, playOnce, type Scenario, settle } from "./scenario.ts";

export const STEP_SCENARIOS: readonly Scenario[] = [
  {
    name: "steps one after the other, and a loop of steps with one id",
    build: (inngest, see) => [
      inngest.createFunction(
        { id: "fn", triggers: { event: "go" } },
        async ({ event, events, runId, step, attempt }) => {
          see("context", { event, events, runId, attempt });
          see("a", await step.run("a", () => ({ a: 1, undef: undefined })));
          for (let i = 0; i < 7; i++) see("again", await step.run("again", () => ({ i })));
          see("b", await step.run({ id: "b", name: "a name to show" }, async () => [event.data.encrypted]));
          return { done: true };
        },
      ),
    ],
  },
  {
    name: "steps in parallel: all, nested chains, race, group.parallel",
    build: (inngest, see) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step, group }) => {
        const work = (id: string) =>
          step.run(id, () => {
            see("started", id);
            return { id };
          });
        see("all", await Promise.all(["a", "b", "c"].map(work)));
        const chain = async (id: string) => {
          const first = await work(`${id}1`);
          await step.sleep(`${id} nap`, id === "x" ? "2m" : "1m");
          return [first, await work(`${id}2`)];
        };
        see("chains", await Promise.all([chain("x"), chain("y")]));
        see("race", await Promise.race([work("r1"), work("r2")]));
        see(
          "group race",
          await group.parallel({ mode: "race" }, () =>
            Promise.race([step.sleep("slow", "1h").then(() => "slow"), work("fast")]),
          ),
        );
        see("after", await work("after"));
      }),
    ],
  },
  {
    name: "sleeps, waits that are met and waits that time out",
    build: (inngest, see) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
        see("sleep", await step.sleep("nap", "1h"));
        see("sleepUntil", await step.sleepUntil("until", new Date(Date.UTC(2031, 0, 1, 2))));
        see("hit", await step.waitForEvent("hit", { event: "answer", timeout: "1d" }));
        see(
          "matched",
          await step.waitForEvent("matched", { event: "answer", timeout: "1d", match: "data.plain" }),
        );
        see("missed", await step.waitForEvent("missed", { event: "never", timeout: "10m" }));
        see(
          "in parallel",
          await Promise.all([
            step.waitForEvent("p1", { event: "never", timeout: "10m" }),
            step.waitForEvent("p2", { event: "answer", timeout: "1d" }),
          ]),
        );
      }),
    ],
    play: async ({ engine, inngest }) => {
      await inngest.send(GO);
      await engine.advance("3h");
      for (const encrypted of [{ by: "first" }, undefined, null]) {
        await inngest.send({ name: "answer", data: { plain: "open", encrypted } });
        await engine.advance("30m");
      }
      await inngest.send({ name: "answer", data: { plain: "open" } });
      await engine.advance("2d");
    },
  },
  {
    name: "invoke: result, undefined, no payload, a child that retries, a time-out",
    build: (inngest, see) => {
      let calls = 0;
      const child = inngest.createFunction(
        { id: "child", triggers: [], retries: 2 },
        async ({ event, events, step }) => {
          see("child's event", event);
          see("child's events", events);
          see("child's step", await step.run("s", () => ({ of: "child" })));
          calls += 1;
          if (calls === 2) throw new Error("once more");
          return calls === 1 ? { result: calls } : undefined;
        },
      );
      const slow = inngest.createFunction({ id: "slow", triggers: [] }, async ({ step }) => {
        await step.sleep("nap", "2d");
      });
      const parent = inngest.createFunction({ id: "parent", triggers: { event: "go" } }, async ({ step }) => {
        see("1", await step.invoke("1", { function: child, data: { encrypted: { a: 1 }, plain: 2 } }));
        see("2", await step.invoke("2", { function: child, data: { plain: 2 } }));
        see("3", await step.invoke("3", { function: child }));
        see("4", await step.invoke("4", { function: child, data: {} }));
        await settle(see, "5", () => step.invoke("5", { function: slow, timeout: "1h" }));
        see(
          "in parallel",
          await Promise.all([
            step.invoke("6", { function: child, data: { encrypted: [6] } }),
            step.invoke("7", { function: child, data: { encrypted: [7] } }),
          ]),
        );
      });
      return [parent, child, slow];
    },
  },
  {
    name: "signals, from a step and from the client",
    build: (inngest, see) => [
      inngest.createFunction({ id: "waiter", triggers: { event: "go" } }, async ({ step }) => {
        see("first", await step.waitForSignal("first", { signal: "s1", timeout: "1d" }));
        see("second", await step.waitForSignal("second", { signal: "s2", timeout: "1d" }));
        see("third", await step.waitForSignal("third", { signal: "s3", timeout: "1d" }));
        see("never", await step.waitForSignal("never", { signal: "s4", timeout: "1m" }));
      }),
      inngest.createFunction({ id: "sender", triggers: { event: "send" } }, async ({ step }) => {
        see("sent", await step.sendSignal("send", { signal: "s1", data: { n: 1, u: undefined } }));
      }),
    ],
    play: async ({ engine, inngest, see }) => {
      await inngest.send(GO);
      await engine.advance("1m");
      await inngest.send({ name: "send" });
      await engine.advance("1m");
      see("from the client", await inngest.sendSignal({ signal: "s2", data: "text" }));
      await engine.advance("1m");
      await settle(see, "without data", () => inngest.sendSignal({ signal: "s3" } as never));
      await engine.advance("3d");
    },
  },
  {
    name: "a step's input, and step.ai.wrap",
    build: (inngest, see) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
        const take = (...given: unknown[]) => {
          see("given", given);
          return given;
        };
        see("none", await step.run("none", take));
        see("several", await step.run("several", take, 1, { a: undefined }, null, undefined));
        see("wrapped", await step.ai.wrap("model", async (prompt: object) => take(prompt), { text: "hi" }));
        see(
          "in parallel",
          await Promise.all([step.run("p", take, "p"), step.ai.wrap("q", async (q: string) => take(q), "q")]),
        );
      }),
    ],
  },
  {
    name: "a rerun from a step, and from the start",
    build: (inngest, see) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ event, step }) => {
        see("event", event);
        see("a", await step.run("a", () => ({ kept: event.data.encrypted })));
        await settle(see, "bad", () =>
          step.run("bad", () => {
            throw new TypeError("kept too");
          }),
        );
        see("b", await step.run("b", (given: unknown) => ({ given }), "original"));
        return step.run("c", () => "c");
      }),
    ],
    play: async (world) => {
      await playOnce(world);
      const { engine } = world;
      const [first] = engine.runsOf("fn");
      engine.rerun(first!.id, { fromStep: "b" });
      await engine.advance("1d");
      engine.rerun(first!.id, { fromStep: "c" });
      await engine.advance("1d");
      engine.rerun(first!.id);
      await engine.advance("1d");
    },
  },
  {
    name: "a rerun with the input of a step edited, where plaintext is accepted",
    editedInput: true,
    build: (inngest, see) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ step }) => {
        see("a", await step.run("a", () => "kept"));
        see("b", await step.run("b", (given: unknown) => ({ given }), "original"));
      }),
    ],
    play: async (world) => {
      await playOnce(world);
      const [first] = world.engine.runsOf("fn");
      world.engine.rerun(first!.id, { fromStep: "b", input: [{ edited: true }] });
      await world.engine.advance("1d");
    },
  },
  {
    name: "a function that defers, fails, is tried again, and fails for good",
    needs: "defers",
    build: (inngest, see) => {
      const later = createDefer(inngest, { id: "later" }, async ({ event }) => see("deferred event", event));
      return [
        later,
        inngest.createFunction(
          {
            id: "fn",
            retries: 1,
            triggers: { event: "go" },
            onFailure: ({ error }: { error: unknown }) => see("onFailure", error),
          },
          async ({ defer, attempt, step }) => {
            defer("d", { function: later, data: { secret: "input" } });
            see("step", await step.run("a", () => 1));
            see("attempt", attempt);
            throw new RangeError("after a defer", { cause: new Error("why") });
          },
        ),
      ];
    },
  },
  {
    name: "deferred functions",
    needs: "defers",
    build: (inngest, see) => {
      const later = createDefer(inngest, { id: "later" }, async ({ event, step }) => {
        see("deferred event", event);
        see("deferred step", await step.run("s", () => 1));
      });
      const fn = inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ defer, step }) => {
        defer("keep", { function: later, data: { n: 1, nested: { u: undefined, a: [null] } } });
        const other = defer("drop", { function: later, data: { n: 2 } });
        await step.run("s", () => 1);
        other.abort();
        return "done";
      });
      return [fn, later];
    },
  },
];

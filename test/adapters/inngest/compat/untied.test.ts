import type { Middleware } from "inngest";
import { encryptionMiddleware } from "stepseal/inngest";
import { encryptionMiddleware as dropIn } from "stepseal/inngest/compat";
import type { Run } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { keyring, MODES } from "../harness.ts";
import { type Build, createFleet, type Fleet, officialMiddleware, PASSPHRASE } from "./fleet.ts";

// Calls of functions that the official middleware makes, or that are made for it to understand, carry no token where
// no field of their payload is sealed. What such a call gets is tied to no call.

const legacy = (rest: { read?: boolean | "bound"; write?: boolean } = {}): Middleware.Class =>
  encryptionMiddleware({ keyring: keyring(), legacy: { passphrases: [PASSPHRASE], ...rest } });

const PODS: Readonly<Record<string, Middleware.Class>> = {
  official: officialMiddleware({ key: PASSPHRASE }),
  "drop-in": dropIn({ key: PASSPHRASE }),
  ring: legacy({ write: true }),
  envelopes: legacy(),
  bound: legacy({ read: "bound" }),
  trial: legacy({ read: false }),
  done: encryptionMiddleware({ keyring: keyring() }),
};

const build: Build = (inngest, see) => {
  const child = inngest.createFunction({ id: "child", triggers: [], retries: 0 }, ({ event }) => {
    const { fail, n }: { fail?: boolean; n?: number } = event.data;
    if (fail === true) throw new RangeError("no such order");
    return { doubled: Number(n) * 2 };
  });
  const parent = inngest.createFunction(
    { id: "parent", triggers: { event: "go" }, retries: 0 },
    async ({ step }) => {
      const got = await step.invoke("call", { function: child, data: { n: 21 } });
      const failed = await step
        .invoke("failing call", { function: child, data: { fail: true } })
        .catch((error: Error) => (error.cause as Error | undefined)?.message ?? error.message);
      await step.sleep("nap", "1h");
      see("got", { got, failed });
    },
  );
  const listener = inngest.createFunction(
    { id: "listener", triggers: { event: "inngest/function.finished" }, retries: 0 },
    ({ event }) => {
      const { function_id, result } = event.data as { function_id: string; result?: unknown };
      if (function_id === "app-child") see("finished", result);
    },
  );
  return [parent, child, listener];
};

describe.each(MODES)("$name", ({ checkpointing }) => {
  /** The caller calls, the callee answers, and the last one goes on with what the caller got. */
  async function call(caller: string, callee: string, last: string): Promise<Fleet & { readonly run: Run }> {
    const fleet = await createFleet(build, PODS, { checkpointing });
    const start = fleet.engine.now;
    fleet.route((fn) => {
      if (fn === "app-child") return callee;
      if (fn === "app-listener") return last;
      return fleet.engine.now === start ? caller : last;
    });
    await fleet.pods.find(({ name }) => name === caller)!.inngest.send({ name: "go", data: {} });
    await fleet.engine.idle();
    await fleet.engine.advance("1h");
    return { ...fleet, run: fleet.engine.runsOf("parent")[0]! };
  }

  test.each([
    ["official", "drop-in", "drop-in"],
    ["official", "drop-in", "official"],
    ["drop-in", "official", "drop-in"],
    ["official", "ring", "ring"],
    ["drop-in", "ring", "drop-in"],
    ["ring", "ring", "envelopes"],
    ["ring", "ring", "bound"],
    ["ring", "envelopes", "envelopes"],
    ["envelopes", "ring", "envelopes"],
    ["envelopes", "envelopes", "bound"],
    ["envelopes", "bound", "done"],
    ["done", "done", "envelopes"],
  ])("called by %s, answered by %s, gone on with by %s: nothing is lost", async (caller, callee, last) => {
    const { run, seen } = await call(caller, callee, last);
    expect(run.status).toBe("completed");
    expect(seen.find(({ what }) => what === "got")?.value).toMatchObject({ got: { doubled: 42 } });
    if (last !== "official")
      expect(seen).toContainEqual({ pod: last, what: "finished", value: { doubled: 42 } });
  });

  test.each(["trial", "done"])(
    "a result that is tied to no call is refused at the stage %s",
    async (last) => {
      const { run, seen } = await call("ring", "envelopes", last);
      expect(run.status).toBe("failed");
      expect(JSON.stringify(run.error)).toContain("CONTEXT");
      expect(seen.filter(({ what }) => what === "got")).toEqual([]);
    },
  );

  test("one that is tied to a call cannot be moved to another, however much is read", async () => {
    for (const name of ["envelopes", "bound"]) {
      const fleet = await createFleet(build, { [name]: PODS[name]! }, { checkpointing });
      for (const _ of [1, 2]) await fleet.pods[0]!.inngest.send({ name: "go", data: {} });
      await fleet.engine.idle();
      const [one, two] = fleet.engine.runsOf("parent") as [Run, Run];
      const [id] = [...one.steps.keys()];
      one.steps.set(id!, two.steps.get(id!)!);
      fleet.engine.cancel(two.id);
      await fleet.engine.advance("1h");
      expect(one.status).toBe("failed");
      expect(JSON.stringify(one.error)).toContain("CONTEXT");
      expect(fleet.seen.filter(({ what }) => what === "got")).toEqual([]);
    }
  });
});

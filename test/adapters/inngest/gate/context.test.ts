import { describe, expect, it } from "vitest";
import { callerToken } from "../../../../src/adapters/chain.ts";
import {
  createRunRegistry,
  endpointContext,
  type RunContext,
  resultPlace,
  tokenOf,
} from "../../../../src/adapters/inngest/gate/context.ts";
import { triggerDigest } from "../../../../src/adapters/inngest/gate/trigger.ts";
import { codeOf } from "../../../code-of.ts";

const context = (change: Partial<RunContext> = {}): RunContext => ({
  ...{ fn: "app-order", run: "01RUN", trigger: new Uint8Array(32).fill(1), caller: undefined },
  ...change,
});

describe("the runs that are being executed", () => {
  it("hold a run until the last of its requests is done", () => {
    const runs = createRunRegistry();
    const first = context();
    runs.enter(first);
    runs.enter(context());
    runs.enter(context());
    for (const _ of [1, 2]) {
      runs.leave(context());
      expect(runs.get("01RUN")).toBe(first);
    }
    runs.leave(context());
    expect(runs.get("01RUN")).toBeUndefined();
  });

  it("hold each run by its id, and may be left by one that never entered", () => {
    const runs = createRunRegistry();
    runs.leave(context());
    const other = context({ run: "01OTHER", fn: "app-other" });
    runs.enter(context());
    runs.enter(other);
    runs.leave(context());
    expect([runs.get("01RUN"), runs.get("01OTHER")]).toEqual([undefined, other]);
  });

  it.each([
    ["function", { fn: "app-refund" }],
    ["triggering event", { trigger: new Uint8Array(32).fill(2) }],
  ])("take no second request with another %s for the same run, and keep the first", (_, change) => {
    const runs = createRunRegistry();
    runs.enter(context());
    expect(codeOf(() => runs.enter(context(change)))).toBe("CONTEXT");
    runs.leave(context());
    expect(runs.get("01RUN")).toBeUndefined();
    runs.enter(context(change));
    expect(runs.get("01RUN")).toEqual(context(change));
  });
});

describe("the token of a call", () => {
  const { fn, run, trigger } = context();

  it.each([
    ["trigger", { fn, step: "ask", trigger }],
    ["run", { fn, step: "ask", trigger, run }],
    ["function", { fn, step: "ask" }],
  ] as const)("is of what steps are bound to: %s", (runBinding, caller) => {
    expect(tokenOf(context(), "ask", { runBinding })).toEqual(callerToken(caller));
  });
});

describe("what a run returns is bound to", () => {
  const { fn, run, trigger } = context();
  const caller = new Uint8Array(32).fill(2);

  it("who called it, or what started it, or neither where the call had no token", () => {
    expect(resultPlace(context({ caller }))).toEqual({ fn, run, parent: caller });
    expect(resultPlace(context())).toEqual({ fn, run, parent: trigger });
    expect(resultPlace(context({ untied: true }))).toEqual({ fn, run });
  });
});

it("a durable endpoint is bound to its run alone", () => {
  expect(endpointContext("app", "01RUN")).toEqual({
    ...{ fn: "app", run: "01RUN", caller: undefined, endpoint: true },
    trigger: triggerDigest({ name: "inngest/http.request", id: "01RUN" }),
  });
});

import type { ApiRequest } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { MODES } from "../adapters/inngest/harness.ts";
import { A, expectRefused, type Victim, victim } from "./victim.ts";

// State that is too large for a request is not in it: the SDK asks the platform's API for it.

const json = (body: unknown): Response =>
  new Response(JSON.stringify(body), { status: 200, headers: { "content-type": "application/json" } });

/** What the platform answers to a call, if not the truth. */
type Lie = (call: { readonly part: "actions" | "batch"; readonly runId: string }, victim: Victim) => unknown;

describe.each(MODES)("$name", ({ checkpointing }) => {
  /** Two runs of "pay", asleep; the first one wakes, and the app is lied to where it asks for its state. */
  async function awake(lie: Lie = () => undefined) {
    let v: Victim | undefined;
    const asked: string[] = [];
    const intercept = ({ url }: ApiRequest): Response | undefined => {
      const [, runId, part] = /\/v0\/runs\/([^/]+)\/(actions|batch)$/.exec(url) ?? [];
      if (v === undefined || runId === undefined) return undefined;
      asked.push(part!);
      const lied = lie({ runId, part: part as "actions" | "batch" }, v);
      return lied === undefined || lied instanceof Response ? lied : json(lied);
    };
    v = await victim({ checkpointing, orders: 2, engineOptions: { stateLimitBytes: 1_500, intercept } });
    for (const other of [v.runs[1]!, ...v.engine.runsOf("refund")]) v.engine.cancel(other.id);
    await v.engine.advance("1h");
    return { ...v, asked, run: v.runs[0]! };
  }

  test("the honest state is opened", async () => {
    const { run, seen, asked } = await awake();
    expect(run.status).toBe("completed");
    expect([...new Set(asked)].sort()).toEqual(["actions", "batch"]);
    expect(seen).toContainEqual({ secret: "pay-a-1" });
    expect(seen).toContainEqual({ card: "card-1" });
  });

  const stateOf = ({ runs }: Victim, n: number) => Object.fromEntries(runs[n]!.steps);
  const lies: [name: string, lie: Lie, code: string][] = [
    [
      "plaintext in place of a result",
      ({ part }, v) =>
        part === "actions" ? { ...stateOf(v, 0), [A]: { data: { secret: "forged" } } } : undefined,
      "PLAINTEXT_REJECTED",
    ],
    [
      "null in place of a result, which only its type gives away",
      ({ part }, v) => (part === "actions" ? { ...stateOf(v, 0), [A]: { data: null } } : undefined),
      "PLAINTEXT_REJECTED",
    ],
    ["another run's state", ({ part }, v) => (part === "actions" ? stateOf(v, 1) : undefined), "CONTEXT"],
    ["another run's events", ({ part }, v) => (part === "batch" ? v.runs[1]!.events : undefined), "CONTEXT"],
    [
      "an event with plaintext",
      ({ part }, v) =>
        part === "batch" ? [{ ...v.runs[0]!.event, data: { n: 1, encrypted: "forged" } }] : undefined,
      "CONTEXT",
    ],
    ["no event", ({ part }) => (part === "batch" ? [] : undefined), "CONTEXT"],
  ];
  test.each(lies)("%s is refused", async (_name, lie, code) => {
    const { run, seen } = await awake(lie);
    expectRefused(run, seen, code);
  });

  test("where the API does not answer, the run fails as without stepseal, and no user code runs", async () => {
    const { run, seen } = await awake(() => new Response("{}", { status: 500 }));
    expectRefused(run, seen);
  });
});

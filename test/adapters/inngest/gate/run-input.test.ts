import { createSealer, StepsealError } from "stepseal";
import { type EncryptionMiddlewareOptions, isPlatformError } from "stepseal/inngest";
import { describe, expect, test } from "vitest";
import { endpointContext, type RunContext } from "../../../../src/adapters/inngest/gate/context.ts";
import type { WireEvent } from "../../../../src/adapters/inngest/gate/event.ts";
import {
  isEndpoint,
  openRun,
  openWithKeys,
  type RunInput,
} from "../../../../src/adapters/inngest/gate/run-input.ts";
import { triggerDigest } from "../../../../src/adapters/inngest/gate/trigger.ts";
import { sealWireError } from "../../../../src/adapters/inngest/gate/wire-error.ts";
import type { ValueSealer } from "../../../../src/value-sealer.ts";
import { codeOf } from "../../../code-of.ts";
import { keyring } from "../keys.ts";
import { RUN, scopeOf, sealer } from "./scope.ts";

const { seal } = createSealer({ keyring: keyring() });

const go = (value: unknown, id = "1"): WireEvent => ({
  name: "go",
  id,
  data: { encrypted: seal(value, { kind: "event.field", event: "go", field: "encrypted" }) },
});
const GO = go(1);
const TRIGGER = triggerDigest(GO);

/** What a run of the function comes with, of which a test changes something. */
const inputOf = (change: Partial<RunInput> = {}): RunInput => ({
  event: GO,
  events: [GO],
  runId: RUN.run,
  steps: {},
  ownId: RUN.fn,
  startNames: new Set(["go", "inngest/function.invoked"]),
  isFailureHandler: false,
  endpoint: false,
  ...change,
});

function open(change: Partial<RunInput> = {}, options: EncryptionMiddlewareOptions = {}) {
  const met: string[] = [];
  const contexts: RunContext[] = [];
  const opened = openRun(inputOf(change), {
    sealer,
    options: scopeOf(options).options,
    policy: { plaintext: (place) => void met.push(place) },
    clientId: "app",
    onContext: (context) => void contexts.push(context),
  });
  return { ...opened, met, contexts };
}

describe("a run", () => {
  test("is given its events, and has its place before they are opened and after", () => {
    const second = go(2, "2");
    const { event, events, failure, contexts, met } = open({ events: [GO, second] });
    expect([event, ...events].map(({ data }) => data)).toEqual([1, 1, 2].map((n) => ({ encrypted: n })));
    const context = { ...RUN, trigger: TRIGGER, caller: undefined };
    expect(contexts).toEqual([context, context]);
    expect([failure, met]).toEqual([undefined, []]);
  });

  test("knows who called it", () => {
    const parent = new Uint8Array(32).fill(3);
    const place = { kind: "invoke.field", fn: RUN.fn, field: "encrypted", parent } as const;
    const call = { name: "inngest/function.invoked", id: "1", data: { encrypted: seal(1, place) } };
    const { contexts } = open({ event: call, events: [call] });
    expect(contexts.map(({ caller }) => caller)).toEqual([undefined, parent]);
    expect(contexts[1]).not.toHaveProperty("untied");
  });

  test("called without a token is tied to none, where such calls are made", () => {
    const call = { name: "inngest/function.invoked", id: "1", data: { encrypted: 1 } };
    const run = { event: call, events: [call] };
    expect(open(run, { plaintext: "warn" }).contexts[1]).toMatchObject({ untied: true });
    expect(open(run).contexts[1]).not.toHaveProperty("untied");
  });

  test("has its steps opened for its own place", () => {
    const data = seal("a", { kind: "step.output", ...RUN, step: "x", parent: TRIGGER });
    const { steps, shapes } = open({ steps: { x: { type: "data", data }, y: { type: "data", data: null } } });
    expect(steps).toEqual({ x: { type: "data", data: "a" }, y: { type: "data", data: null } });
    expect([...shapes]).toEqual([["y", "null"]]);
    const moved = { y: { type: "data", data } } as const;
    expect(codeOf(() => open({ steps: moved }))).toBe("CONTEXT");
  });

  test.each([
    ["whose first event stands not in the list", { events: [go(1)] }],
    ["whose list begins with another", { events: [go(1, "2"), GO] }],
    ["without a list", { events: [] }],
    ["with an event by which it is not started", { startNames: new Set(["come"]) }],
    ["with one such event in the list", { events: [GO, { name: "come", data: {} }] }],
    ["with an event without a name", { event: { data: {} }, events: [{ data: {} }] }],
  ])("%s is refused", (_name, change) => {
    expect(codeOf(() => open(change))).toBe("CONTEXT");
  });
});

describe("a durable endpoint", () => {
  test("has its place by its run alone, whatever its events are", () => {
    const request = { name: "inngest/http.request", data: {} };
    const { contexts } = open({ event: {}, events: [request], endpoint: true });
    const context = endpointContext("app", RUN.run);
    expect(contexts).toEqual([context, { ...context, caller: undefined }]);
  });

  test("is a run of a request without triggers", () => {
    const request = { name: "inngest/http.request" };
    expect(isEndpoint([request], undefined)).toBe(true);
    expect(isEndpoint([{}, request], undefined)).toBe(true);
    expect(isEndpoint([request], [])).toBe(false);
    expect(isEndpoint([{ name: "go" }, request], undefined)).toBe(false);
    expect(isEndpoint([{}], undefined)).toBe(false);
    expect(isEndpoint([], undefined)).toBe(false);
  });
});

describe("a failure handler", () => {
  const ERROR = { __serialized: true, name: "Error", message: "card 4111", stack: "at card.ts" };
  const failed = (change: object = {}): Partial<RunInput> => {
    const error = sealWireError(ERROR, { kind: "fn.error", ...RUN, parent: TRIGGER }, sealer, "seal");
    const data = { function_id: RUN.fn, run_id: RUN.run, event: GO, events: [GO], error, ...change };
    const event = { name: "inngest/function.failed", id: "2", data };
    return { event, events: [event], isFailureHandler: true, runId: "01HANDLER" };
  };

  test("is a function of its own, and is given the error", () => {
    const { contexts, failure, met } = open(failed());
    expect(contexts[0]).toMatchObject({ fn: `${RUN.fn}-failure`, run: "01HANDLER" });
    expect(failure).toEqual({ error: ERROR, isPlatforms: false });
    expect(met).toEqual([]);
  });

  test.each([[{ message: "timed out" }], ["timed out"], [undefined]])(
    "is told where the error is the platform's own account, which may be refused: %o",
    (error) => {
      const { failure, met } = open(failed({ error }));
      expect(failure).toEqual({ error, isPlatforms: true });
      expect(isPlatformError(failure?.error)).toBe(typeof error === "object");
      expect(met.filter((place) => place.startsWith("the failure handler"))).toEqual([]);
      const strict = open(failed({ error }), { plaintextFrom: { platformErrors: false } });
      expect(strict.met).toContain(`the failure handler of "${RUN.fn}", its error`);
    },
  );

  test("is refused the failure of another function, an event that is none, and one of a run that it cannot have had", () => {
    expect(codeOf(() => open(failed({ function_id: "app-other" })))).toBe("CONTEXT");
    expect(codeOf(() => open({ isFailureHandler: true }))).toBe("CONTEXT");
    const come = { name: "come", id: "1", data: {} };
    expect(codeOf(() => open(failed({ event: come, events: [come] })))).toBe("CONTEXT");
  });
});

describe("a function that hears of runs that ended", () => {
  const listener = new Set(["inngest/function.finished", "inngest/function.invoked"]);
  const call = (data: object): Partial<RunInput> => {
    const event = { name: "inngest/function.invoked", id: "1", data };
    return { event, events: [event], startNames: listener };
  };

  test.each(["event", "events", "error", "result"])("is not told of them by a call: %s", (member) => {
    const place = `event "inngest/function.invoked" of a function that hears of runs that ended, member "${member}"`;
    // Once for the event, once for the list in which it stands again.
    expect(open(call({ [member]: {}, encrypted: undefined })).met).toContain(place);
    expect(open({ ...call({ [member]: {} }), startNames: new Set(["inngest/*"]) }).met).toContain(place);
  });

  test("is told of other things, and of members that have to be sealed", () => {
    expect(open(call({ card: 1 })).met).toEqual([]);
    const place = { kind: "invoke.field", fn: RUN.fn, field: "result" } as const;
    const sealed = call({ result: seal(1, { ...place, parent: new Uint8Array(32) }) });
    expect(open(sealed, { eventFields: ["result"] }).met).toEqual([]);
  });

  test("is one that is started by such an event, and no other", () => {
    const other = new Set(["go", "inngest/function.invoked"]);
    expect(open({ ...call({ result: 1 }), startNames: other }).met).toEqual([]);
    const told = { name: "go", id: "1", data: { result: 1 } };
    const names = new Set(["go", "inngest/function.finished"]);
    expect(open({ event: told, events: [told], startNames: names }).met).toEqual([]);
  });
});

describe("keys that are missing", () => {
  const { options } = scopeOf();
  const missing = new StepsealError("UNKNOWN_KEY", "key 0123");
  const newer: ValueSealer = { ...sealer };
  const openOnce = (failure: Error) => (given: ValueSealer) => {
    if (given === sealer) throw failure;
    return given;
  };
  const source = (refreshedSealer?: () => Promise<ValueSealer>) => ({
    ...options,
    sealer: () => sealer,
    ...(refreshedSealer !== undefined && { refreshedSealer }),
  });

  test("are asked for once more", async () => {
    expect(await openWithKeys(source(), [], (given) => given)).toBe(sealer);
    expect(
      await openWithKeys(
        source(async () => newer),
        [],
        openOnce(missing),
      ),
    ).toBe(newer);
  });

  test("and stay missing where there is nobody to ask, or nothing newer", async () => {
    await expect(openWithKeys(source(), [], openOnce(missing))).rejects.toBe(missing);
    await expect(
      openWithKeys(
        source(async () => sealer),
        [],
        openOnce(missing),
      ),
    ).rejects.toBe(missing);
  });

  test("are not what other failures are about", async () => {
    for (const failure of [new StepsealError("CONTEXT", "moved"), new Error("UNKNOWN_KEY")]) {
      await expect(
        openWithKeys(
          source(async () => newer),
          [],
          openOnce(failure),
        ),
      ).rejects.toBe(failure);
    }
  });

  test("do not keep a sealer from what it has to prepare", async () => {
    const prepared: unknown[] = [];
    const preparing: ValueSealer = { ...sealer, prepare: async (input) => void prepared.push(input) };
    await openWithKeys({ ...options, sealer: () => preparing }, [1, 2], () => {
      expect(prepared).toEqual([[1, 2]]);
    });
    expect(prepared).toHaveLength(1);
  });
});

import { isPlatformError } from "stepseal/inngest-v3";
import { describe, expect, test, vi } from "vitest";
import type { EncryptionMiddlewareOptions } from "../../../src/adapters/inngest/gate/options.ts";
import { resolveOptions } from "../../../src/adapters/inngest/gate/options.ts";
import { createPolicy } from "../../../src/adapters/inngest/gate/policy.ts";
import type { StepShape } from "../../../src/adapters/inngest/gate/steps.ts";
import { type ExecutionState, watchSteps } from "../../../src/adapters/inngest-v3/step-watch.ts";
import { keyring } from "../inngest/keys.ts";

// What is asked through the SDK in other files, asked of the watch itself.

interface Come {
  readonly id?: string;
  readonly op?: string;
  readonly shape?: StepShape;
  readonly name?: unknown;
  readonly opts?: unknown;
  readonly data?: unknown;
}

/** The state of an execution whose function comes to steps, each with what the state holds of it. */
function watched(options: EncryptionMiddlewareOptions = {}) {
  const shapes = new Map<string, StepShape>();
  const stepState: Record<string, { data?: unknown }> = {};
  const setCheckpoint = vi.fn<(checkpoint: { readonly type: string; readonly error: unknown }) => void>();
  const state = { steps: new Map(), stepState, setCheckpoint } as unknown as ExecutionState;
  const fail = watchSteps(state, {
    shapes,
    options: resolveOptions({ keyring: keyring(), ...options }),
    policy: createPolicy("reject", () => {}),
    recorded: (error) => ({ recorded: error }),
  });
  const handle = vi.fn(function (this: unknown) {
    return this !== undefined;
  });
  /** The function comes to a step; what the SDK's step is afterwards. */
  const come = ({ id = "a", op = "StepPlanned", shape, ...rest }: Come) => {
    const hashedId = `hash of ${id}`;
    if (shape !== undefined) shapes.set(hashedId, shape);
    if ("data" in rest) stepState[hashedId] = { data: rest.data };
    const step = { hashedId, id, op, handle, ...rest };
    state.steps.set(id, step);
    expect(state.steps.get(id)).toBe(step);
    return step;
  };
  /** The errors that the run was failed with. */
  const failed = () =>
    setCheckpoint.mock.calls.map(([{ type, error }]) => {
      expect(type).toBe("function-rejected");
      return (error as { readonly recorded: { code: string; message: string } }).recorded;
    });
  return { state, come, handle, fail, failed, stepState };
}

/** What the run is failed with when its function comes to one step; undefined where it goes on. */
function verdict(step: Come, options?: EncryptionMiddlewareOptions): string | undefined {
  const { come, failed, handle } = watched(options);
  const { handle: handed } = come(step);
  const [error] = failed();
  // It is handed over where the run goes on, and only there.
  expect(handed()).toBe(error === undefined);
  expect(handle).toHaveBeenCalledTimes(error === undefined ? 1 : 0);
  return error?.code;
}

describe("a step's state has to fit its type", () => {
  test.each<[op: string, allowed: readonly StepShape[]]>([
    ["Sleep", ["null", "error"]],
    ["WaitForEvent", ["null", "event", "error"]],
    ["WaitForSignal", ["null", "signal", "error"]],
    ["InvokeFunction", ["invoked", "error"]],
    ["AIGateway", ["error"]],
    ["Gateway", ["error"]],
    ["StepPlanned", ["error"]],
  ])("%s", (op, allowed) => {
    for (const shape of ["null", "event", "signal", "error", "other", "invoked", "ended"] as const) {
      const step = { op, shape, name: "answer", data: { name: "answer", data: {} } };
      const code = shape === "invoked" || shape === "ended" ? "CONTEXT" : "PLAINTEXT_REJECTED";
      expect(verdict(step), shape).toBe(allowed.includes(shape) ? undefined : code);
    }
  });

  test("that runs here is no type of the gateway's, nor has it a name of its own", () => {
    const allowPlaintext = ["ai-infer", "fetch"] as const;
    expect(verdict({ op: "AIGateway", shape: "other" }, { allowPlaintext })).toBeUndefined();
    expect(verdict({ op: "Gateway", shape: "other" }, { allowPlaintext })).toBeUndefined();
    expect(verdict({ shape: "other" }, { allowPlaintext })).toBe("PLAINTEXT_REJECTED");
  });

  test("which has no shape where it was sealed, or is not there yet", () => {
    expect(verdict({})).toBeUndefined();
    expect(verdict({ op: "Sleep" })).toBeUndefined();
  });

  test("is anything where a named function was called, and there alone", () => {
    const options = { plaintextFrom: { functions: ["app-plain"] } };
    const opts = { function_id: "app-plain" };
    expect(verdict({ op: "InvokeFunction", shape: "other", opts }, options)).toBeUndefined();
    expect(verdict({ op: "InvokeFunction", shape: "event", opts, data: {} }, options)).toBeUndefined();
    for (const other of [{ function_id: "app-other" }, {}, undefined]) {
      expect(verdict({ op: "InvokeFunction", shape: "other", opts: other }, options)).toBe(
        "PLAINTEXT_REJECTED",
      );
    }
    // A step's own options are its author's.
    expect(verdict({ shape: "other", opts }, options)).toBe("PLAINTEXT_REJECTED");
    expect(verdict({ op: "WaitForEvent", shape: "event", name: "answer", opts, data: {} }, options)).toBe(
      "CONTEXT",
    );
  });
});

describe("an event has to be the one waited for", () => {
  const wait = { op: "WaitForEvent", shape: "event", name: "answer" } as const;

  test("by name, or by the part before a star", () => {
    expect(verdict({ ...wait, data: { name: "answer" } })).toBeUndefined();
    expect(verdict({ ...wait, name: "ans*", data: { name: "answer" } })).toBeUndefined();
    for (const data of [{ name: "other" }, { name: 1 }, {}, null, undefined]) {
      expect(verdict({ ...wait, data })).toBe("CONTEXT");
    }
    expect(verdict({ op: "WaitForEvent", shape: "event", name: "answer" })).toBe("CONTEXT");
  });

  test("which is said with the step, its id and both names", () => {
    const { come, failed } = watched();
    come({ ...wait, data: { name: "other" } });
    expect(failed()[0]!.message).toBe(
      'step hash of a ("a") waited for the event "answer", and "other" stands in its place',
    );
  });

  test("but where time has run out there is none", () => {
    expect(verdict({ ...wait, shape: "null", data: null })).toBeUndefined();
  });
});

describe("once a run is failed", () => {
  test("it is failed once, with the first error, and nothing is handed over any more, of steps before either", () => {
    const { come, fail, failed, handle } = watched();
    const before = come({ id: "before" });
    expect(before.handle()).toBe(true);
    come({ id: "wrong", shape: "other" });
    come({ id: "wrong, too", shape: "invoked" });
    const good = come({ id: "good" });
    void fail(new Error("later") as never);
    expect(failed().map(({ code }) => code)).toEqual(["PLAINTEXT_REJECTED"]);
    handle.mockClear();
    expect([before.handle(), good.handle()]).toEqual([false, false]);
    expect(handle).not.toHaveBeenCalled();
  });

  test("by what is told from outside, which settles never", async () => {
    const { come, fail, failed } = watched();
    const settled = fail(Object.assign(new Error(), { code: "REFUSED" }) as never);
    expect(failed().map(({ code }) => code)).toEqual(["REFUSED"]);
    expect(come({}).handle()).toBe(false);
    await expect(Promise.race([settled, Promise.resolve("never")])).resolves.toBe("never");
  });
});

describe("the error of a step that the platform itself failed", () => {
  test("is marked as such when the SDK rejects the step with it, and no other is", () => {
    const { state, come } = watched();
    come({ id: "theirs", shape: "error" });
    come({ id: "ours" });
    come({ id: "slept", op: "Sleep", shape: "null" });
    const rejected = (stepId: string) => {
      const error = { stepId };
      state.recentlyRejectedStepError = error;
      expect(state.recentlyRejectedStepError).toBe(error);
      return isPlatformError(error);
    };
    expect(rejected("theirs")).toBe(true);
    expect(rejected("ours")).toBe(false);
    expect(rejected("slept")).toBe(false);
    state.recentlyRejectedStepError = undefined;
    expect(state.recentlyRejectedStepError).toBeUndefined();
  });

  test("is what it was before any is rejected", () => {
    const state = {
      steps: new Map(),
      stepState: {},
      setCheckpoint: () => {},
      recentlyRejectedStepError: "before",
    };
    watchSteps(state, {
      shapes: new Map(),
      options: resolveOptions({ keyring: keyring() }),
      policy: createPolicy("reject", () => {}),
      recorded: (error) => error,
    });
    expect(state.recentlyRejectedStepError).toBe("before");
  });
});

import { createKeyring, createSealer, isSealed, StepsealError } from "stepseal";
import { describe, expect, test } from "vitest";
import { Refusals } from "../../../src/adapters/inngest/gate/failure.ts";
import { resolveOptions } from "../../../src/adapters/inngest/gate/options.ts";
import { sdkJson } from "../../../src/adapters/inngest-v3/json.ts";
import { sealResult } from "../../../src/adapters/inngest-v3/result.ts";
import { envelopeSealer } from "../../../src/value-sealer.ts";
import { KEY } from "../inngest/harness.ts";

// What an execution of SDK v3 ends with, as no version so far does: a later one may.

const SECRET = "mk92-must-not-leave";
const keyring = createKeyring({ key: KEY });
const scope = {
  sealer: envelopeSealer(createSealer({ keyring })),
  options: resolveOptions({ keyring }),
  context: { fn: "app-fn", run: "01X", trigger: new Uint8Array(32), caller: undefined },
  refusals: new Refusals(),
};
/** What a result is refused with. */
function refusalOf(result: object, change: object = {}): StepsealError {
  try {
    sealResult(result as never, { ...scope, ...change });
  } catch (error) {
    if (error instanceof StepsealError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

const op = (members: object) => ({
  id: "x",
  op: "StepRun",
  displayName: "a",
  userland: { id: "a" },
  data: 1,
  ...members,
});

const unknown: [name: string, result: object, says: RegExp][] = [
  ["a type", { type: "function-teleported", data: SECRET }, /result of type "function-teleported".*unknown/],
  ["no type", { data: SECRET }, /result of type undefined.*unknown/],
  [
    "an op",
    { type: "step-ran", step: op({ op: "StepTeleported", data: SECRET }) },
    /op "StepTeleported".*unknown/,
  ],
  ["a member of an op", { type: "steps-found", steps: [op({ notes: SECRET })] }, /member "notes".*unknown/],
  [
    "a member of an op's options",
    { type: "step-ran", step: op({ opts: { notes: SECRET } }) },
    /member "opts\.notes"/,
  ],
  [
    "data where there is none",
    { type: "step-ran", step: op({ op: "Sleep", data: SECRET }) },
    /"Sleep".*carries data/,
  ],
  [
    "an error where there is none",
    { type: "step-ran", step: op({ error: { message: SECRET } }) },
    /carries an error/,
  ],
  ["an op that is a text", { type: "step-ran", step: SECRET }, /an op that is not an object/],
  ["steps that are no list", { type: "steps-found", steps: SECRET }, /steps that are no list/],
  ["no failure", { type: "function-rejected" }, /failure that is not an object/],
  [
    "a failure without JSON",
    { type: "function-rejected", error: () => SECRET },
    /failure that is not an object/,
  ],
  ["a failure that is a text", { type: "function-rejected", error: SECRET }, /failure that is not an object/],
  [
    "a member of a step that was not found",
    { type: "step-not-found", step: { id: "x" }, foundSteps: [{ id: "y", data: SECRET }] },
    /not found: member "data"/,
  ],
  [
    "found steps that are a text",
    { type: "step-not-found", step: { id: "x" }, foundSteps: SECRET },
    /not found: steps that are no list/,
  ],
];

test.each(unknown)(
  "%s that the gate does not know is refused, with an error that names it",
  (_name, result, says) => {
    const refusal = refusalOf(result);
    expect(refusal.code).toBe("REFUSED");
    expect(refusal.message).toMatch(says);
    expect(refusal.message).not.toContain(SECRET);
  },
);

test("nothing leaves of a run whose events were never seen", () => {
  const result = { type: "function-resolved", data: SECRET };
  expect(refusalOf(result, { context: undefined }).message).toMatch(/never seen/);
});

test.each([false, 0, "", null, undefined, () => 1])(
  "%s, which a function returned, leaves sealed",
  (data) => {
    const { data: sealed } = sealResult({ type: "function-resolved", data }, scope);
    expect(isSealed(sealed)).toBe(true);
  },
);

describe("what a getter throws is the failure of the run, which is tried again", () => {
  test.each([
    ["an error", new RangeError(SECRET), { name: "RangeError", message: SECRET, stack: expect.any(String) }],
    ["an error without a stack", Object.assign(new Error(SECRET), { stack: undefined }), { stack: "" }],
    ["what has no text", Object.create(null), {}],
  ])("%s", (_name, thrown, told) => {
    const data = {
      get broken() {
        throw thrown;
      },
    };
    const { type, retriable, error } = sealResult({ type: "function-resolved", data }, scope);
    expect([type, retriable]).toEqual(["function-rejected", true]);
    expect(JSON.stringify(error)).not.toContain(SECRET);
    const { run, fn, trigger } = scope.context;
    const opened = scope.sealer.open((error as { cause: unknown }).cause, {
      kind: "fn.error",
      fn,
      run,
      parent: trigger,
    });
    expect(opened).toMatchObject({ type: "internal", __serialized: true, ...told });
  });
});

describe("our own refusal leaves readable, to be tried again where a key is missing alone", () => {
  test.each([
    ["CONTEXT", false],
    ["UNKNOWN_KEY", true],
  ] as const)("%s", (code, retriable) => {
    const refusals = new Refusals();
    const refusal = new StepsealError(code, "step a: refused");
    const error = refusals.wireForm(refusal);
    for (const given of [true, false]) {
      const rejected = { type: "function-rejected", retriable: given, error };
      expect(sealResult(rejected, { ...scope, refusals })).toEqual({ ...rejected, retriable });
      // An error of the user's is tried again as the SDK says.
      expect(sealResult(rejected, scope)).toMatchObject({ retriable: given });
    }
  });
});

test("a step that was not found leaves with what says which, and with nothing else", () => {
  const found = { id: "y", op: "StepPlanned", name: "b", displayName: "b" };
  const result = { type: "step-not-found", step: { id: "x" }, foundSteps: [found], totalFoundSteps: 1 };
  expect(sealResult({ ...result, ctx: SECRET, ops: { SECRET } }, scope)).toEqual(result);
  // Older SDKs do not list what else was found.
  expect(sealResult({ type: "step-not-found", step: result.step }, scope)).toMatchObject({ foundSteps: [] });
});

describe("JSON as the SDK writes it", () => {
  const inner: Record<string, unknown> = { big: 12n, list: [1n] };
  const value: Record<string, unknown> = { inner, twice: [inner, inner] };
  inner.self = inner;
  inner.root = value;

  test("names what refers back by its path, and leaves out BigInts", () => {
    const told = { list: [null], self: "[Circular ~.inner]", root: "[Circular ~]" };
    const again = (index: number) => ({ ...told, self: `[Circular ~.twice.${index}]` });
    expect(JSON.parse(sdkJson(value)!)).toEqual({ inner: told, twice: [again(0), again(1)] });
  });

  test.each([1n, undefined, () => 1])("has none for %s", (each) => {
    expect(sdkJson(each)).toBeUndefined();
  });
});

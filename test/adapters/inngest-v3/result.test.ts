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
  ["a failure that is a text", { type: "function-rejected", error: SECRET }, /failure that is not an object/],
  [
    "a member of a step that was not found",
    { type: "step-not-found", step: { id: "x" }, foundSteps: [{ id: "y", data: SECRET }] },
    /not found: member "data"/,
  ],
];

test.each(unknown)(
  "%s that the gate does not know is refused, with an error that names it",
  async (_name, result, says) => {
    const error = await sealResult(result as never, scope).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StepsealError);
    expect((error as StepsealError).message).toMatch(says);
    expect(String(error)).not.toContain(SECRET);
  },
);

test("nothing leaves of a run whose events were never seen", async () => {
  const result = { type: "function-resolved", data: SECRET };
  await expect(sealResult(result, { ...scope, context: undefined })).rejects.toThrow(/never seen/);
});

test.each([false, 0, "", null, undefined, () => 1])(
  "%s, which a function returned, leaves sealed",
  async (data) => {
    const { data: sealed } = await sealResult({ type: "function-resolved", data }, scope);
    expect(isSealed(sealed)).toBe(true);
  },
);

test("what a getter throws, though it has no text, is the failure of the run", async () => {
  const data = {
    get broken() {
      throw Object.create(null);
    },
  };
  const { type, error } = await sealResult({ type: "function-resolved", data }, scope);
  expect(type).toBe("function-rejected");
  expect(JSON.stringify(error)).toContain("stepseal/v1");
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

import { NonRetriableError } from "inngest";
import { StepsealError } from "stepseal";
import { describe, expect, test } from "vitest";
import {
  gateFailure,
  known,
  loggable,
  Refusals,
  sealFailure,
} from "../../../../src/adapters/inngest/gate/failure.ts";
import { codeOf } from "../../../code-of.ts";
import { opened, RUN, scopeOf, TRIGGER } from "./scope.ts";

const REFUSAL = new StepsealError("CONTEXT", "step a: moved");
/** What the SDK makes of the error that a run is failed with for it. */
const WRAPPED = {
  __serialized: true,
  name: "NonRetriableError",
  message: REFUSAL.message,
  stack: "at gate.ts",
  cause: { name: "StepsealError", message: REFUSAL.message, code: "CONTEXT", stack: "at gate.ts" },
};
const READABLE = {
  __serialized: true,
  name: "NonRetriableError",
  message: REFUSAL.message,
  stack: "",
  cause: { name: "StepsealError", message: REFUSAL.message, code: "CONTEXT", stack: "" },
};

describe("a refusal", () => {
  test("fails the run at once, but where a key is missing, which another process may hold", () => {
    const refusals = new Refusals();
    const final = refusals.record(REFUSAL);
    expect(final).toBeInstanceOf(NonRetriableError);
    expect(final).toMatchObject({ message: REFUSAL.message, cause: REFUSAL });
    const missing = new StepsealError("UNKNOWN_KEY", "key 0123");
    expect(refusals.record(missing)).toBe(missing);
    const other = new Error("of the user");
    expect(refusals.record(other)).toBe(other);
  });

  test("is told as the SDK would tell it, without a stack", () => {
    const refusals = new Refusals();
    expect(refusals.wireForm(REFUSAL)).toEqual(READABLE);
    expect(refusals.wireForm(new StepsealError("UNKNOWN_KEY", "key 0123"))).toEqual({
      __serialized: true,
      name: "StepsealError",
      message: "key 0123",
      code: "UNKNOWN_KEY",
      stack: "",
    });
  });

  const { __serialized, stack } = WRAPPED;
  const bare = { __serialized, stack, name: "StepsealError", message: REFUSAL.message, code: "CONTEXT" };
  const found = (failure: Record<string, unknown>): unknown => {
    const refusals = new Refusals();
    refusals.record(REFUSAL);
    return refusals.find(failure);
  };

  test.each([
    ["wrapped", WRAPPED],
    ["by itself", bare],
    ["of an SDK that calls all that it does not know an Error", { ...bare, name: "Error" }],
    ["whose cause such an SDK calls so", { ...WRAPPED, cause: { ...WRAPPED.cause, name: "Error" } }],
  ])("is known again: %s", (_name, failure) => {
    expect(found(failure)).toBe(REFUSAL);
  });

  test.each([
    ["under a name of the user's", { ...bare, name: "CardDeclined" }],
    ["with another code", { ...bare, code: "FORMAT" }],
    ["without its code", { ...bare, code: undefined }],
    ["with a cause of the user's, a text", { ...bare, cause: "card 4111" }],
    ["with a message of the user's", { ...bare, message: "card 4111" }],
    ["with such a message around it", { ...WRAPPED, message: "card 4111" }],
    ["with such a name around it", { ...WRAPPED, name: "CardDeclined" }],
    ["with such a code around it", { ...WRAPPED, code: "4111" }],
    ["with such a name inside", { ...WRAPPED, cause: { ...WRAPPED.cause, name: "CardDeclined" } }],
    ["with such a message inside", { ...WRAPPED, cause: { ...WRAPPED.cause, message: "card 4111" } }],
    ["with another code inside", { ...WRAPPED, cause: { ...WRAPPED.cause, code: "4111" } }],
    ["with a cause of its own inside", { ...WRAPPED, cause: { ...WRAPPED.cause, cause: "card 4111" } }],
  ])("is an error of the user's, and sealed, %s", (_name, failure) => {
    expect(found(failure)).toBeUndefined();
  });
});

describe("a failure leaves", () => {
  const refusals = new Refusals();
  refusals.record(REFUSAL);
  const error = { __serialized: true, name: "Error", message: "card 4111", stack: "at card.ts" };

  test("readable, where it is our own refusal, made of nothing but that", () => {
    const { sealer, options, context } = scopeOf();
    const scope = { sealer, options, context, refusals };
    expect(sealFailure({ ...WRAPPED, noted: "card 4111" }, scope)).toEqual(READABLE);
  });

  test("sealed for its run, or for none where it failed before its run was known", () => {
    const { sealer, options, context } = scopeOf();
    const causeOf = (place: object): unknown =>
      (sealFailure(error, { sealer, options, refusals, context: undefined, ...place }) as { cause: unknown })
        .cause;
    expect(opened(causeOf({ context }), { kind: "fn.error", ...RUN, parent: TRIGGER })).toEqual(error);
    expect(opened(causeOf({}), { kind: "fn.error" })).toEqual(error);
    expect(codeOf(() => opened(causeOf({}), { kind: "fn.error", ...RUN }))).toBe("CONTEXT");
  });

  test.each([["a text"], [null], [["a list"]]])("not, where it is no object: %o", (failure) => {
    const { sealer, options, context } = scopeOf();
    expect(codeOf(() => sealFailure(failure, { sealer, options, context, refusals }))).toBe("REFUSED");
  });
});

test("what the gate fails with says our own reason, and of anything else nothing", () => {
  const shell = { __serialized: true, name: "StepsealError", stack: "" };
  expect(gateFailure(REFUSAL, "the answer")).toEqual({ ...shell, message: REFUSAL.message, code: "CONTEXT" });
  const message = "the answer could not be sealed";
  expect(gateFailure(new TypeError("card 4111"), "the answer")).toEqual({ ...shell, message });
});

test("a log says our own reasons, and of other errors the class alone", () => {
  expect(loggable(REFUSAL)).toBe(REFUSAL.message);
  expect(loggable(new TypeError("card 4111"))).toBe("TypeError");
  expect(loggable("card 4111")).toBe("string");
});

test("a result of a run that was never seen does not leave", () => {
  const { context } = scopeOf();
  expect(known(context)).toBe(context);
  expect(codeOf(() => known(undefined))).toBe("REFUSED");
});

import { isSealed } from "stepseal";
import { describe, expect, test } from "vitest";
import { tokenOf } from "../../../../src/adapters/inngest/gate/context.ts";
import { sealMetadata } from "../../../../src/adapters/inngest/gate/metadata.ts";
import { sealOp } from "../../../../src/adapters/inngest/gate/ops.ts";
import { COMPLETE } from "../../../../src/adapters/inngest/gate/steps.ts";
import { codeOf } from "../../../code-of.ts";
import { opened, RUN, scopeOf, TRIGGER } from "./scope.ts";

const STEP = { ...RUN, step: "x", parent: TRIGGER };
const NAMED = { id: "x", displayName: "a", userland: { id: "a" } };
const ERROR = { __serialized: true, name: "TypeError", message: "card 4111", stack: "at card.ts" };

const refused = (op: unknown, options = {}): unknown => codeOf(() => sealOp(op, scopeOf(options)));

describe("an op leaves with what its kind has, and with nothing else", () => {
  test.each([{}, { opts: null }, { opts: undefined }, { error: null, data: null }])(
    "a sleep with %o is a sleep",
    (members) => {
      const op = { ...NAMED, op: "Sleep", ...members };
      expect(sealOp(op, scopeOf())).toEqual(op);
    },
  );

  test.each([
    ["Sleep", { data: 0 }],
    ["Sleep", { error: false }],
    ["StepRun", { error: ERROR }],
    ["StepError", { error: ERROR, data: 0 }],
    ["StepError", { error: null, data: "4111" }],
    ["StepError", { data: "4111" }],
    ["StepFailed", { error: null, data: "4111" }],
    ["StepFailed", { data: "4111" }],
    ["StepPlanned", { data: "4111" }],
  ])("%s with %o is refused", (op, members) => {
    expect(refused({ ...NAMED, op, ...members })).toBe("REFUSED");
  });

  test.each(["StepError", "StepFailed"])("%s of what was thrown, and is no error, has none", (op) => {
    for (const error of [null, undefined]) {
      expect(sealOp({ ...NAMED, op, error }, scopeOf()).error).toBe(error);
    }
  });

  test.each([
    ["AIGateway", { url: "https://model.test", body: "4111" }, "ai-infer"],
    ["Gateway", { url: "https://api.test", body: "4111" }, "fetch"],
  ] as const)("%s leaves where its path is allowed, and only there", (op, opts, path) => {
    const asked = { ...NAMED, op, opts };
    expect(refused(asked)).toBe("REFUSED");
    expect(sealOp(asked, scopeOf({ allowPlaintext: [path] }))).toEqual(asked);
  });
});

describe("what a failure is sealed for", () => {
  const causeOf = (op: object): unknown =>
    (sealOp({ op: "StepFailed", error: ERROR, ...op }, scopeOf()).error as { cause: unknown }).cause;

  test("a step's: its step", () => {
    expect(opened(causeOf(NAMED), { kind: "step.error", ...STEP })).toEqual(ERROR);
  });

  test("one of the function itself: the function, under the id that the SDK gives it, without a name of the user's", () => {
    const place = { kind: "fn.error", ...RUN, parent: TRIGGER } as const;
    expect(opened(causeOf({ id: COMPLETE }), place)).toEqual(ERROR);
  });

  test.each([
    ["a step whose name is that of a function's end", { id: COMPLETE, userland: { id: "complete" } }],
    ["a step of an SDK that tells no names", { id: "x" }],
  ])("%s: the step", (_name, op) => {
    const place = { kind: "step.error", ...RUN, step: op.id, parent: TRIGGER } as const;
    expect(opened(causeOf(op), place)).toEqual(ERROR);
  });
});

describe("the copy of an error in an op's data", () => {
  const failed = (data: unknown) => sealOp({ ...NAMED, op: "StepFailed", error: ERROR, data }, scopeOf());

  test("is one of what leaves", () => {
    const { error, data } = failed({ ...ERROR, cause: "4111" });
    const { name, message } = error as Record<string, unknown>;
    expect(data).toEqual({ __serialized: true, name, message, stack: "" });
    expect(JSON.stringify(data)).not.toContain("4111");
  });

  test.each([null, undefined])("is %s where the SDK made none", (data) => {
    expect(failed(data).data).toBe(data);
  });
});

describe("an invocation", () => {
  const TARGET = "app-ship";
  const payloadOf = (payload: unknown, options = {}, target: unknown = TARGET) => {
    const op = { ...NAMED, op: "InvokeFunction", opts: { function_id: target, payload } };
    return (sealOp(op, scopeOf(options)).opts as { payload: { data: Record<string, unknown> } }).payload;
  };
  const place = (field: string) =>
    ({
      kind: "invoke.field",
      fn: TARGET,
      field,
      parent: tokenOf({ ...scopeOf().context }, "x", { runBinding: "trigger" }),
    }) as const;

  test("seals the named fields for the function that is invoked and for this call, and leaves the others", () => {
    const { data } = payloadOf({ data: { encrypted: 4111, plain: 1 }, v: "2" });
    expect(opened(data.encrypted, place("encrypted"))).toBe(4111);
    expect({ ...data, encrypted: 0 }).toEqual({ encrypted: 0, plain: 1 });
  });

  test.each([
    ["beside the others", {}, { plain: 1 }, "encrypted"],
    ["where there is no data", {}, undefined, "encrypted"],
    ["under the first of the named fields", { eventFields: ["card", "cvv"] }, { plain: 1 }, "card"],
    ["under the usual name where none is named", { eventFields: [] }, { plain: 1 }, "encrypted"],
    ["in place of no other", { eventFields: [] }, { encrypted: 1, _encrypted: 2 }, "__encrypted"],
  ])("without such a field carries its token %s", (_name, options, data, field) => {
    const sent = payloadOf({ data }, options).data;
    expect(isSealed(sent[field])).toBe(true);
    expect(opened(sent[field], place(field))).toBeUndefined();
    expect({ ...sent, [field]: 0 }).toEqual({ ...data, [field]: 0 });
  });

  test("of a function without stepseal carries none", () => {
    const plain = { plaintextFrom: { functions: [TARGET] } };
    expect(payloadOf({ data: { plain: 1 } }, plain).data).toEqual({ plain: 1 });
  });

  test.each([
    ["no payload", [undefined]],
    ["a payload that is a text", ["4111"]],
    ["no target", [{ data: {} }, {}, null]],
  ])("with %s is refused", (_name, args) => {
    expect(codeOf(() => payloadOf(...(args as [unknown])))).toBe("REFUSED");
  });
});

describe("a deferred call", () => {
  const defer = (opts: object, options = {}) =>
    sealOp({ ...NAMED, op: "DeferAdd", opts }, scopeOf(options)).opts as Record<string, unknown>;
  const place = { kind: "defer.input", fn: "app-ship" } as const;
  const experiment = { experimentID: "e" };

  test.each([{ card: 4111 }, "a text", ["a list"], null])("seals its input: %o", (input) => {
    const { input: sealed, fn_slug } = defer({ fn_slug: "app-ship", input });
    expect(opened(sealed, place)).toEqual(input);
    expect(fn_slug).toBe("app-ship");
    expect(Object.keys(sealed as object)).toEqual(["__ENCRYPTED__", "__STRATEGY__", "data"]);
  });

  test("leaves the SDK's own member beside it, and the caller's object as it was", () => {
    const input = { card: 4111, _inngestExperiment: experiment };
    const { _inngestExperiment, ...sealed } = defer({ fn_slug: "app-ship", input }).input as Record<
      string,
      unknown
    >;
    expect(_inngestExperiment).toBe(experiment);
    expect(opened(sealed, place)).toEqual({ card: 4111 });
    expect(input).toEqual({ card: 4111, _inngestExperiment: experiment });
  });

  test("is as without stepseal where its path is allowed", () => {
    const opts = { fn_slug: "app-ship", input: { card: 4111 } };
    expect(defer(opts, { allowPlaintext: ["defer"] })).toEqual(opts);
  });

  test("without a target is refused", () => {
    expect(refused({ ...NAMED, op: "DeferAdd", opts: { input: {} } })).toBe("REFUSED");
  });
});

describe("metadata", () => {
  test.each([["no list"], [["a text"]], [[null]], [[{ values: {} }]], [[{ kind: 7, values: {} }]]])(
    "that is %o is refused",
    (updates) => {
      expect(codeOf(() => sealMetadata(updates, scopeOf()))).toBe("REFUSED");
    },
  );

  test("of the SDK's own kinds leaves, all other is sealed for its kind, unless its path is allowed", () => {
    const updates = [
      { kind: "inngest.score", scope: "run", op: "merge", values: { score: 1 } },
      { kind: "userland.card", scope: "run", op: "merge", values: { card: 4111 } },
    ];
    const [score, card] = sealMetadata(updates, scopeOf()) as { values: unknown }[];
    expect(score).toBe(updates[0]);
    expect(opened(card!.values, { kind: "metadata", name: "userland.card" })).toEqual({ card: 4111 });
    expect(sealMetadata(updates, scopeOf({ allowPlaintext: ["metadata"] }))).toEqual(updates);
  });
});

import { describe, expect, test } from "vitest";
import { openWireError, sealWireError } from "../../../../src/adapters/inngest/gate/wire-error.ts";
import { codeOf } from "../../../code-of.ts";
import { keyring } from "../keys.ts";
import { RUN, sealer } from "./scope.ts";

const PLACE = { kind: "step.error", ...RUN, step: "a" } as const;
const ERROR = { __serialized: true, name: "TypeError", message: "card 4111", stack: "at card.ts", code: 7 };

describe("what leaves in place of an error", () => {
  test("is its class, where everybody knows that, which key sealed it, and all else sealed", () => {
    const { cause, ...shell } = sealWireError(ERROR, PLACE, sealer, "seal");
    expect(shell).toEqual({
      __serialized: true,
      name: "TypeError",
      message: `Sealed by stepseal (key ${keyring().primary})`,
      stack: "",
    });
    expect(sealer.open(cause, PLACE)).toEqual(ERROR);
  });

  test("names no class of the user's", () => {
    expect(sealWireError({ ...ERROR, name: "CardDeclined" }, PLACE, sealer, "seal").name).toBe("Error");
    expect(sealWireError("a text", PLACE, sealer, "seal").name).toBe("Error");
  });

  test("names no key where the sealer of another format names none", () => {
    const other = { __ENCRYPTED__: true, __STRATEGY__: "own/1", data: "" } as const;
    const { message, cause } = sealWireError(ERROR, PLACE, { ...sealer, seal: () => other }, "seal");
    expect({ message, cause }).toEqual({ message: "Sealed by stepseal", cause: other });
  });

  test("is nothing of it, with errors: redact", () => {
    expect(sealWireError(ERROR, PLACE, sealer, "redact")).toEqual({
      __serialized: true,
      name: "TypeError",
      message: "Redacted by stepseal",
      stack: "",
    });
  });

  test("is the error itself, with errors: plaintext, and what is no error all the same sealed", () => {
    expect(sealWireError(ERROR, PLACE, sealer, "plaintext")).toBe(ERROR);
    expect(sealer.open(sealWireError("a text", PLACE, sealer, "plaintext").cause, PLACE)).toBe("a text");
  });
});

describe("opened in place", () => {
  const sealed = (error: object): Record<string, unknown> => sealWireError(error, PLACE, sealer, "seal");
  const open = (error: unknown, more?: readonly string[]): void =>
    openWireError(error, () => PLACE, sealer, more)?.();

  test("an error is as it was, with what the platform added", () => {
    const error = { ...sealed(ERROR), noRetry: true };
    open(error);
    expect(error).toEqual({ ...ERROR, noRetry: true });
  });

  test("nothing stays of the one that left: what the original has not is gone", () => {
    const error = { ...sealed({ name: "Error", message: "m" }), code: 5 };
    open(error);
    expect(error).toEqual({ __serialized: true, name: "Error", message: "m" });
    expect(Object.keys(error).sort()).toEqual(["__serialized", "message", "name"]);
  });

  // The platform leaves an empty stack out, as it would have left out that of the original.
  test.each([
    ["an empty stack that came back", "", "", { stack: "" }],
    ["an empty stack that did not", "", undefined, {}],
    ["a stack that came back empty", "at card.ts", "", { stack: "at card.ts" }],
    ["a stack that did not come back", "at card.ts", undefined, { stack: "at card.ts" }],
  ])("%s is as without stepseal", (_name, stack, back, shown) => {
    const { stack: _, ...left } = sealed({ ...ERROR, stack });
    const error: Record<string, unknown> = { ...left, ...(back !== undefined && { stack: back }) };
    open(error);
    const { stack: _all, ...rest } = ERROR;
    expect(error).toEqual({ ...rest, ...shown });
    expect("stack" in error).toBe("stack" in shown);
  });

  test("an empty member other than the stack stays, whatever came back of it", () => {
    const { message: _, ...error } = sealed({ ...ERROR, message: "" });
    open(error);
    expect(error).toEqual({ ...ERROR, message: "" });
  });

  test("further members of the original are restored where they are asked for", () => {
    const original = { ...ERROR, data: { card: 4111 } };
    const [asked, not] = [sealed(original), sealed(original)];
    open(asked, ["data"]);
    open(not);
    expect([asked, not]).toEqual([original, ERROR]);
  });

  test("what is not sealed is left alone", () => {
    for (const error of [ERROR, "a text", null, { ...ERROR, cause: { message: "m" } }]) {
      expect(openWireError(error, () => PLACE, sealer)).toBeUndefined();
    }
  });

  test("a sealed error that holds none is refused", () => {
    const error = sealWireError("a text", PLACE, sealer, "seal");
    expect(codeOf(() => open(error))).toBe("FORMAT");
  });
});

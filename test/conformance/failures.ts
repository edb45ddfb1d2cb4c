import { type Check, holds, passed, same } from "./check.ts";
import type { Implementation } from "./conformance.ts";

const CLASSES = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];

/** Thrown values that are no errors, and come back as they were. */
const OTHERS: readonly unknown[] = [
  ...[
    undefined,
    null,
    true,
    0,
    -0,
    1.5,
    Number.NaN,
    Infinity,
    -Infinity,
    "",
    "text",
    "\ud83d",
    10n,
    -(2n ** 80n),
  ],
  ...[[], [1, [2]], {}, { message: "not an error", nested: { a: null } }],
];

/** What was thrown is thrown again as it was. */
export function failureChecks({ core }: Implementation, check: Check): void {
  const sealer = core.createSealer({ keyring: core.createKeyring({ key: core.generateKey() }) });
  const claims = { kind: "step.error", run: "r" } as const;
  const carried = (thrown: unknown): unknown =>
    sealer.openError(JSON.parse(JSON.stringify(sealer.sealError(thrown, claims))), claims);
  const carriedError = (thrown: Error): Error & Record<string, unknown> =>
    carried(thrown) as Error & Record<string, unknown>;

  for (const Class of CLASSES) {
    check(`carries a ${Class.name} with class, message, stack and cause`, () => {
      const thrown = new Class("what went wrong", {
        cause: new RangeError("below", { cause: { plain: [1] } }),
      });
      const back = carriedError(thrown);
      holds(Object.getPrototypeOf(back) === Class.prototype, "the class is the same");
      same([back.name, back.message, back.stack], [Class.name, "what went wrong", thrown.stack]);
      same(Object.keys(back), []);
      holds(back.cause instanceof RangeError, "the cause is of its class");
      return same((back.cause as Error).cause, { plain: [1] });
    });
  }
  check("carries an AggregateError with its errors", () => {
    const back = carriedError(new AggregateError([new TypeError("a"), "b", undefined, 3], "several"));
    const errors = back.errors as unknown[];
    holds(back instanceof AggregateError && errors[0] instanceof TypeError, "the classes are the same");
    return same([back.message, ...errors.slice(1)], ["several", "b", undefined, 3]);
  });
  check("carries a class of the user's as the nearest of the language, with its name and properties", () => {
    class PaymentError extends TypeError {
      override readonly name = "PaymentError";
      readonly code = "E_CARD";
    }
    const back = carriedError(new PaymentError("declined"));
    holds(back instanceof TypeError, "it is a TypeError");
    return same([back.name, back.code, String(back)], ["PaymentError", "E_CARD", "PaymentError: declined"]);
  });
  check("carries a DOMException with its name", () => {
    const back = carriedError(new DOMException("aborted", "AbortError"));
    return same([back instanceof Error, back.name, back.message], [true, "AbortError", "aborted"]);
  });
  check("cuts a chain of causes that meets itself", () => {
    const thrown = new Error("a");
    thrown.cause = new Error("b", { cause: thrown });
    return same((carriedError(thrown).cause as Error).cause, undefined);
  });
  check("carries what is no error as it was", () => {
    for (const thrown of OTHERS) same(carried(thrown), thrown);
    return passed;
  });
}

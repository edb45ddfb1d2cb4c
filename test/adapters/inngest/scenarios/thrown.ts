import { NonRetriableError, RetryAfterError } from "inngest";

class PaymentError extends Error {
  override readonly name = "PaymentError";
  readonly account = "lost on the way";
}

function selfCaused(): Error {
  const error = new Error("round");
  error.cause = error;
  return error;
}

/** What is thrown, by name. Made anew each time: a retry must not throw the same object. */
export const THROWN: readonly (readonly [name: string, make: () => unknown])[] = [
  ["an error", () => new Error("plain error")],
  ["a type error", () => new TypeError("wrong type")],
  ["a range error", () => new RangeError("out of range")],
  ["a class of the user's", () => new PaymentError("declined")],
  [
    "an error with a cause",
    () => new Error("outer", { cause: new RangeError("inner", { cause: new Error("innermost") }) }),
  ],
  [
    "an error with a cause that is no error",
    () => new Error("outer", { cause: { reason: "a value", n: 1 } }),
  ],
  ["an error with a text as cause", () => new Error("outer", { cause: "a text" })],
  ["an error without a message", () => new Error()],
  ["an error without a stack", () => Object.assign(new Error("stackless"), { stack: undefined })],
  ["an error with members", () => Object.assign(new Error("members"), { detail: { a: 1 }, status: 402 })],
  ["an error with spaces around its message", () => new Error("  spaced\n")],
  [
    "an error with members on its cause",
    () => new Error("outer", { cause: Object.assign(new Error("in"), { code: "E_IN", more: 1 }) }),
  ],
  [
    "an error with a cause that looks like an error",
    () => new Error("outer", { cause: { name: " N ", message: " m ", more: 1 } }),
  ],
  ["an aggregate error", () => new AggregateError([new Error("one"), new TypeError("two")], "both failed")],
  ["a non-retriable error", () => new NonRetriableError("never again", { cause: new Error("why") })],
  ["a retry-after error", () => new RetryAfterError("busy", "90s")],
  [
    "a frozen error",
    () => Object.freeze(new RangeError("frozen", { cause: Object.freeze(new Error("deep")) })),
  ],
  ["an error that is its own cause", () => selfCaused()],
  [
    "an error whose message is a getter",
    () => Object.defineProperty(new Error(), "message", { get: () => "got" }),
  ],
  ["a text", () => "just a text"],
  ["an empty text", () => ""],
  ["null", () => null],
  ["undefined", () => undefined],
  ["a number", () => 7],
  ["an object", () => ({ code: 402, reason: "declined" })],
  ["a frozen object", () => Object.freeze({ code: 403, reason: Object.freeze({ why: "frozen" }) })],
  ["an object without a prototype", () => Object.assign(Object.create(null), { code: 404 })],
  ["a list", () => ["declined", 402]],
  ["an object with a message", () => ({ name: "Odd", message: "no error at all" })],
];

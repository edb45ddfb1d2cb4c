import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { failureOf, type PlainError, thrownFrom } from "../src/failure.ts";
import { codeOf } from "./code-of.ts";

/** What a thrown value is after it was sealed, carried as JSON, and opened. */
function carried(thrown: unknown): unknown {
  return thrownFrom(JSON.parse(JSON.stringify(failureOf(thrown))));
}
const carriedError = (thrown: unknown): Error & Record<string, unknown> =>
  carried(thrown) as Error & Record<string, unknown>;

class PaymentError extends TypeError {
  override readonly name = "PaymentError";
  readonly code = "E_CARD";
  readonly status = 402;
}

describe("thrown values that are no errors come back as they were", () => {
  it.each([
    undefined,
    null,
    true,
    false,
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
    [],
    [1, [2]],
    {},
    { message: "not an error", nested: { a: null } },
    Object.freeze({ frozen: true }),
    Object.freeze([1]),
  ])("%o", (thrown) => {
    expect(carried(thrown)).toEqual(thrown);
    expect(Object.is(carried(thrown), thrown) || typeof thrown === "object").toBe(true);
  });

  it.each([
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
  ])("%s, which JSON has no text for, as undefined", (_, thrown) => {
    expect(carried(thrown)).toBeUndefined();
  });

  it("what JSON writes in another form, in that form", () => {
    expect(carried(new Date(0))).toBe("1970-01-01T00:00:00.000Z");
    expect(carried({ a: undefined, b: () => 1, c: 1 })).toEqual({ c: 1 });
  });

  it("what JSON cannot write, as undefined", () => {
    const loop: unknown[] = [];
    loop.push(loop);
    expect(carried(loop)).toBeUndefined();
    expect(
      carried({
        toJSON: () => {
          throw new Error("no");
        },
      }),
    ).toBeUndefined();
  });
});

describe("errors", () => {
  it.each([Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError])(
    "of class %o come back as such, with message and stack, and as errors have them",
    (Class) => {
      const thrown = new Class("what went wrong");
      const back = carriedError(thrown);
      expect(Object.getPrototypeOf(back)).toBe(Class.prototype);
      expect(back).toMatchObject({ name: Class.name, message: "what went wrong", stack: thrown.stack });
      expect(Object.keys(back)).toEqual([]);
      expect(Object.getOwnPropertyNames(back).sort()).toEqual(["message", "stack"]);
      expect(Object.hasOwn(back, "cause")).toBe(false);
    },
  );

  it("without a message come back without one", () => {
    expect(Object.hasOwn(carriedError(new Error()), "message")).toBe(false);
    const empty = carriedError(Object.defineProperty(new Error("x"), "message", { value: "" }));
    expect(Object.hasOwn(empty, "message")).toBe(true);
  });

  it("of a class of the user's come back as the nearest built-in one with the name and the properties they had", () => {
    const back = carriedError(new PaymentError("declined"));
    expect(back).toBeInstanceOf(TypeError);
    expect(back).toMatchObject({ name: "PaymentError", code: "E_CARD", status: 402, message: "declined" });
    expect(Object.keys(back).sort()).toEqual(["code", "name", "status"]);
    expect(String(back)).toBe("PaymentError: declined");
  });

  it("keep their chain of causes, of whatever kind", () => {
    const thrown = new Error("top", { cause: new RangeError("middle", { cause: { plain: [1] } }) });
    const back = carriedError(thrown);
    expect(back.cause).toBeInstanceOf(RangeError);
    expect((back.cause as Error).cause).toEqual({ plain: [1] });
    expect(carriedError(new Error("x", { cause: null })).cause).toBeNull();
    expect(Object.keys(back)).toEqual([]);
  });

  it("in an AggregateError come back in order, values among them", () => {
    const back = carriedError(new AggregateError([new TypeError("a"), "b", undefined, 3], "several"));
    expect(back).toBeInstanceOf(AggregateError);
    const errors = back.errors as unknown[];
    expect(errors[0]).toBeInstanceOf(TypeError);
    expect(errors.slice(1)).toEqual(["b", undefined, 3]);
    expect(back.message).toBe("several");
    expect(Object.keys(back)).toEqual([]);
  });

  it("in properties come back as errors", () => {
    const thrown = Object.assign(new Error("batch"), {
      errors: [new RangeError("one"), 2],
      inner: new TypeError("two"),
    });
    const back = carriedError(thrown);
    expect((back.errors as unknown[])[0]).toBeInstanceOf(RangeError);
    expect((back.errors as unknown[])[1]).toBe(2);
    expect(back.inner).toBeInstanceOf(TypeError);
    expect(Object.keys(back).sort()).toEqual(["errors", "inner"]);
  });

  it("of another realm come back as their built-in class", () => {
    const foreign: unknown = runInNewContext("Object.assign(new RangeError('elsewhere'), { code: 7 })");
    expect(foreign).not.toBeInstanceOf(Error);
    const back = carriedError(foreign);
    expect(back).toBeInstanceOf(RangeError);
    expect(back).toMatchObject({ message: "elsewhere", code: 7 });
  });

  it("of the platform's own kind come back with their name", () => {
    const back = carriedError(new DOMException("aborted", "AbortError"));
    expect(back).toBeInstanceOf(Error);
    expect(back).toMatchObject({ name: "AbortError", message: "aborted" });
  });

  it("keep which properties are enumerable, and can be changed again", () => {
    const error = Object.assign(new Error("declined"), { code: "E1", extra: undefined });
    Object.defineProperty(error, "name", { value: "Declined", enumerable: true });
    Object.defineProperty(error, "message", { enumerable: true });
    const opened = carriedError(error);
    expect(Object.keys(opened).sort()).toEqual(["code", "extra", "message", "name"]);
    for (const [name, value] of Object.entries({ name: "Declined", message: "declined", code: "E1" })) {
      expect(Object.getOwnPropertyDescriptor(opened, name)).toEqual({
        ...{ value, enumerable: true, writable: true, configurable: true },
      });
    }
    expect(Object.keys(carriedError(new Error("plain")))).toEqual([]);
  });

  it("are written with the fields they need, and no others", () => {
    const { stack: _, ...plain } = failureOf(Object.assign(new Error("m"), { code: 7 })) as PlainError;
    const own = [["code", { type: "json", value: 7 }]];
    expect(plain).toStrictEqual({ type: "error", class: "Error", name: "Error", message: "m", own });
  });

  it("whose message or stack is no text come back without it", () => {
    const error = Object.defineProperties(new RangeError("x"), {
      message: { value: 5 },
      stack: { value: 6 },
    });
    expect(failureOf(error)).toStrictEqual({ type: "error", class: "RangeError", name: "RangeError" });
  });

  it("keep a property named errors, which is its own where it is no AggregateError", () => {
    const opened = carriedError(Object.assign(new Error("invalid"), { errors: ["a", "b"] }));
    expect(opened.errors).toEqual(["a", "b"]);
    const many = new AggregateError([new Error("one")]);
    Object.defineProperty(many, "errors", { enumerable: true });
    const { own, visible } = failureOf(many) as PlainError;
    expect([own, visible]).toEqual([undefined, ["errors"]]);
    expect(carriedError(many).errors).toHaveLength(1);
    const none = { type: "error", class: "AggregateError", name: "AggregateError" };
    expect((thrownFrom(none) as AggregateError).errors).toEqual([]);
  });

  it("of a strange make count as errors of no class", () => {
    const tagged = { [Symbol.toStringTag]: "Error" };
    for (const prototype of [null, tagged, { ...tagged, constructor: null }, { ...tagged, constructor: 1 }]) {
      const error = Object.assign(Object.create(prototype), prototype === null ? tagged : {}, {
        message: "m",
      });
      expect(failureOf(error)).toMatchObject({ type: "error", class: "Error", message: "m" });
      expect(carried(error)).toBeInstanceOf(Error);
    }
  });

  it("that are frozen, or have no prototype left, come back", () => {
    expect(carriedError(Object.freeze(new Error("frozen"))).message).toBe("frozen");
    expect(carriedError(Object.setPrototypeOf(new Error("bare"), null))).toMatchObject({ message: "bare" });
  });

  it("without a stack come back with one that tells nothing of where they were opened", () => {
    const thrown = new Error("x");
    Reflect.deleteProperty(thrown, "stack");
    Object.defineProperty(thrown, "stack", { value: undefined });
    expect(carriedError(thrown).stack).toBe("Error: x");
  });
});

describe("hostile errors", () => {
  it("with __proto__ and setters among their properties change no prototype and run no setter", () => {
    const thrown = new Error("x");
    Object.defineProperty(thrown, "__proto__", { value: { polluted: true }, enumerable: true });
    const back = carriedError(thrown);
    expect(Object.getPrototypeOf(back)).toBe(Error.prototype);
    expect(Object.getOwnPropertyDescriptor(back, "__proto__")?.value).toEqual({ polluted: true });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();

    let ran = 0;
    Object.defineProperty(Error.prototype, "trap", {
      configurable: true,
      set: () => {
        ran++;
      },
    });
    try {
      expect(carriedError({ ...failure("trap") })).toBeDefined();
      const opened = thrownFrom(failure("trap")) as Record<string, unknown>;
      expect(Object.hasOwn(opened, "trap")).toBe(true);
      expect(ran).toBe(0);
    } finally {
      Reflect.deleteProperty(Error.prototype, "trap");
    }
  });

  const failure = (key: string): object => ({
    type: "error",
    class: "Error",
    name: "Error",
    own: [[key, { type: "json", value: 1 }]],
  });

  it("with getters that throw lose those properties and no others", () => {
    const thrown = new Error("x");
    for (const key of ["stack", "name", "cause", "secret"]) {
      Object.defineProperty(thrown, key, {
        enumerable: true,
        configurable: true,
        get: () => {
          throw new Error("trap");
        },
      });
    }
    Object.assign(thrown, { code: "kept" });
    const back = carriedError(thrown);
    expect(back).toMatchObject({ name: "Error", message: "x", code: "kept" });
    expect(Object.hasOwn(back, "cause")).toBe(false);
  });

  it("that are proxies whose traps throw do not break sealing", () => {
    const trap = (): never => {
      throw new Error("trap");
    };
    const proxy = new Proxy(new Error("x"), {
      get: trap,
      ownKeys: trap,
      getPrototypeOf: trap,
      has: trap,
      getOwnPropertyDescriptor: trap,
    });
    expect(() => carried(proxy)).not.toThrow();
    expect(() => carried(new Error("outer", { cause: proxy }))).not.toThrow();
  });

  it("that hold or are a revoked proxy do not break sealing", () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    expect(carried(proxy)).toBeUndefined();
    expect(carriedError(Object.assign(new Error("x"), { proxy, code: 1 }))).toMatchObject({
      message: "x",
      code: 1,
    });
  });

  it("with properties JSON cannot write lose those", () => {
    const loop: Record<string, unknown> = {};
    loop.loop = loop;
    const back = carriedError(
      Object.assign(new Error("x"), { loop, big: { n: 1n }, fn: () => 1, sym: Symbol("s"), ok: 1n }),
    );
    expect(Object.keys(back)).toEqual(["ok"]);
    expect(back.ok).toBe(1n);
  });

  it("that cause themselves are cut where the cycle closes", () => {
    const [a, b] = [new Error("a"), new Error("b")];
    a.cause = b;
    b.cause = a;
    const back = carriedError(a);
    expect((back.cause as Error).message).toBe("b");
    expect((back.cause as Error).cause).toBeUndefined();
  });

  it("with chains too long are cut at 16", () => {
    let chain = new Error("end");
    for (let i = 0; i < 10_000; i++) chain = new Error(`link ${i}`, { cause: chain });
    let length = 0;
    for (let at: unknown = carried(chain); at instanceof Error; at = at.cause) length++;
    expect(length).toBe(16);
  });

  it("that branch without end are cut after 256 errors", () => {
    let tree: Error = new Error("leaf");
    for (let i = 0; i < 14; i++) tree = new AggregateError([tree, tree, tree], `level ${i}`);
    const json = JSON.stringify(failureOf(tree));
    expect(json.split('"type":"error"').length - 1).toBe(256);
    expect(() => carried(tree)).not.toThrow();
  });
});

const malformed: readonly unknown[] = [
  undefined,
  null,
  1,
  "error",
  [],
  {},
  { type: "thing" },
  { type: "json" },
  { type: "number", value: "7" },
  { type: "bigint", value: "0x10" },
  { type: "bigint", value: 7 },
  { type: "list" },
  { type: "list", items: [1] },
  { type: "error" },
  { type: "error", class: "Function", name: "x" },
  { type: "error", class: "toString", name: "x" },
  { type: "error", class: ["Error"], name: "x" },
  { type: "error", class: "Error" },
  { type: "error", class: "Error", name: "x", message: 1 },
  { type: "error", class: "Error", name: "x", stack: {} },
  { type: "error", class: "Error", name: "x", own: {} },
  { type: "error", class: "Error", name: "x", own: ["ab"] },
  { type: "error", class: "Error", name: "x", own: [["code", { type: "undefined" }], {}] },
  { type: "error", class: "Error", name: "x", own: [[["code"], { type: "undefined" }]] },
  { type: "error", class: "Error", name: "x", own: [[1, 2]] },
  { type: "error", class: "Error", name: "x", cause: null },
  { type: "error", class: "AggregateError", name: "x", errors: {} },
];

describe("plain data that is no failure", () => {
  it.each(malformed)("%j is CORRUPT", (plain) => {
    expect(codeOf(() => thrownFrom(plain))).toBe("CORRUPT");
  });

  const error = { type: "error", class: "Error", name: "Error" };
  it.each<[string, (inner: unknown) => unknown]>([
    ["a list", (inner) => ({ type: "list", items: [inner] })],
    ["a cause", (inner) => ({ ...error, cause: inner })],
    ["a property", (inner) => ({ ...error, own: [["inner", inner]] })],
    ["errors", (inner) => ({ ...error, class: "AggregateError", errors: [inner] })],
  ])("may be nested 32 deep in %s, and no deeper", (_, wrap) => {
    let plain: unknown = { type: "json", value: 1 };
    for (let depth = 0; depth < 32; depth++) plain = wrap(plain);
    expect(codeOf(() => thrownFrom(plain))).toBe("nothing was thrown");
    expect(codeOf(() => thrownFrom(wrap(plain)))).toBe("CORRUPT");
  });

  it("nested beyond what is ever written is CORRUPT, not a stack overflow", () => {
    let plain: unknown = { type: "undefined" };
    for (let i = 0; i < 5_000; i++) plain = { type: "list", items: [plain] };
    expect(codeOf(() => thrownFrom(plain))).toBe("CORRUPT");
  });
});

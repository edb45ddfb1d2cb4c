import { invoke, staticSchema } from "inngest";
import { SDK } from "../harness.ts";
import { type Scenario, settle } from "./scenario.ts";

const circular: Record<string, unknown> = { a: 1 };
circular.self = circular;
const holes: unknown[] = [1, 2, 3];
delete holes[1];

/** A name and a value, or a function that makes one. */
export const VALUES: readonly (readonly [name: string, value: unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["false", false],
  ["true", true],
  ["zero", 0],
  ["negative zero", -0],
  ["empty text", ""],
  ["NaN", Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY],
  ["the largest safe integer", Number.MAX_SAFE_INTEGER],
  ["a number beyond it", 2 ** 60 + 2 ** 10],
  ["a huge number", 1.7976931348623157e308],
  ["a tiny number", 5e-324],
  ["a fraction", 0.1 + 0.2],
  ["a date", new Date(Date.UTC(2024, 1, 29, 1, 2, 3, 4))],
  ["an invalid date", new Date(Number.NaN)],
  ["nested", { a: [{ b: { c: [null, undefined, { d: undefined, e: -0 }] } }] }],
  ["an empty object", {}],
  ["an empty array", []],
  ["an array with a hole", holes],
  ["an array of undefined", [undefined, null]],
  ["a map", new Map([["k", 1]])],
  ["a set in an object", { set: new Set([1]) }],
  ["bytes", new Uint8Array([1, 2, 3])],
  ["a buffer", Buffer.from("abc")],
  ["a bigint", 12n],
  ["a bigint member", { price: 12n, list: [1n] }],
  ["a circular value", circular],
  ["a function", () => 1],
  ["a symbol", Symbol("s")],
  ["members that JSON drops", { f: () => 1, s: Symbol("s"), u: undefined, kept: 1 }],
  ["toJSON to an object", { hidden: 1, toJSON: () => ({ shown: 2 }) }],
  ["toJSON to undefined", { toJSON: () => undefined }],
  ["toJSON with its key", { at: { toJSON: (key: string) => `key:${key}` } }],
  [
    "an instance of a class",
    new (class Point {
      x = 1;
      y = 2;
    })(),
  ],
  ["no prototype", Object.assign(Object.create(null), { a: 1 })],
  ["boxed primitives", [Object(1), Object("s"), Object(false)]],
  ["a regular expression", /x/g],
  ["an error as a value", { error: new TypeError("as a value") }],
  ["a __proto__ member", JSON.parse('{"__proto__":{"polluted":true},"a":1}')],
  ["names of Object.prototype", { constructor: 1, toString: "x", hasOwnProperty: null, valueOf: { a: 1 } }],
  ["keys that are numbers", { 10: "b", 9: "a", "-1": "c", "": "empty" }],
  ["a lone high surrogate", { text: "a\ud800b" }],
  ["a lone low surrogate", "\udc00"],
  ["an emoji and its like", "\u{1f600} \u0000 \u2028 \ufeff \u00e9 e\u0301"],
  ["a text of 128 KiB", "0123456789abcdef".repeat(8_192)],
  ["a text that is JSON", '{"a":1,"data":{"b":2}}'],
  ["a text that is null in JSON", "null"],
  ["what looks like an envelope", { __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data: "ssl1.abc.def" }],
  ["what looks like another's envelope", { __ENCRYPTED__: true, __STRATEGY__: "xsalsa20", data: "AAAA" }],
  ["only a member data", { data: { inner: 1 } }],
  ["only a member data that is null", { data: null }],
  ["only a member error", { error: { name: "Error", message: "m" } }],
  ["only a member input", { input: [1] }],
  ["shaped like an event", { name: "a/b", data: { encrypted: { x: 1 }, y: 2 } }],
  ["shaped like a signal", { signal: "s", data: { x: 1 } }],
  ["shaped like a serialised error", { __serialized: true, name: "Error", message: "m", stack: "" }],
  ["shaped like an op", [{ op: "StepRun", id: "abc", data: 1 }]],
];

/**
 * RULE "outputs": these are not compared as a function's output. What has no JSON text the SDK signs as another
 * text than it sends, so that without stepseal the platform refuses the answer; and a text that is a JSON object
 * the platform takes for that object, when it is answered rather than checkpointed. A sealed output is neither.
 */
export const ODD_OUTPUTS: readonly string[] = [
  "a function",
  "a symbol",
  "toJSON to undefined",
  "a text that is JSON",
  // SDK v4 refuses it.
  ...(SDK.v4 ? [] : ["a bigint"]),
];

const INDEXES = VALUES.map((_, index) => index);

/** What the invoked functions are called with. */
const CALLED = invoke(staticSchema<{ index: number }>());

/** One event for each value; what cannot be sent is refused in the same way. */
function sends(name: string, wrap: (value: unknown) => Record<string, unknown>): Scenario {
  return {
    name,
    build: (inngest, see) => [
      inngest.createFunction(
        { id: "receiver", triggers: { event: "value" }, retries: 0 },
        async ({ event, step }) => {
          see("event.data", event.data);
          await step.run("between", () => 1);
          see("event.data, later", event.data);
        },
      ),
    ],
    play: async ({ engine, inngest, see }) => {
      for (const index of INDEXES) {
        const [what, value] = VALUES[index]!;
        await settle(see, `sent: ${what}`, () => inngest.send({ name: "value", data: wrap(value) }));
        await engine.advance("1m");
      }
    },
  };
}

/** One run for each value. */
function eachValue(indexes: readonly number[] = INDEXES): NonNullable<Scenario["play"]> {
  return async ({ engine, inngest }) => {
    for (const index of indexes) {
      await inngest.send({ name: "go", data: { index } });
      await engine.advance("1h");
    }
  };
}

export const VALUE_SCENARIOS: readonly Scenario[] = [
  {
    name: "values of every type as step output",
    build: (inngest, see) => [
      inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ event, step }) => {
        const [name, value] = VALUES[event.data.index as number]!;
        await settle(see, name, () => step.run("make", () => value));
        await step.run("between", () => 1);
        await settle(see, `${name}, in parallel`, () =>
          Promise.all([step.run("left", () => value), step.run("right", () => 2)]),
        );
      }),
    ],
    play: eachValue(),
  },
  {
    name: "values of every type as function output, seen by the caller and by a listener",
    build: (inngest, see) => {
      const child = inngest.createFunction(
        { id: "child", triggers: [CALLED], retries: 0 },
        async ({ event }) => {
          return VALUES[event.data.index]![1];
        },
      );
      const childWithStep = inngest.createFunction(
        { id: "child-with-step", triggers: [CALLED], retries: 0 },
        async ({ event, step }) => {
          await step.run("before", () => 1);
          return VALUES[event.data.index as number]![1];
        },
      );
      const parent = inngest.createFunction(
        { id: "parent", triggers: { event: "go" }, retries: 0 },
        async ({ event, step }) => {
          const { index } = event.data as { index: number };
          const [name] = VALUES[index]!;
          await settle(see, name, () => step.invoke("call", { function: child, data: { index } }));
          await settle(see, `${name}, after a step`, () =>
            step.invoke("call again", { function: childWithStep, data: { index } }),
          );
        },
      );
      return [parent, child, childWithStep];
    },
    play: eachValue(INDEXES.filter((index) => !ODD_OUTPUTS.includes(VALUES[index]![0]))),
  },
  sends("values of every type as a sealed event field", (value) => ({ encrypted: value, plain: 1 })),
  sends("values of every type as an event field that is not sealed", (value) => ({ other: value })),
  {
    name: "values of every type as invoke payload and as a step's input",
    build: (inngest, see) => {
      const child = inngest.createFunction({ id: "child", triggers: [], retries: 0 }, async ({ event }) => {
        see("payload", event.data);
      });
      const parent = inngest.createFunction(
        { id: "parent", triggers: { event: "go" }, retries: 0 },
        async ({ event, step }) => {
          const [name, value] = VALUES[event.data.index as number]!;
          await settle(see, name, () =>
            step.invoke("call", { function: child, data: { encrypted: value, plain: 1 } }),
          );
          await settle(see, `${name}, as input`, () =>
            step.run(
              "take",
              (given: unknown) => {
                see("input", given);
                return 1;
              },
              value,
            ),
          );
        },
      );
      return [parent, child];
    },
    play: eachValue(),
  },
];

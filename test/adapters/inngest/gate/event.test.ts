import { describe, expect, test } from "vitest";
import { chainDigest } from "../../../../src/adapters/chain.ts";
import {
  isEnvelopeShaped,
  isEventShaped,
  isLifecycleEvent,
  isObject,
  own,
  sealedStrings,
  withEntries,
} from "../../../../src/adapters/inngest/gate/event.ts";
import { namesOf, starts } from "../../../../src/adapters/inngest/gate/starts.ts";
import { triggerDigest } from "../../../../src/adapters/inngest/gate/trigger.ts";

const sealed = (data: string) => ({ __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data });

describe("what of an event ties a run to it", () => {
  test("are the sealed strings of its data and of its fields, in the order of their paths", () => {
    const data = { b: sealed("2"), plain: 1, a: sealed("1"), c: { deeper: sealed("no") } };
    expect(sealedStrings({ name: "go", data })).toEqual(["1", "2"]);
    expect(sealedStrings({ name: "go", data: { ...data, ...sealed("0") } })).toEqual(["0", "1", "2"]);
    for (const none of [undefined, null, "text", [sealed("1")]]) {
      expect(sealedStrings({ name: "go", data: none })).toEqual([]);
    }
  });

  const about = {
    event: { data: { x: sealed("event") } },
    events: [{ data: { x: sealed("first") } }, null, { data: { x: sealed("second") } }],
    error: { cause: sealed("error") },
  };

  test.each(["inngest/function.failed", "inngest/function.finished", "inngest/function.cancelled"])(
    "are those of the events and the error that %s tells of, too",
    (name) => {
      expect(isLifecycleEvent({ name })).toBe(true);
      const event = { name, data: { ...about, result: sealed("result"), a: sealed("a") } };
      expect(sealedStrings(event)).toEqual(["a", "error", "event", "first", "second", "result"]);
      expect(sealedStrings({ name, data: { events: { 0: about.events[0] } } })).toEqual([]);
    },
  );

  test("are in one order where two of them have the same path, too: the first of a name with dots", () => {
    const name = "inngest/function.failed";
    const data = { event: { data: sealed("2") }, "event.data": sealed("1"), z: sealed("3") };
    expect(sealedStrings({ name, data })).toEqual(["1", "2", "3"]);
    const { event, ...rest } = data;
    expect(sealedStrings({ name, data: { ...rest, event } })).toEqual(["1", "2", "3"]);
  });

  test.each(["go", "inngest/function.invoked", undefined, 7, ["inngest/function.failed"]])(
    "are not those in members that %o only calls so",
    (name) => {
      expect(isLifecycleEvent({ name })).toBe(false);
      expect(sealedStrings({ name, data: about })).toEqual([]);
    },
  );

  test("are taken in one order however the members stand, and otherwise in another", () => {
    const digest = (data: object) => triggerDigest({ name: "go", id: "1", data });
    const both = digest({ a: sealed("1"), b: sealed("2") });
    expect(digest({ b: sealed("2"), a: sealed("1") })).toEqual(both);
    expect(digest({ a: sealed("2"), b: sealed("1") })).not.toEqual(both);
  });

  test("is its id where nothing in it is sealed, and else not", () => {
    const digest = (id: unknown, data: object = {}) => triggerDigest({ name: "go", id, data });
    expect(digest("1")).not.toEqual(digest("2"));
    expect(digest("1", { a: sealed("1") })).toEqual(digest("2", { a: sealed("1") }));
    for (const none of [7, undefined]) expect(digest(none)).toEqual(chainDigest("go", [""]));
    expect(triggerDigest({ name: "go" })).not.toEqual(triggerDigest({ name: "come" }));
  });
});

describe("shapes", () => {
  test("an object is neither null nor a list", () => {
    expect([{}, null, [], "text", undefined].map(isObject)).toEqual([true, false, false, false, false]);
  });

  test("members are an object's own", () => {
    expect(own({ a: 1 }, "a")).toBe(1);
    expect(own({}, "constructor")).toBeUndefined();
    expect(own(["a"], "0")).toBeUndefined();
    expect(own(null, "a")).toBeUndefined();
  });

  test("an envelope has a mark and a text", () => {
    expect(isEnvelopeShaped(sealed("x"))).toBe(true);
    for (const other of [{ ...sealed("x"), __ENCRYPTED__: 1 }, { ...sealed("x"), data: 1 }, "x", null]) {
      expect(isEnvelopeShaped(other)).toBe(false);
    }
  });

  test("an event has a name and data, and is no envelope", () => {
    expect(isEventShaped({ name: "go", data: {} })).toBe(true);
    for (const other of [
      { name: "go", data: 1 },
      { name: 1, data: {} },
      { ...sealed("x"), name: "go" },
      null,
    ]) {
      expect(isEventShaped(other)).toBe(false);
    }
    expect(isEventShaped({ name: "go", data: {}, __ENCRYPTED__: true })).toBe(true);
  });

  test("entries are defined, not set, and are members like others", () => {
    const object = { a: 1, b: 2 };
    const copy = withEntries(
      object,
      new Map<string, unknown>([
        ["a", 3],
        ["__proto__", { polluted: 1 }],
      ]),
    );
    expect(Object.getOwnPropertyDescriptor(copy, "__proto__")).toEqual({
      value: { polluted: 1 },
      enumerable: true,
      configurable: true,
      writable: true,
    });
    expect(copy.polluted).toBeUndefined();
    expect([copy.a, copy.b, object.a]).toEqual([3, 2, 1]);
  });
});

describe("what starts a function", () => {
  test.each([
    [[{ event: "go" }], "go", true],
    [[{ event: "go" }], "inngest/function.invoked", true],
    [[{ event: "go" }], "gone", false],
    [[{ event: "go" }], undefined, false],
    [[{ event: "order/*" }], "order/paid", true],
    [[{ event: "order/*" }], "order/", true],
    [[{ event: "order/*" }], "orders", false],
    [[{ event: "order/" }], "order/paid", false],
    [[{ event: "order/*" }], undefined, false],
    [[{ event: "order/*" }], 7, false],
    [[{}], "inngest/scheduled.timer", true],
    [[{ event: "go" }], "inngest/scheduled.timer", false],
    [[], "inngest/function.invoked", true],
    [[{ event: "inngest/deferred.schedule" }], "inngest/deferred.schedule", true],
    [[{ event: "inngest/deferred.schedule" }], "inngest/function.invoked", false],
  ])("triggers %o, an event %o: %s", (triggers, name, does) => {
    expect(starts(namesOf(triggers as { event?: string }[]), name)).toBe(does);
  });
});

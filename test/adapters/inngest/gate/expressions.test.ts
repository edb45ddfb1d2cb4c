import { StepsealError } from "stepseal";
import { describe, expect, test } from "vitest";
import {
  checkFunctionConfig,
  checkWait,
  type FunctionConfig,
} from "../../../../src/adapters/inngest/gate/expressions.ts";

const FIELDS = new Set(["encrypted", "card"]);

/** What a check says is wrong; null where it finds nothing. */
function said(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof StepsealError && error.code === "CONFIG") return error.message;
    throw error;
  }
}

/** Of a function's configuration: the place and the field that are named, or null. */
function refused(config: Omit<FunctionConfig, "id"> & Record<string, unknown>): string | null {
  const message = said(() => checkFunctionConfig({ id: "app-order", ...config }, FIELDS));
  return message === null
    ? null
    : (/^function "app-order": (.* reads [^,]*), which/.exec(message)?.[1] ?? message);
}

const refusedOf = (event: string | undefined, expression: string) =>
  refused({ triggers: [{ ...(event !== undefined && { event }), expression } as { event?: string }] });

describe("an expression over an event", () => {
  test("may read what is readable, and no field that is sealed, by its data alone", () => {
    expect(refusedOf("go", "event.data.encrypted.x")).toBe("triggers[0].expression reads data.encrypted.x");
    expect(refusedOf("go", "event.data.card")).toBe("triggers[0].expression reads data.card");
    expect(refusedOf("go", "async.data.card")).toBe("triggers[0].expression reads data.card");
    for (const readable of [
      "event.data",
      "event.data.order",
      "event.user.card",
      "event.card",
      "event.data[card]",
    ]) {
      expect(refusedOf("go", readable)).toBeNull();
    }
  });

  test("is refused for the first sealed field that it reads, with what to do", () => {
    const check = () =>
      checkFunctionConfig({ id: "f", key: "event.data.a + event.data.card" } as never, FIELDS);
    expect(said(check)).toMatch(
      /^function "f": key reads data\.card, which is sealed: .* put a blind index of it there \(createBlindIndex\)$/,
    );
  });

  test("of a deferred call may read the platform's own member, and nothing of the input", () => {
    const deferred = "inngest/deferred.schedule";
    expect(refusedOf(deferred, "event.data._inngest.x")).toBeNull();
    expect(refusedOf(deferred, "event.data")).toBeNull();
    expect(refusedOf(deferred, "event.data.order")).toContain("reads data.order");
    expect(refusedOf(deferred, "event.data[x]")).toBeNull();
  });

  test.each(["inngest/function.failed", "inngest/function.finished", "inngest/function.cancelled"])(
    "%s may read of the run what leaves readable",
    (told) => {
      for (const sealed of [
        "event.data.event.data.card",
        "event.data.events[0].data.encrypted.x",
        "event.data.error.message",
        "event.data.error.stack",
        "event.data.error.cause.x",
        "event.data.error.code",
        "event.data.result",
        "event.data.result.x",
      ]) {
        expect(refusedOf(told, sealed)).not.toBeNull();
      }
      for (const readable of [
        "event.data.event.data.order",
        "event.data.event.name",
        "event.data.event.user.card",
        "event.data.event",
        "event.data.events[0].data.order",
        "event.data.events[0].user.card",
        "event.data.events[0].data",
        "event.data.events.data.card",
        "event.data.error.name",
        "event.data.error",
        "event.data.function_id",
        "event.data.card",
        "event.data.run.result",
        "event.data",
      ]) {
        expect(refusedOf(told, readable)).toBeNull();
      }
    },
  );
});

describe("a function's configuration", () => {
  test("is looked at wherever a text can stand, with its place", () => {
    const text = "event.data.card";
    expect(refused({ key: text })).toBe("key reads data.card");
    expect(refused({ concurrency: [{ limit: 1 }, { key: text }] })).toBe(
      "concurrency[1].key reads data.card",
    );
    expect(refused({ later: { a: [["x", text]] } })).toBe("later.a[0][1] reads data.card");
    expect(refused({ triggers: [{ event: "go" }, { event: "go", expression: text } as never] })).toBe(
      "triggers[1].expression reads data.card",
    );
    expect(refused({ limit: 1, batch: null, on: true, later: undefined })).toBeNull();
  });

  test("is not looked at where a text is none: its id, name and steps", () => {
    const id = "event.data.card";
    const steps = { step: { name: id, runtime: { url: id } } };
    expect(said(() => checkFunctionConfig({ id, name: id, steps } as never, FIELDS))).toBeNull();
  });

  test("a key is refused where it reads what is sealed of every trigger", () => {
    const error = "event.data.error.message";
    const [failed, finished] = ["inngest/function.failed", "inngest/function.finished"];
    expect(refused({ key: error, triggers: [{ event: failed }, { event: finished }] })).toContain(
      "key reads",
    );
    expect(refused({ key: error, triggers: [{ event: failed }, { event: "go" }] })).toBeNull();
    expect(refused({ key: error, triggers: [{ event: "go" }] })).toBeNull();
    // Of no trigger: any event.
    expect(refused({ key: "event.data.card", triggers: [] })).toContain("key reads");
    expect(refused({ key: "event.data.order", triggers: [] })).toBeNull();
    expect(refused({ key: "event.data.card", triggers: [{}] })).toContain("key reads");
    // What is awaited is an ordinary event, whatever starts the run.
    expect(refused({ cancel: [{ if: "async.data.card" }], triggers: [{ event: failed }] })).toContain(
      "cancel[0].if",
    );
    expect(
      refused({ cancel: [{ if: error.replace("event", "async") }], triggers: [{ event: failed }] }),
    ).toBeNull();
  });
});

describe("an expression of step.waitForEvent", () => {
  const wait = (given: object, startedBy = "go") =>
    said(() => checkWait({ ...given }, startedBy, FIELDS, 'step "w":'));

  test("names the step, the option and the field", () => {
    expect(wait({ event: "answer", match: "data.card" })).toMatch(/^step "w": match reads data\.card, which/);
    expect(wait({ event: "answer", if: "async.data.card" })).toMatch(/^step "w": if reads data\.card, which/);
    expect(wait({ event: "answer", if: "event.data.card" })).toMatch(/^step "w": if reads data\.card, which/);
    for (const good of [{}, { match: "data.order" }, { if: "async.data.order" }, { match: 1, if: null }]) {
      expect(wait({ event: "answer", ...good })).toBeNull();
    }
  });

  test("is read of the event that started the run, and of the one awaited", () => {
    const failed = "inngest/function.failed";
    const [ofEvent, ofAwaited] = ["event.data.result", "async.data.result"];
    expect(wait({ event: "answer", if: ofEvent }, failed)).not.toBeNull();
    expect(wait({ event: failed, if: ofEvent })).toBeNull();
    expect(wait({ event: "answer", if: ofAwaited }, failed)).toBeNull();
    expect(wait({ event: failed, if: ofAwaited })).not.toBeNull();
    expect(wait({ event: { name: failed }, if: ofAwaited })).not.toBeNull();
    for (const event of [null, undefined, 1, { name: 1 }, {}]) {
      expect(wait({ event, if: ofAwaited })).toBeNull();
      expect(wait({ event, if: "async.data.card" })).not.toBeNull();
    }
    // One of the two is enough for a match that reads both.
    expect(wait({ event: "answer", match: "data.result" }, failed)).not.toBeNull();
    expect(wait({ event: failed, match: "data.result" })).not.toBeNull();
  });
});

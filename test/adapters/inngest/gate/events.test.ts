import { createSealer, StepsealError } from "stepseal";
import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
import { isPlatformError } from "stepseal/inngest";
import { describe, expect, test } from "vitest";
import type { WireEvent } from "../../../../src/adapters/inngest/gate/event.ts";
import {
  type EventReader,
  isUntied,
  openEvent,
  sealFields,
} from "../../../../src/adapters/inngest/gate/events.ts";
import { markPlatformError } from "../../../../src/adapters/inngest/gate/platform-errors.ts";
import { atPlace, createPolicy } from "../../../../src/adapters/inngest/gate/policy.ts";
import { triggerDigest } from "../../../../src/adapters/inngest/gate/trigger.ts";
import { sealWireError } from "../../../../src/adapters/inngest/gate/wire-error.ts";
import type { Claims } from "../../../../src/claims.ts";
import { codeOf } from "../../../code-of.ts";
import { keyring } from "../keys.ts";
import { RUN, scopeOf, sealer } from "./scope.ts";

const { seal } = createSealer({ keyring: keyring() });

/** The reader of a function, and the places where it met plaintext. */
function readerOf(options: EncryptionMiddlewareOptions = {}, change: Partial<EventReader> = {}) {
  const met: string[] = [];
  const policy = { plaintext: (place: string) => void met.push(place) };
  const reader: EventReader = { sealer, options: scopeOf(options).options, policy, fn: RUN.fn, ...change };
  return { reader, met };
}

const opens = (event: WireEvent, options?: EncryptionMiddlewareOptions, change?: Partial<EventReader>) => {
  const { reader, met } = readerOf(options, change);
  return { ...openEvent(event, reader), met };
};

const field = (value: unknown, change: Partial<Claims> = {}) =>
  seal(value, { kind: "event.field", event: "go", field: "encrypted", ...change });

describe("the fields of an event", () => {
  test("that are named have to be sealed; what else is sealed for here is opened too, and all other stays", () => {
    const elsewhere = field(1, { field: "other" });
    const data = { encrypted: field(1), more: field(2, { field: "more" }), plain: 3, elsewhere };
    const { event, caller, met } = opens({ name: "go", data });
    expect(event).toEqual({ name: "go", data: { encrypted: 1, more: 2, plain: 3, elsewhere } });
    expect([caller, met]).toEqual([undefined, []]);
    expect(data.plain).toBe(3);
  });

  test.each([
    ["kind", { kind: "invoke.field", fn: RUN.fn }],
    ["event", { event: "other" }],
    ["field", { field: "other" }],
    ["fn", { fn: "app-other" }],
  ] as const)("that are not named stay what they are where their %s is another", (_name, change) => {
    const data = { more: field(2, { field: "more", ...change }) };
    expect(opens({ name: "go", data }).event).toEqual({ name: "go", data });
  });

  test("that are named and sealed for elsewhere are refused, with their place", () => {
    const event = { name: "go", data: { encrypted: field(1, { event: "other" }) } };
    const { reader } = readerOf();
    expect(codeOf(() => openEvent(event, reader))).toBe("CONTEXT");
    expect(() => openEvent(event, reader)).toThrow(/^event "go", field "encrypted": /);
  });

  test("that are plaintext are told of with their place, unless the event is one of a plain sender", () => {
    const event = { name: "go", data: { encrypted: 1 } };
    expect(opens(event)).toEqual({ event, caller: undefined, met: ['event "go", field "encrypted"'] });
    expect(opens(event, { plaintextFrom: { events: ["go"] } }).met).toEqual([]);
    expect(opens(event, { plaintextFrom: { events: ["other"] } }).met).toHaveLength(1);
  });

  test.each([[undefined], [null], ["text"], [["list"]]])("of an event with data %o are none", (data) => {
    const event = { name: "go", data };
    expect(opens(event)).toEqual({ event, caller: undefined, met: [] });
  });

  test("that hold nothing stay, as without stepseal", () => {
    const { event } = opens({ name: "go", data: { encrypted: field(undefined) } });
    expect(Object.keys(event.data as object)).toEqual(["encrypted"]);
  });
});

describe("a call", () => {
  const name = "inngest/function.invoked";
  const parent = new Uint8Array(32).fill(3);
  const call = (value: unknown, change: Partial<Claims> = {}) =>
    seal(value, { kind: "invoke.field", fn: RUN.fn, field: "encrypted", parent, ...change });

  test("has fields for the function it calls, and a token", () => {
    const { event, caller } = opens({ name, data: { encrypted: call(1), plain: 2 } });
    expect(event).toEqual({ name, data: { encrypted: 1, plain: 2 } });
    expect(caller).toEqual(parent);
  });

  test("with an envelope that holds its token alone has no such field", () => {
    const { event, caller } = opens({ name, data: { encrypted: call(undefined), plain: 2 } });
    expect(Object.keys(event.data as object)).toEqual(["plain"]);
    expect(caller).toEqual(parent);
  });

  test("of another function, or an event in place of a call, is refused", () => {
    for (const other of [call(1, { fn: "app-other" }), field(1)]) {
      expect(codeOf(() => opens({ name, data: { encrypted: other } }))).toBe("CONTEXT");
    }
  });

  test("with fields of two calls is refused, also where one of them has no token", () => {
    const place = { kind: "invoke.field", fn: RUN.fn, field: "more" } as const;
    for (const more of [seal(2, place), seal(2, { ...place, parent: new Uint8Array(32).fill(4) })]) {
      const event = { name, data: { encrypted: call(1), more } };
      expect(codeOf(() => opens(event, { eventFields: ["encrypted", "more"] }))).toBe("CONTEXT");
    }
  });

  test("without a token is one where such calls are made", () => {
    const { options } = scopeOf({ plaintext: "warn" });
    expect(isUntied({ name }, undefined, options)).toBe(true);
    expect(isUntied({ name }, parent, options)).toBe(false);
    expect(isUntied({ name: "go" }, undefined, options)).toBe(false);
    expect(isUntied({ name }, undefined, scopeOf().options)).toBe(false);
  });
});

describe("a deferred call", () => {
  const name = "inngest/deferred.schedule";
  const input = (value: unknown, fn: string = RUN.fn) => seal(value, { kind: "defer.input", fn });
  const place = 'event "inngest/deferred.schedule", its input';

  test("has its input, and what the platform put beside it", () => {
    const data = { ...input({ card: 1 }), _inngest: { fn_slug: RUN.fn }, _inngestExperiment: { a: 1 } };
    const { event, met } = opens({ name, data });
    expect(event.data).toEqual({ card: 1, _inngest: { fn_slug: RUN.fn }, _inngestExperiment: { a: 1 } });
    expect(met).toEqual([]);
  });

  test("has its input alone where that is no object", () => {
    const { event } = opens({ name, data: { ...input("text"), _inngest: {} } });
    expect(event).toEqual({ name, data: "text" });
  });

  test("with other members beside it, or in plaintext, is told of", () => {
    expect(opens({ name, data: { ...input({}), card: 1 } }).met).toEqual([`${place}, member "card"`]);
    const event = { name, data: { card: 1 } };
    expect(opens(event)).toMatchObject({ event, met: [place] });
  });

  test("of another function is refused", () => {
    expect(codeOf(() => opens({ name, data: input({}, "app-other") }))).toBe("CONTEXT");
    expect(() => opens({ name, data: input({}, "app-other") })).toThrow(place);
  });
});

describe("fields are sealed", () => {
  const both = (value: unknown, name: string) => seal([value, name], { kind: "event.field" });
  test("where they are, into a copy", () => {
    const data = { encrypted: 1, plain: 2 };
    const sealed = sealFields(data, new Set(["encrypted", "none"]), both);
    expect(sealer.open(sealed?.encrypted, { kind: "event.field" })).toEqual([1, "encrypted"]);
    expect({ ...sealed, encrypted: 1 }).toEqual(data);
    expect(data.encrypted).toBe(1);
  });

  test("and data without one is itself, none is none, and what is no object is refused", () => {
    const data = { plain: 1 };
    expect(sealFields(data, new Set(["encrypted", "constructor"]), both)).toBe(data);
    for (const none of [undefined, null]) expect(sealFields(none, new Set(), both)).toBeUndefined();
    for (const other of ["text", 7, ["list"]]) {
      expect(codeOf(() => sealFields(other, new Set(), both))).toBe("REFUSED");
    }
  });
});

describe("what is told of a run that ended", () => {
  const started = { name: "go", id: "1", data: { encrypted: field(1) } };
  const plain = { name: "go", id: "1", data: {} };
  const parent = triggerDigest(started);
  const ERROR = { __serialized: true, name: "Error", message: "card 4111", stack: "at card.ts" };
  const failed = (claims: Partial<Claims> = {}) =>
    sealWireError(ERROR, { kind: "fn.error", ...RUN, parent, ...claims }, sealer, "seal");
  const about = (data: object, name = "inngest/function.finished"): WireEvent => ({
    name,
    data: { function_id: RUN.fn, run_id: RUN.run, event: started, events: [started], ...data },
  });
  const TIMEOUT = { name: "InngestErrFunctionTimeout", message: "timed out", error: "timed out" };
  const at = `event "inngest/function.finished" about run ${RUN.run} of function "${RUN.fn}"`;

  test("is opened: its events, its error and its result", () => {
    const result = seal({ card: 2 }, { kind: "fn.output", ...RUN, parent });
    const { event, met } = opens(about({ error: failed(), result }));
    const shown = { name: "go", id: "1", data: { encrypted: 1 } };
    expect(event.data).toMatchObject({ event: shown, events: [shown], error: ERROR, result: { card: 2 } });
    expect(met).toEqual([]);
  });

  test("is another's: an error or a result of another run, function or event is refused, and its place told", () => {
    for (const change of [{ run: "01OTHER" }, { fn: "app-other" }, { parent: new Uint8Array(32) }]) {
      const result = seal(1, { kind: "fn.output", ...RUN, parent, ...change });
      expect(() => opens(about({ error: failed(change) }))).toThrow(`${at}, its error: `);
      expect(() => opens(about({ result }))).toThrow(`${at}, its result: `);
      expect(() => opens(about({ result: failed(change) }))).toThrow(`${at}, its result: `);
    }
  });

  test("where nothing of its event is sealed, ties it to no event", () => {
    const result = seal(1, { kind: "fn.output", ...RUN, parent: new Uint8Array(32).fill(9) });
    const { event } = opens(about({ event: plain, events: [plain], result }));
    expect(event.data).toMatchObject({ result: 1 });
  });

  test("ties it to the first of several events, and to `event` where there is no list", () => {
    const second = { name: "go", id: "2", data: { encrypted: field(2) } };
    const result = seal(1, { kind: "fn.output", ...RUN, parent });
    expect(opens(about({ events: [started, second], result })).event.data).toMatchObject({ result: 1 });
    expect(opens(about({ events: undefined, result })).event.data).toMatchObject({ result: 1 });
    expect(codeOf(() => opens(about({ event: second, events: [second, started], result })))).toBe("CONTEXT");
  });

  test("with an event that is none of its list is refused, unless nothing tells them apart", () => {
    const second = { name: "go", id: "2", data: { encrypted: field(2) } };
    expect(codeOf(() => opens(about({ events: [second] })))).toBe("CONTEXT");
    expect(opens(about({ events: [second, started] })).met).toEqual([]);
    expect(opens(about({ event: plain, events: [started] })).met).toEqual([]);
    expect(opens(about({ events: [] })).met).toEqual([]);
  });

  test("with an event that starts no run of the function is refused, where it is known what does", () => {
    expect(codeOf(() => opens(about({}), {}, { nestedStarts: new Set(["other"]) }))).toBe("CONTEXT");
    expect(opens(about({}), {}, { nestedStarts: new Set(["go"]) }).met).toEqual([]);
  });

  test("leaves members of a list that are no events as they are", () => {
    const { event } = opens(about({ events: [started, null, "text"] }));
    expect((event.data as { events: unknown[] }).events.slice(1)).toEqual([null, "text"]);
    const moved = failed({ parent: new Uint8Array(32) });
    expect(codeOf(() => opens(about({ events: [null, started], error: moved })))).toBe("CONTEXT");
    for (const none of [undefined, "text"]) {
      expect(opens(about({ event: none })).event.data).toMatchObject({ event: none });
    }
  });

  test.each([{ function_id: 7 }, { run_id: undefined }])(
    "and not whose run it is, is plaintext: %o",
    (change) => {
      const told = about(change);
      const { event, met } = opens(told);
      expect(event).toBe(told);
      expect(met).toEqual(['event "inngest/function.finished", which does not say whose run it is about']);
    },
  );

  test("by the platform itself is marked as its own, and refused where that is asked for", () => {
    const { event, met } = opens(about({ error: TIMEOUT }));
    const { error } = event.data as { error: unknown };
    expect([error, isPlatformError(error), met]).toEqual([TIMEOUT, true, []]);
    const strict = { plaintextFrom: { platformErrors: false } };
    expect(opens(about({ error: TIMEOUT }), strict).met).toEqual([`${at}, its error`]);
    const own = opens(about({ error: failed() }), strict);
    expect([isPlatformError((own.event.data as { error: unknown }).error), own.met]).toEqual([false, []]);
  });

  test.each([
    ["the error itself", TIMEOUT, true],
    ["the error in an object", { error: TIMEOUT }, true],
    ["an error with the same words", { message: "timed out" }, true],
    ["the error beside something else", { error: TIMEOUT, card: 1 }, false],
    ["the error with something else inside", { ...TIMEOUT, card: 1 }, false],
    ["another error", { ...TIMEOUT, message: "card 4111" }, false],
    ["an object without words", {}, false],
    ["an object in the place of the error", { error: "timed out" }, false],
    ["its words", "timed out", true],
    ["its JSON", JSON.stringify({ error: { message: "timed out" } }), true],
    ["other words", "card 4111", false],
    ["other JSON", JSON.stringify({ error: { message: "card 4111" } }), false],
    ["JSON with something more", JSON.stringify({ error: { message: "timed out", card: 1 } }), false],
    ["JSON that tells of none", JSON.stringify({ card: 1 }), false],
    ["JSON with words for an error", JSON.stringify({ error: "timed out" }), false],
    ["a number", 4111, false],
  ])("may repeat the platform's error as the result: %s", (_name, result, may) => {
    const { event, met } = opens(about({ error: TIMEOUT, result }));
    expect(met).toEqual(may ? [] : [`${at}, its result`]);
    const { result: shown } = event.data as { result: unknown };
    expect(shown).toEqual(result);
    expect(isPlatformError(shown)).toBe(may && typeof result === "object");
  });

  test("may repeat nothing where the platform told of no error of its own", () => {
    for (const result of [TIMEOUT, "timed out", {}, { name: "Error" }]) {
      expect(opens(about({ error: failed(), result })).met).toEqual([`${at}, its result`]);
      expect(opens(about({ result })).met).toEqual([`${at}, its result`]);
    }
  });

  test("with the sealed error as its result has both, and of the second its type, too", () => {
    const sealed = { ...failed(), type: "of the platform" };
    const { event, met } = opens(about({ error: failed(), result: sealed }));
    expect(event.data).toMatchObject({ error: ERROR, result: ERROR });
    expect((event.data as { result: object }).result).not.toHaveProperty("type");
    expect(met).toEqual([]);
  });

  test("with an error that is no object is plaintext, and none is none", () => {
    expect(opens(about({ error: "card 4111" })).met).toEqual([`${at}, its error`]);
    for (const none of [null, undefined]) expect(opens(about({ error: none, result: none })).met).toEqual([]);
  });

  test("of a function without stepseal may be plaintext", () => {
    const options = { plaintextFrom: { functions: [RUN.fn] } };
    expect(opens(about({ error: "x", result: 1 }), options).met).toEqual([]);
  });

  test("is opened once, however deep it stands in what is told of other runs", () => {
    let opened = 0;
    const counting = {
      ...sealer,
      open: (...args: Parameters<typeof sealer.open>) => {
        opened++;
        return sealer.open(...args);
      },
    };
    let told = started;
    for (let depth = 0; depth < 10; depth++) {
      const data = { function_id: RUN.fn, run_id: RUN.run, events: [told] };
      told = { name: "inngest/function.finished", id: "1", data } as never;
    }
    opens(told, {}, { sealer: counting });
    expect(opened).toBe(1);
  });

  test("leaves what was given as it was", () => {
    const told = about({ error: failed(), result: failed() });
    const before = structuredClone(told);
    opens(told);
    expect(told).toEqual(before);
  });
});

test("the policy says what it does with plaintext: refuse it, warn of it, or take it", () => {
  const said: string[] = [];
  const warn = (message: string) => void said.push(message);
  expect(codeOf(() => createPolicy("reject", warn).plaintext("step a"))).toBe("PLAINTEXT_REJECTED");
  expect(() => createPolicy("reject", warn).plaintext("step a")).toThrow(/^step a: plaintext stands where/);
  createPolicy("accept", warn).plaintext("step a");
  expect(said).toEqual([]);
  createPolicy("warn", warn).plaintext("step a");
  expect(said).toEqual(["stepseal: step a: plaintext accepted where a sealed value is expected"]);
});

test("a failure says where it was, and which key it was about, once", () => {
  const failing = (error: unknown) => (): never => {
    throw error;
  };
  const failed = (error: unknown): unknown => {
    try {
      return atPlace("step a", failing(error));
    } catch (caught) {
      return caught;
    }
  };
  expect(failed(new StepsealError("CONTEXT", "moved"))).toMatchObject({
    code: "CONTEXT",
    message: "step a: moved",
  });
  expect(failed(new StepsealError("CONTEXT", "moved"))).toHaveProperty("kid", undefined);
  const kid = "0123456789abcdef";
  expect(failed(new StepsealError("CORRUPT", "altered", { kid }))).toMatchObject({
    ...{ code: "CORRUPT", message: `step a: altered (key ${kid})`, kid },
  });
  expect(failed(new StepsealError("CORRUPT", `altered, key ${kid}`, { kid }))).toMatchObject({
    message: `step a: altered, key ${kid}`,
  });
  const other = new TypeError("of the user");
  expect(failed(other)).toBe(other);
  expect(atPlace("step a", () => 1)).toBe(1);
});

test("what is no object is no error of the platform's", () => {
  for (const value of [null, undefined, "timed out", 7]) {
    markPlatformError(value);
    expect(isPlatformError(value)).toBe(false);
  }
});

import fc from "fast-check";
import { createBlindIndex, createKeyring, createSealer, isSealed, StepsealError } from "stepseal";
import { findPlaintext } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { createApp, KEY, keyring, OTHER_KEY } from "./adapters/inngest/harness.ts";

const blindIndex = createBlindIndex({ keyring: keyring() });
const { primary } = keyring();

describe("a token", () => {
  test("is the one that the format says", () => {
    // By another implementation: HKDF and HMAC of Python's standard library.
    expect(blindIndex("ada@example.com", "customer")).toBe("ShCuJ1poBIxZhYqjFW0wbg");
    expect(blindIndex(17, "order")).toBe("CfURH7AyN7Z4159OfV-5bg");
    expect(createBlindIndex({ keyring: keyring(), scope: "production" })(true, "é")).toBe(
      "WfDtPWH9NnFgwHIK-Jt4RQ",
    );
  });

  test("is 22 characters of base64url, the same each time and in each process", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "grapheme" }), fc.integer(), fc.boolean()), (value) => {
        const token = blindIndex(value, "label");
        expect(token).toMatch(/^[A-Za-z0-9_-]{22}$/);
        expect(createBlindIndex({ keyring: keyring() })(value, "label")).toBe(token);
      }),
    );
  });

  test("differs for another value, type, label, scope or key", () => {
    const of = (options: object = {}) => createBlindIndex({ keyring: keyring(), ...options });
    const tokens = [
      of()("17", "a"),
      of()(17, "a"),
      of()("17", "b"),
      of()("17 ", "a"),
      of()("true", "a"),
      of()(true, "a"),
      of()(false, "a"),
      of({ scope: "x" })("17", "a"),
      of({ scope: "xa" })("17", "a"),
      of({ keyring: createKeyring({ key: OTHER_KEY }) })("17", "a"),
      // Parts cannot lend each other characters.
      of()("b17", "a"),
      of()("17", "ab"),
    ];
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  test("is no envelope, and opens to nothing", () => {
    const token = blindIndex("4111 1111 1111 1111", "card");
    expect(isSealed(token)).toBe(false);
    const sealer = createSealer({ keyring: keyring() });
    expect(() => sealer.open(token, { kind: "custom" })).toThrow(StepsealError);
  });
});

describe("a rotation", () => {
  const rotated = createKeyring({ key: OTHER_KEY, fallbackKeys: [KEY] });

  test("changes tokens, unless they name the key they are made under", () => {
    const before = blindIndex("ada", "customer");
    expect(createBlindIndex({ keyring: rotated })("ada", "customer")).not.toBe(before);
    expect(createBlindIndex({ keyring: rotated, kid: primary })("ada", "customer")).toBe(before);
  });

  test("to a ring without that key is noticed when the function is made", () => {
    const without = createKeyring({ key: OTHER_KEY });
    const make = () => createBlindIndex({ keyring: without, kid: primary });
    expect(make).toThrow(
      expect.objectContaining({ code: "UNKNOWN_KEY", message: expect.stringContaining(primary) }),
    );
    const disabled = createKeyring({
      keys: [
        { key: OTHER_KEY, state: "primary" },
        { key: KEY, state: "disabled" },
      ],
    });
    expect(() => createBlindIndex({ keyring: disabled, kid: primary })).toThrow(
      expect.objectContaining({ code: "KEY_DISABLED" }),
    );
  });
});

describe("what has no token", () => {
  test.each([null, undefined, Number.NaN, Number.POSITIVE_INFINITY, 5n, {}, [], Symbol("x"), "\ud800"])(
    "%o is refused",
    (value) => {
      const make = () => blindIndex(value as never, "label");
      expect(make).toThrow(expect.objectContaining({ code: "FORMAT" }));
    },
  );

  test.each([
    ["", "CONFIG"],
    [7, "CONFIG"],
    [undefined, "CONFIG"],
  ])("the label %o is refused", (label, code) => {
    expect(() => blindIndex("x", label as never)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    [{ keyring: {} }, /keyring/],
    [{ keyring: keyring(), scope: "" }, /scope/],
    [{ keyring: keyring(), scope: 7 }, /scope/],
  ])("options %o are refused", (options, message) => {
    expect(() => createBlindIndex(options as never)).toThrow(message);
  });
});

test("events are matched and grouped by tokens, and the platform never sees the value", async () => {
  const EMAILS = ["mk-ada@example.com", "mk-bob@example.com"] as const;
  const seen: unknown[] = [];
  const { engine, inngest } = await createApp((client) => [
    client.createFunction(
      { id: "fn", triggers: { event: "order" }, concurrency: { key: "event.data.customer", limit: 1 } },
      async ({ event, step }) => {
        const paid = await step.waitForEvent("paid", {
          event: "paid",
          timeout: "1d",
          match: "data.customer",
        });
        seen.push([event.data.encrypted.email, paid?.data.encrypted.amount]);
      },
    ),
  ]);
  const send = (name: string, email: string, encrypted: object) =>
    inngest.send({ name, data: { customer: blindIndex(email, "customer"), encrypted } });
  for (const email of EMAILS) await send("order", email, { email });
  await engine.idle();
  await send("paid", EMAILS[1], { amount: 2 });
  await engine.idle();
  await send("paid", EMAILS[0], { amount: 1 });
  await engine.idle();
  expect(seen).toEqual([
    [EMAILS[1], 2],
    [EMAILS[0], 1],
  ]);
  expect(findPlaintext(engine.wire, [...EMAILS])).toEqual([]);
});

import { AESEncryptionService } from "@inngest/middleware-encryption/strategies/aes";
import fc from "fast-check";
import { createKeyring, createSealer } from "stepseal";
import { describe, expect, test } from "vitest";
import { legacySealer } from "../../src/legacy/sealer.ts";
import { envelopeSealer, type SealedValue } from "../../src/value-sealer.ts";
import { key } from "../keyring/roots.ts";
import { compat, libsodiumValue, OTHER, PASSPHRASE, PLACE, v0Value } from "../legacy/support.ts";
import { fuzz, MARKER, outcomeOf, TIMEOUT } from "./fuzz.ts";
import { changedJson, changedText } from "./mutations.ts";

const SECRETS = [PASSPHRASE, OTHER];
const bound = compat({ passphrases: [PASSPHRASE, OTHER], v0: true });
const mixed = legacySealer(envelopeSealer(createSealer({ keyring: createKeyring({ key: key("fuzz") }) })), {
  passphrases: [PASSPHRASE],
  read: true,
  write: false,
  v0: true,
  scope: undefined,
  onUse: undefined,
});
const value = { [MARKER]: MARKER };
const places = ["step 1", "step 2"].map((step) => ({ ...PLACE, step }));
const sealed = places.flatMap((place) => [
  bound.seal(value, place),
  compat({ passphrases: [OTHER] }).seal(value, place),
]);
const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= ";
const withPlace = fc.constantFrom(...places);

describe("a value in an official format", { timeout: TIMEOUT }, () => {
  test("that says where it belongs and was changed never opens", async () => {
    const changed = fc
      .record({
        one: fc.constantFrom(...sealed),
        other: fc.constantFrom(...sealed),
        name: fc.constantFrom("data", "k", "c", "t"),
        change: changedText(base64),
      })
      .map(({ one, other, name, change }) => {
        const member = name as "data" | "k" | "c" | "t";
        return { ...one, [member]: change(one[member]!, other[member]!) } as SealedValue;
      });
    await fuzz(
      fc.property(changed, withPlace, (one, place) => {
        const isWhole = sealed.some(
          ({ data, k, c, t }) => one.data === data && one.k === k && one.c === c && one.t === t,
        );
        const outcome = outcomeOf(() => bound.open(one, place), SECRETS);
        if (!isWhole) expect(outcome).toHaveProperty("code");
        outcomeOf(() => bound.claimsOf(one));
      }),
      300,
    );
  });

  test("that does not, opens to what was sealed, or not at all", async () => {
    await fuzz(
      fc.property(
        fc.constantFrom(...sealed),
        fc.constantFrom(...sealed),
        changedText(base64),
        (one, other, change) => {
          const data = change(one.data, other.data);
          const outcome = outcomeOf(() => bound.open(libsodiumValue(data), PLACE), SECRETS);
          const isWhole = sealed.some((whole) => whole.data === data);
          expect(outcome).toEqual(
            isWhole ? { value } : { code: expect.stringMatching(/^(UNKNOWN_KEY|FORMAT)$/) },
          );
        },
      ),
      300,
    );
  });

  test("that nothing authenticates, of before 1.0, opens to JSON or is refused", async () => {
    const data = new AESEncryptionService(PASSPHRASE).encrypt(value);
    await fuzz(
      fc.property(changedText(base64), (change) => {
        const outcome = outcomeOf(() => bound.open(v0Value(change(data)), PLACE), SECRETS);
        if ("value" in outcome) expect(JSON.parse(JSON.stringify(outcome.value))).toEqual(outcome.value);
      }),
      300,
    );
  });

  test("or in its place: any value is refused with a code, and shown nowhere", async () => {
    const shape = fc.record(
      {
        __ENCRYPTED__: fc.constantFrom<unknown>(true, true, true, "true", 1),
        __STRATEGY__: fc.constantFrom<unknown>(
          "inngest/libsodium",
          "inngest/aes",
          "stepseal/v1",
          undefined,
          1,
        ),
        data: fc.oneof(fc.base64String(), fc.string({ unit: "binary" }), fc.jsonValue()),
        k: fc.oneof(fc.constant(sealed[0]!.k), fc.jsonValue()),
        c: fc.oneof(fc.constant(sealed[0]!.c), fc.base64String(), fc.jsonValue()),
        t: fc.oneof(fc.constant(sealed[0]!.t), fc.base64String(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const changed = changedJson(["data", "k", "c", "t", "__STRATEGY__"]).map((change) => change(sealed[0]!));
    await fuzz(
      fc.property(fc.oneof(shape, changed, fc.anything()), withPlace, (one, place) => {
        for (const sealer of [bound, mixed, compat({ read: "bound" }), compat({ read: false })]) {
          const outcome = outcomeOf(() => sealer.open(one, place), SECRETS);
          if ("value" in outcome) expect(outcome.value).toEqual(value);
          outcomeOf(() => sealer.claimsOf(one), SECRETS);
          outcomeOf(() => sealer.recognises(one), SECRETS);
        }
      }),
      300,
    );
  });
});

import { createSealer, StepsealError } from "stepseal";
import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { resolveOptions } from "../../../../src/adapters/inngest/gate/options.ts";
import { codeOf } from "../../../code-of.ts";
import { KEY, keyring } from "../keys.ts";

// As importing zod does, in apps that use it: its words for what is wrong are then those of a language, for all who use it.
z.config(z.locales.en());

const resolved = (options: EncryptionMiddlewareOptions = {}) =>
  resolveOptions({ keyring: keyring(), ...options });

describe("what is not said is", () => {
  test("the strictest there is", () => {
    expect(resolved()).toMatchObject({
      eventFields: new Set(["encrypted"]),
      seals: true,
      plaintext: "reject",
      runBinding: "trigger",
      errors: "seal",
      gateway: "refuse",
      platformErrors: true,
      plainFunctions: new Set(),
      plainEvents: new Set(),
      editedInputs: false,
      takesUntied: false,
      legacy: { writes: false },
    });
    expect(resolved().allows("fetch")).toBe(false);
    expect(resolved().legacy.opensField("card")).toBe(false);
  });

  test("what is said, where it is", () => {
    const options = resolved({
      eventFields: ["card"],
      plaintext: "warn",
      runBinding: "run",
      errors: "redact",
      gateway: "local",
      plaintextFrom: { platformErrors: true, functions: ["a-b"], events: ["go"], editedInputs: true },
      allowPlaintext: ["fetch"],
    });
    expect(options).toMatchObject({
      eventFields: new Set(["card"]),
      plaintext: "warn",
      runBinding: "run",
      errors: "redact",
      gateway: "local",
      platformErrors: true,
      plainFunctions: new Set(["a-b"]),
      plainEvents: new Set(["go"]),
      editedInputs: true,
      takesUntied: true,
    });
    expect([options.allows("fetch"), options.allows("signal")]).toEqual([true, false]);
    expect(resolved({ plaintextFrom: { platformErrors: false } }).platformErrors).toBe(false);
  });

  test("where nothing is sealed, what takes and lets out everything", () => {
    const options = resolved({ decryptOnly: true });
    expect(options).toMatchObject({ seals: false, plaintext: "accept", takesUntied: true });
    expect(options.allows("signal")).toBe(true);
    expect(resolved({ decryptOnly: true, plaintext: "accept" }).plaintext).toBe("accept");
    expect(resolved({ decryptOnly: false })).toMatchObject({ seals: true, plaintext: "reject" });
  });

  const passphrases = ["a passphrase"];
  test.each([
    [{}, { plaintext: "warn", takesUntied: true, opens: true }],
    [{ read: true }, { plaintext: "warn", takesUntied: true, opens: true }],
    [{ read: "bound" }, { plaintext: "reject", takesUntied: true, opens: false }],
    [{ read: false }, { plaintext: "reject", takesUntied: false, opens: false }],
  ] as const)(
    "with values of the official middleware, by how they are read: %o",
    (legacy, { opens, ...shown }) => {
      const options = resolved({ legacy: { passphrases, fields: ["card"], ...legacy } });
      expect(options).toMatchObject(shown);
      expect([options.legacy.opensField("card"), options.legacy.opensField("other")]).toEqual([opens, false]);
      expect(options.legacy.writes).toBe(false);
      expect(resolved({ plaintext: "reject", legacy: { passphrases, ...legacy } }).plaintext).toBe("reject");
    },
  );

  test("no value of theirs is written, unless it is said", () => {
    expect(resolved({ legacy: { passphrases, write: true } }).legacy.writes).toBe(true);
  });
});

describe("options that exclude each other are refused by name", () => {
  const passphrases = ["a passphrase"];
  test.each([
    [{ decryptOnly: true, plaintext: "reject" }, 'option "plaintext" is "reject"'],
    [{ decryptOnly: true, plaintext: "warn" }, 'option "plaintext" is "warn"'],
    [{ errors: "redact", plaintextFrom: { platformErrors: false } }, 'option "errors" is "redact"'],
    [{ errors: "plaintext", plaintextFrom: { platformErrors: false } }, 'option "errors" is "plaintext"'],
    [{ legacy: { passphrases, write: true, read: false } }, 'option "legacy.write"'],
    [{ decryptOnly: true, legacy: { passphrases, write: true } }, 'option "legacy.write"'],
  ] as [EncryptionMiddlewareOptions, string][])("%o", (options, says) => {
    expect(codeOf(() => resolved(options))).toBe("CONFIG");
    expect(() => resolved(options)).toThrow(`encryptionMiddleware: ${says}`);
  });

  test.each([
    { errors: "seal", plaintextFrom: { platformErrors: false } },
    { errors: "redact", plaintextFrom: { platformErrors: true } },
    { decryptOnly: true, legacy: { passphrases, write: false, read: false } },
    { legacy: { passphrases, write: true, read: "bound" } },
  ] as EncryptionMiddlewareOptions[])("and %o do not", (options) => {
    expect(() => resolved(options)).not.toThrow();
  });
});

describe("an option that is wrong is named, with what it may be, and is not shown", () => {
  test.each([
    [{ plaintext: "maybe-4111" }, 'option "plaintext" must be one of "reject", "warn", "accept"'],
    [{ eventFields: "card-4111" }, 'option "eventFields" must be of type array'],
    [{ eventFields: [""] }, 'option "eventFields.0" must not be empty'],
    [{ eventFields: ["_inngest"] }, 'option "eventFields.0" names a member that cannot be sealed'],
    [{ eventFields: ["__proto__"] }, 'option "eventFields.0" names a member that cannot be sealed'],
    [{ onUse: 4111 }, 'option "onUse" expected a function'],
    [{ scope: "" }, 'option "scope" must not be empty'],
    [{ legacy: {} }, 'option "legacy.passphrases" must be of type array'],
    [{ legacy: { passphrases: [] } }, 'option "legacy.passphrases" needs a passphrase'],
    [{ legacy: { passphrases: [" "] } }, 'option "legacy.passphrases.0" must not be empty'],
    [
      { legacy: { passphrases: Array(9).fill("4111") } },
      'option "legacy.passphrases" holds more than 8 passphrases',
    ],
    [{ legacy: { passphrases: ["a"], read: "4111" } }, 'option "legacy.read" must be true, false or "bound"'],
    [{ keyring: undefined, key: KEY, fallbackKey: "x" }, 'has the unknown option "fallbackKey"; known: '],
    [
      { plaintextFrom: { platformError: false, event: [] } },
      'option "plaintextFrom" has the unknown option "platformError", "event"; known: platformErrors, functions, events, editedInputs',
    ],
    [
      { plaintext: "4111", errors: "4111" },
      'option "plaintext" must be one of "reject", "warn", "accept"; option "errors" must be one of "seal", "redact", "plaintext"',
    ],
  ])("%o", (options, says) => {
    const make = (): unknown => resolved(options as never);
    expect(codeOf(make)).toBe("CONFIG");
    expect(make).toThrow(`encryptionMiddleware: ${says}`);
    expect(make).not.toThrow("4111");
  });
});

describe("the sealer", () => {
  const value = (scope?: string) =>
    createSealer({ keyring: keyring(), ...(scope !== undefined && { scope }) }).seal(1, { kind: "signal" });

  test("is one of the scope", async () => {
    const open = async (options: EncryptionMiddlewareOptions, given: unknown): Promise<unknown> => {
      const sealer = await resolved(options).sealer();
      return sealer.open(given, { kind: "signal" });
    };
    expect(await open({ scope: "tenant" }, value("tenant"))).toBe(1);
    await expect(open({}, value("tenant"))).rejects.toBeInstanceOf(StepsealError);
    await expect(open({ scope: "tenant" }, value())).rejects.toBeInstanceOf(StepsealError);
  });

  test("opens values of the official middleware where there are passphrases, and seals none and opens no older", async () => {
    const passphrases = ["a passphrase"];
    const sealerOf = (legacy: object) => resolved({ legacy: { passphrases, ...legacy } }).sealer();
    const { seal } = await sealerOf({ write: true });
    const { seal: own, open } = await sealerOf({});
    expect(open(seal(1, { kind: "signal" }), { kind: "signal" })).toBe(1);
    expect(own(1, { kind: "signal" }).__STRATEGY__).toBe("stepseal/v1");
    const older = { __ENCRYPTED__: true, data: "" };
    expect(codeOf(() => open(older, { kind: "signal" }))).toBe("LEGACY_NO_KEY");
  });

  test("is of one set of keys, or the options are refused by name", () => {
    const both = { keyring: keyring(), key: KEY };
    expect(() => resolveOptions(both)).toThrow(/^encryptionMiddleware: options "keyring" and "key"/);
  });

  test("tells of each use, of values of the official middleware, too", async () => {
    for (const legacy of [undefined, { passphrases: ["a passphrase"], write: true }]) {
      const used: unknown[] = [];
      const onUse = ({ operation }: { operation: string }): void => void used.push(operation);
      const { seal } = await resolved({ onUse, ...(legacy !== undefined && { legacy }) }).sealer();
      expect(seal(1, { kind: "signal" }).__STRATEGY__).toBe(
        legacy === undefined ? "stepseal/v1" : "inngest/libsodium",
      );
      expect(used).toEqual(["seal"]);
    }
  });
});

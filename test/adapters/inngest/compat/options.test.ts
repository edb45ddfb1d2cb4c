import { AESEncryptionService } from "@inngest/middleware-encryption/strategies/aes";
import { encryptionMiddleware } from "stepseal/inngest";
import * as compat from "stepseal/inngest/compat";
import { describe, expect, test } from "vitest";
import type { EncryptionService } from "../../../../src/adapters/inngest/compat/encryption-service.ts";
import {
  compatSealer,
  type EncryptionMiddlewareOptions,
  passphrasesOf,
  resolveCompatOptions,
} from "../../../../src/adapters/inngest/compat/options.ts";
import { codeOf } from "../../../code-of.ts";
import { importsOf, source } from "../../../imports.ts";
import { KEY, keyring } from "../harness.ts";
import { type Build, createFleet, officialMiddleware, PASSPHRASE } from "./fleet.ts";

const dropIn = compat.encryptionMiddleware;
const many = Array.from({ length: 8 }, (_, n) => `passphrase ${n}`);

describe("an option of the drop-in that is wrong is refused, with its name and the fix", () => {
  test.each<[name: string, options: unknown, message: RegExp]>([
    ["no options", undefined, /must be of type object/],
    ["no key", {}, /option "key" is missing or empty.*encryptionService/],
    ["an empty key", { key: " " }, /option "key" is missing or empty/],
    ["an empty key with fallbacks", { key: "", fallbackDecryptionKeys: ["x"] }, /option "key" is missing/],
    ["a key of another type", { key: 7 }, /option "key" must be of type string/],
    ["too many", { key: "x", fallbackDecryptionKeys: many }, /makes 9 passphrases.*at most 8/],
    ["an unknown option", { key: "x", keys: [] }, /unknown option "keys"; known: .*fallbackDecryptionKeys/],
    ...[
      null,
      "x",
      () => {},
      { identifier: "x", encrypt() {} },
      { identifier: "x", decrypt() {} },
      { encrypt() {}, decrypt() {} },
    ].map((encryptionService, index): [string, unknown, RegExp] => [
      `what is no service, ${index}`,
      { key: "x", encryptionService },
      /option "encryptionService"/,
    ]),
    ["a field that cannot be sealed", { key: "x", eventEncryptionField: "_inngest" }, /cannot be sealed/],
    ["a field that is no member", { key: "x", eventEncryptionField: "__proto__" }, /cannot be sealed/],
    [
      "writing the format before 1.0",
      { key: "x", legacyV0Service: { forceEncryptWithV0: true } },
      /legacyV0Service.forceEncryptWithV0.*nothing authenticates/,
    ],
    [
      "an unknown one inside",
      { key: "x", legacyV0Service: { key: "y" } },
      /unknown option "key"; known: forceEnc/,
    ],
  ])("%s", (_name, options, message) => {
    expect(() => dropIn(options as never)).toThrow(message);
    expect(codeOf(() => dropIn(options as never))).toBe("CONFIG");
  });

  test("no message shows a passphrase", () => {
    const secret = "a secret passphrase";
    for (const options of [
      { key: secret, fallbackDecryptionKeys: [...many, secret] },
      { key: secret, eventEncryptionField: 7 },
      { key: [secret] },
    ]) {
      expect(() => dropIn(options as never)).toThrow(/^encryptionMiddleware: /);
      expect(() => dropIn(options as never)).not.toThrow(secret);
    }
  });

  test("passphrases that are not set are left out, as the official one does, and eight are not too many", () => {
    const unset = process.env.STEPSEAL_TEST_THAT_IS_NOT_SET;
    expect(() => dropIn({ key: "x", fallbackDecryptionKeys: [unset!, "", " "] })).not.toThrow();
    const fallbackDecryptionKeys = [unset!, "", " ", ...many.slice(1)];
    expect(() => dropIn({ key: "x", fallbackDecryptionKeys })).not.toThrow();
    expect(passphrasesOf({ key: "x", fallbackDecryptionKeys })).toEqual(["x", ...many.slice(1)]);
    expect(passphrasesOf({ key: "x" })).toEqual(["x"]);
  });

  test("an error names the function that was called", () => {
    expect(() => dropIn({ key: 7 } as never)).toThrow(/^encryptionMiddleware: option "key"/);
  });
});

describe("the options mean", () => {
  const service = { identifier: "x", encrypt: () => "x", decrypt: () => "x" } as EncryptionService;
  const PLACE = { kind: "step.output" } as const;
  const value = () => compatSealer(["passphrase"]).seal("card", PLACE);
  const open = async (options: EncryptionMiddlewareOptions, sealed: unknown): Promise<unknown> =>
    (await resolveCompatOptions(options).sealer()).open(sealed, PLACE);

  test("with a passphrase beside a service, that both open; with a service alone, that nothing else does", async () => {
    expect(await open({ key: "passphrase", encryptionService: service }, value())).toBe("card");
    for (const key of [undefined, ""]) {
      const options = { encryptionService: service, ...(key !== undefined && { key }) };
      await expect(open(options, value())).rejects.toMatchObject({ code: "LEGACY_NO_KEY" });
      expect((await resolveCompatOptions(options).sealer()).seal(1, PLACE).__STRATEGY__).toBe("x");
    }
  });

  test("that the official format is read and written, and not the one before it", async () => {
    expect(await open({ key: "passphrase" }, value())).toBe("card");
    expect((await resolveCompatOptions({ key: "x" }).sealer()).seal(1, PLACE).__STRATEGY__).toBe(
      "inngest/libsodium",
    );
    expect(resolveCompatOptions({ key: "x" }).legacy.writes).toBe(true);
    const { open: openOld } = compatSealer(["x"]);
    expect(codeOf(() => openOld({ __ENCRYPTED__: true, data: "" }, PLACE))).toBe("LEGACY_NO_KEY");
  });

  type Fields = NonNullable<EncryptionMiddlewareOptions["legacyV0Service"]>["eventEncryptionField"];
  test.each<[fields: Fields, old: boolean, older: boolean]>([
    [undefined, false, false],
    [false, false, false],
    ["old", true, false],
    [["old", "older"], true, true],
    [(field) => field === "older", false, true],
  ])("which fields senders of the format before 1.0 encrypted: %o", (eventEncryptionField, old, older) => {
    const { opensField } = resolveCompatOptions({
      key: "x",
      legacyV0Service: { ...(eventEncryptionField !== undefined && { eventEncryptionField }) },
    }).legacy;
    expect(["old", "older", "encrypted"].map(opensField)).toEqual([old, older, false]);
    expect(resolveCompatOptions({ key: "x" }).legacy.opensField("old")).toBe(false);
  });
});

describe("the option legacy is checked, too", () => {
  test.each<[name: string, legacy: unknown, message: RegExp]>([
    ["no passphrases", {}, /option "legacy.passphrases" must be of type array/],
    ["none in the list", { passphrases: [] }, /option "legacy.passphrases" needs a passphrase/],
    ["an empty one", { passphrases: ["x", " "] }, /option "legacy.passphrases.1" must not be empty/],
    ["too many", { passphrases: [...many, "x"] }, /option "legacy.passphrases" holds more than 8/],
    [
      "a text for read",
      { passphrases: ["x"], read: "yes" },
      /option "legacy.read" must be true, false or "bound"/,
    ],
    [
      "an unknown one",
      { passphrases: ["x"], v1: true },
      /unknown option "v1"; known: passphrases, read, write, v0, fields/,
    ],
    [
      "writing what is not read",
      { passphrases: ["x"], read: false, write: true },
      /"legacy.write".*"legacy.read: false"/,
    ],
  ])("%s", (_name, legacy, message) => {
    expect(() => encryptionMiddleware({ key: KEY, legacy: legacy as never })).toThrow(message);
    expect(codeOf(() => encryptionMiddleware({ key: KEY, legacy: legacy as never }))).toBe("CONFIG");
  });

  test("it is not written by an app that only decrypts", () => {
    const options = { key: KEY, decryptOnly: true, legacy: { passphrases: ["x"], write: true } };
    expect(codeOf(() => encryptionMiddleware(options))).toBe("CONFIG");
  });
});

describe("event fields", () => {
  const build: Build = (inngest, see) => [
    inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, ({ event }) =>
      see("data", event.data),
    ),
  ];
  const v0 = new AESEncryptionService(PASSPHRASE);
  const v0Value = (value: unknown) => ({ __ENCRYPTED__: true, data: v0.encrypt(value) });

  test("eventEncryptionField names the one that is sealed, for both middlewares", async () => {
    const options = { key: PASSPHRASE, eventEncryptionField: "secret" };
    const fleet = await createFleet(build, { theirs: officialMiddleware(options), ours: dropIn(options) });
    for (const sender of fleet.pods) {
      for (const receiver of fleet.pods) {
        fleet.deploy(receiver.name);
        await sender.inngest.send({ name: "go", data: { secret: "card", encrypted: "plain by choice" } });
        await fleet.engine.idle();
        expect(fleet.seen.at(-1)?.value).toEqual({ secret: "card", encrypted: "plain by choice" });
        const kept = fleet.engine.events.findLast(({ name }) => name === "go")!.data;
        expect(kept).toMatchObject({ secret: { __ENCRYPTED__: true }, encrypted: "plain by choice" });
      }
    }
  });

  test("values of versions before 1.0 open where they are named, and fail the run where they are not", async () => {
    const named = dropIn({ key: PASSPHRASE, legacyV0Service: { eventEncryptionField: ["old", "older"] } });
    const byFunction = dropIn({
      key: PASSPHRASE,
      legacyV0Service: {
        forceEncryptWithV0: false,
        eventEncryptionField: (field) => field.startsWith("old"),
      },
    });
    const main = encryptionMiddleware({
      keyring: keyring(),
      legacy: { passphrases: [PASSPHRASE], v0: true, fields: ["old", "older"] },
    });
    const fleet = await createFleet(build, { named, byFunction, main, unnamed: dropIn({ key: PASSPHRASE }) });
    const data = { encrypted: v0Value("a"), old: v0Value({ b: 1 }), older: "plain", other: v0Value("c") };
    for (const pod of ["named", "byFunction", "main"]) {
      fleet.deploy(pod);
      await fleet.engine.send({ name: "go", data });
      await fleet.engine.idle();
      expect(fleet.seen.at(-1)).toEqual({
        pod,
        what: "data",
        value: { encrypted: "a", old: { b: 1 }, older: "plain", other: data.other },
      });
    }
    fleet.deploy("unnamed");
    await fleet.engine.send({ name: "go", data });
    await fleet.engine.idle();
    const [run] = fleet.engine.runs.slice(-1);
    expect(run?.status).toBe("failed");
    expect(JSON.stringify(run?.error)).toContain("LEGACY_NO_KEY");
  });
});

test("decryptOnly opens what is sealed and seals nothing", async () => {
  const build: Build = (inngest, see) => [
    inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ event, step }) => {
      see("event", event.data.encrypted);
      await step.run("a", () => "result");
      await step.sleep("nap", "1h");
      return "output";
    }),
  ];
  const pods = { ours: dropIn({ key: PASSPHRASE }), leaving: dropIn({ key: PASSPHRASE, decryptOnly: true }) };
  const fleet = await createFleet(build, pods);
  fleet.deploy("ours");
  await fleet.pods[0]!.inngest.send({ name: "go", data: { encrypted: "card" } });
  await fleet.engine.idle();
  fleet.deploy("leaving");
  await fleet.engine.advance("1h");
  expect(fleet.engine.runs[0]).toMatchObject({ status: "completed", output: "output" });
  expect(fleet.seen.at(-1)).toEqual({ pod: "leaving", what: "event", value: "card" });
});

test("the exports are these", () => {
  expect(Object.keys(compat).sort()).toEqual([
    "EncryptionService",
    "encryptionMiddleware",
    "isEncryptedValue",
    "isV0EncryptedValue",
    "openRealtimeMessage",
  ]);
});

test("only the drop-in loads the official formats with itself; the others load them when they are asked for", () => {
  const legacyOf = (entry: string) =>
    importsOf(source(entry)).files.filter((file) => file.includes("/src/legacy/"));
  for (const entry of ["index.ts", "adapters/inngest/index.ts", "testing/index.ts", "transport/index.ts"]) {
    expect(legacyOf(entry)).toEqual([]);
  }
  expect(legacyOf("adapters/inngest/compat/index.ts").length).toBeGreaterThan(4);
});

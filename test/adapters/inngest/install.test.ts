import { Inngest, Middleware } from "inngest";
import { StepsealError } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import { describe, expect, test, vi } from "vitest";
import { KEY, keyring, OTHER_KEY, SDK } from "./harness.ts";

/** The StepsealError that `run` throws. */
function refusal(run: () => unknown): StepsealError {
  try {
    run();
  } catch (error) {
    if (error instanceof StepsealError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("where the middleware is installed", () => {
  const other = class extends Middleware.BaseMiddleware {
    override readonly id = "other";
    /** To v3. */
    static init = () => ({});
  };

  test("first on the client it is accepted", () => {
    expect(
      () => new Inngest({ id: "app", middleware: [encryptionMiddleware({ keyring: keyring() }), other] }),
    ).not.toThrow();
  });

  test.skipIf(!SDK.v4)("after another middleware it is refused, with the place where it belongs", () => {
    const error = refusal(
      () => new Inngest({ id: "app", middleware: [other, encryptionMiddleware({ keyring: keyring() })] }),
    );
    expect(error.code).toBe("CONFIG");
    expect(error.message).toMatch(/not first.*Put it first/);
  });

  test.skipIf(!SDK.v4)(
    "beside one that cannot be made for a client that is still being made, it is accepted",
    () => {
      class Late extends Middleware.BaseMiddleware {
        override readonly id = "late";
        constructor(given: { client: Inngest.Any }) {
          super(given);
          throw new Error("too early");
        }
      }
      const middleware = [encryptionMiddleware({ keyring: keyring() }), Late];
      expect(() => new Inngest({ id: "app", middleware })).not.toThrow();
    },
  );

  test("listed twice it is refused", () => {
    const both = [encryptionMiddleware({ keyring: keyring() }), encryptionMiddleware({ keyring: keyring() })];
    expect(refusal(() => new Inngest({ id: "app", middleware: both })).message).toMatch(/listed twice/);
  });

  test("on a function it is refused, with the name of the function", () => {
    const inngest = new Inngest({ id: "app" });
    const error = refusal(() =>
      inngest.createFunction(
        {
          id: "pay",
          triggers: [{ event: "a/b" }],
          middleware: [encryptionMiddleware({ keyring: keyring() })],
        },
        () => {},
      ),
    );
    expect(error.message).toMatch(/function "pay".*on the client/);
  });
});

describe("options", () => {
  const cases: [name: string, options: object, message: RegExp][] = [
    ["an unknown option", { keyRing: 1 }, /keyRing/],
    ["a key that is no text", { key: 7 }, /option "key"/],
    ["a keyring that is an object", { keyring: {} }, /keyring/],
    ["a keyring and a key", { keyring: keyring(), key: KEY }, /exclude each other/],
    ["fallback keys without a key", { fallbackKeys: [KEY] }, /needs "key"/],
    ["event fields that are no list", { key: KEY, eventFields: "ssn" }, /option "eventFields"/],
    ["the platform's own event field", { key: KEY, eventFields: ["_inngest"] }, /option "eventFields.0"/],
    ["an unknown policy", { key: KEY, plaintext: "maybe" }, /option "plaintext"/],
    ["an unknown binding", { key: KEY, runBinding: "event" }, /option "runBinding"/],
    ["an empty scope", { key: KEY, scope: "" }, /option "scope"/],
    ["an unknown path", { key: KEY, allowPlaintext: ["everything"] }, /option "allowPlaintext.0"/],
    [
      "a policy beside decryptOnly",
      { key: KEY, decryptOnly: true, plaintext: "reject" },
      /leave "plaintext" out/,
    ],
    ["the same key twice", { key: KEY, fallbackKeys: [KEY] }, /./],
    ["a malformed key", { key: "swordfish" }, /./],
  ];
  test.each(cases)(
    "%s: CONFIG when the middleware is created, naming the option",
    (_name, options, message) => {
      const error = refusal(() => encryptionMiddleware(options));
      expect(error.code).toBe("CONFIG");
      expect(error.message).toMatch(message);
      expect(error.message).not.toContain(KEY.slice(4));
      expect(error.message).not.toContain("swordfish");
    },
  );

  test("without a key in the environment it says how to make one", () => {
    vi.stubEnv("STEPSEAL_KEY", undefined);
    vi.stubEnv("STEPSEAL_KEYRING_FILE", undefined);
    const error = refusal(() => encryptionMiddleware());
    expect(error.code).toBe("CONFIG");
    expect(error.message).toMatch(/STEPSEAL_KEY/);
    expect(error.message).toMatch(/npx stepseal keygen/);
    vi.unstubAllEnvs();
  });

  test("keys come from the environment when no option gives them", () => {
    vi.stubEnv("STEPSEAL_KEY", KEY);
    vi.stubEnv("STEPSEAL_KEY_FALLBACK", OTHER_KEY);
    expect(() => encryptionMiddleware()).not.toThrow();
    vi.unstubAllEnvs();
  });
});

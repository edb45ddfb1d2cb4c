import { createBlindIndex, createKeyring, createKeyringSource, createSealer, loadKeyring } from "stepseal";
import { openRealtimeMessage } from "stepseal/inngest";
import {
  createSigner,
  createVerifier,
  expressHandler,
  memoryReplayStore,
  nodeHandler,
  resolveMode,
  secureEndpoint,
  signedFetch,
} from "stepseal/transport";
import { describe, expect, test } from "vitest";
import { key } from "./keyring/roots.ts";

const keyring = createKeyring({ key: key("one") });
const answer = () => new Response();
const authorize = () => true;
const message = { channel: "c", topic: "t" };
const sealed = createSealer({ keyring }).seal(1, { kind: "realtime", name: '["c",["t"]]' });
const url = "https://app.example.com/";

/** What takes options, good ones, one misspelt, and one that it has. A misspelt check is a check left out. */
const makers: readonly [
  name: string,
  make: (options: never) => unknown,
  good: object,
  misspelt: string,
  known: string,
][] = [
  ["createKeyring", createKeyring, { key: key("one") }, "fallbackkeys", "fallbackKeys"],
  ["createKeyringSource", createKeyringSource, { provider: () => ({ key: "" }) }, "everyMS", "everyMs"],
  ["loadKeyring", loadKeyring, { env: { STEPSEAL_KEY: key("one") } }, "path", "file"],
  ["createSealer", createSealer, { keyring }, "scop", "scope"],
  ["createBlindIndex", createBlindIndex, { keyring }, "Scope", "scope"],
  ["createVerifier inngest", createVerifier, { scheme: "inngest" }, "replayStore", "replay"],
  ["createVerifier qstash", createVerifier, { scheme: "qstash", url }, "maxlifetime", "maxLifetime"],
  ["a verifier of the other scheme", createVerifier, { scheme: "inngest" }, "url", "signingKey"],
  [
    "a region",
    (eu: never) => createVerifier({ scheme: "qstash", url, regions: { eu } }),
    { currentSigningKey: "sig_a" },
    "nextKey",
    "nextSigningKey",
  ],
  ["createSigner inngest", createSigner, { scheme: "inngest" }, "fallbackKey", "signingKeyFallback"],
  ["createSigner qstash", createSigner, { scheme: "qstash", url }, "ttl", "lifetime"],
  [
    "secureEndpoint",
    (options: never) => secureEndpoint(answer, options),
    { authorize },
    "maxBody",
    "maxBodyBytes",
  ],
  ["memoryReplayStore", memoryReplayStore, {}, "max", "maxEntries"],
  ["signedFetch", signedFetch, {}, "branch", "environment"],
  ["nodeHandler", (options: never) => nodeHandler(answer, options), {}, "onerror", "onError"],
  ["expressHandler", (options: never) => expressHandler(answer, options), {}, "url", "origin"],
  [
    "openRealtimeMessage",
    (options: never) => openRealtimeMessage({ ...message, data: sealed }, options),
    { keyring },
    "scop",
    "scope",
  ],
  ["resolveMode", (options: never) => resolveMode({}, options), {}, "isdev", "isDev"],
];

describe.each(makers)("%s", (_name, make, good, misspelt, known) => {
  const outcome = async (options: unknown): Promise<unknown> => {
    try {
      return await make(options as never);
    } catch (error) {
      return error;
    }
  };

  test("refuses an option it does not have, and names it and those it has", async () => {
    expect(await outcome(good)).not.toBeInstanceOf(Error);
    const refused = await outcome({ ...good, [misspelt]: "value-of-it" });
    expect(refused).toMatchObject({ name: "StepsealError", code: "CONFIG" });
    const { message } = refused as Error;
    expect(message).toMatch(/^(\w+ options|regions\.eu)\b/);
    expect(message).toContain(`unknown option ${misspelt}. The options are `);
    expect(message.split("The options are ")[1]).toContain(known);
    expect(message).not.toContain("value-of-it");
  });

  test("does not repeat a key that stands where a name should", async () => {
    const refused = await outcome({ ...good, [key("two")]: true });
    expect(refused).toMatchObject({ code: "CONFIG" });
    expect((refused as Error).message).toContain("unknown option with a name of 54 characters");
    expect((refused as Error).message).not.toContain(key("two"));
  });

  test.each([null, "text", [good]])("refuses %o in place of options", async (options) => {
    expect(await outcome(options)).toMatchObject({ code: "CONFIG" });
  });
});

test.each([["x".repeat(257)], ["\ud83d"], [""], [7]])(
  "the scope %o is none, to a sealer and to a blind index",
  (scope) => {
    const options = { keyring, scope } as never;
    expect(() => createSealer(options)).toThrow(/^scope: .*Give 1 to 256 characters/);
    expect(() => createBlindIndex(options)).toThrow(/^scope: .*Give 1 to 256 characters/);
  },
);

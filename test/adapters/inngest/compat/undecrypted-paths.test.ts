import { createDefer } from "inngest/experimental";
import { encryptionMiddleware, openRealtimeMessage } from "stepseal/inngest/compat";
import { findPlaintext } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { codeOf } from "../../../code-of.ts";
import { SDK } from "../harness.ts";
import { type Build, createFleet, NEXT_PASSPHRASE, officialMiddleware, PASSPHRASE } from "./fleet.ts";

// Paths that the official middleware neither encrypts nor decrypts: what its pods see there of what the drop-in sent.

const SECRET = "mk90-what-only-ours-seal";

const build: Build = (inngest, see) => {
  const later = SDK.defers
    ? createDefer(inngest, { id: "later" }, ({ event }) => see("deferred", event.data))
    : undefined;
  const failing = inngest.createFunction(
    {
      id: "failing",
      triggers: { event: "go" },
      retries: 0,
      onFailure: ({ error }) => see("onFailure", error.message),
    },
    async ({ step }) => {
      try {
        await step.run("fail", () => {
          throw Object.assign(new TypeError(SECRET), { name: "NonRetriableError" });
        });
      } catch (error) {
        see("caught", (error as Error).message);
      }
      await step.sleep("nap", "1h");
      throw new Error(SECRET);
    },
  );
  const sender = inngest.createFunction(
    { id: "sender", triggers: { event: "go" } },
    async ({ step, defer }) => {
      if (later !== undefined) defer("defer", { function: later, data: { text: SECRET } });
      await step.sendSignal("signal", { signal: "ready", data: { text: SECRET } });
    },
  );
  const waiter = inngest.createFunction({ id: "waiter", triggers: { event: "wait" } }, async ({ step }) => {
    const signal = await step.waitForSignal("wait", {
      signal: "ready",
      timeout: "1d",
      onConflict: "replace",
    });
    see("signal", signal?.data);
  });
  return [failing, sender, waiter, ...(later === undefined ? [] : [later])];
};

/** Pods with the drop-in send, defer, and fail a step and a function; the others go on with all of that. */
async function play(options: Parameters<typeof encryptionMiddleware>[0], goesOn: "ours" | "theirs") {
  const fleet = await createFleet(build, {
    ours: encryptionMiddleware(options),
    theirs: officialMiddleware({ key: PASSPHRASE }),
  });
  const { engine, pods, route } = fleet;
  const failing = (before: number) => (before === 0 || engine.now > start ? "ours" : goesOn);
  const start = engine.now;
  route((fn, before) => {
    if (fn === "app-sender") return "ours";
    return fn === "app-failing" ? failing(before) : goesOn;
  });
  for (const name of ["wait", "go"]) {
    await pods[0]!.inngest.send({ name, data: {} });
    await engine.idle();
  }
  await engine.advance("2h");
  return {
    saw: Object.fromEntries(fleet.seen.map(({ what, value }) => [what, value])),
    seen: fleet.seen,
    engine,
  };
}

describe("the drop-in seals errors, signals and deferred input", () => {
  test("and opens them", async () => {
    const { saw, engine } = await play({ key: PASSPHRASE }, "ours");
    expect(saw).toMatchObject({ caught: SECRET, signal: { text: SECRET }, onFailure: SECRET });
    if (SDK.defers) expect(saw.deferred).toMatchObject({ text: SECRET });
    expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);
  });

  test("a pod with the official middleware sees an error without its message, and envelopes", async () => {
    const { saw, seen } = await play({ key: PASSPHRASE }, "theirs");
    const sealedError = /^Sealed by stepseal \(key [0-9a-f]{16}\)$/;
    expect(seen).toContainEqual({ pod: "theirs", what: "caught", value: expect.stringMatching(sealedError) });
    expect(saw.onFailure).toMatch(sealedError);
    expect(saw.signal).toMatchObject({ __ENCRYPTED__: true });
    if (SDK.defers) expect(saw.deferred).toMatchObject({ __ENCRYPTED__: true });
  });
});

test.each(["ours", "theirs"] as const)(
  "named, these paths leave as the official middleware leaves them, and every pod goes on with them: %s",
  async (goesOn) => {
    const options = {
      key: PASSPHRASE,
      errors: "plaintext",
      allowPlaintext: ["signal", "defer", "realtime"],
    } as const;
    const { saw, engine } = await play(options, goesOn);
    expect(saw).toMatchObject({ caught: SECRET, signal: { text: SECRET }, onFailure: SECRET });
    if (SDK.defers) expect(saw.deferred).toMatchObject({ text: SECRET });
    expect(findPlaintext(engine.wire, [SECRET]).length).toBeGreaterThan(0);
  },
);

test("openRealtimeMessage opens what a step published, with the passphrases alone", async () => {
  const fleet = await createFleet(() => [], { ours: encryptionMiddleware({ key: PASSPHRASE }) });
  const topic = { channel: "order:17", topic: "status", config: {} } as never;
  await fleet.pods[0]!.inngest.realtime.publish(topic, { text: SECRET });
  const sent = fleet.engine.wire.find(({ url }) => url.includes("/realtime/publish"));
  const message = { channel: "order:17", topic: "status", data: JSON.parse(sent!.body) as unknown };
  const keys = { key: NEXT_PASSPHRASE, fallbackDecryptionKeys: [PASSPHRASE] };
  expect(openRealtimeMessage(message, keys).data).toEqual({ text: SECRET });
  expect(codeOf(() => openRealtimeMessage({ ...message, channel: "order:18" }, keys))).toBe("CONTEXT");
  expect(codeOf(() => openRealtimeMessage(message, { key: NEXT_PASSPHRASE }))).toBe("UNKNOWN_KEY");
  expect(codeOf(() => openRealtimeMessage(message, {}))).toBe("CONFIG");
});

import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
import { describe, expect, test } from "vitest";
import { createFetchGate, runsOf } from "../../../../src/adapters/inngest/gate/fetch-gate.ts";
import { checkPlace, markAsOurs } from "../../../../src/adapters/inngest/gate/ours.ts";
import { checkEvent } from "../../../../src/adapters/inngest/gate/sent-events.ts";
import { codeOf } from "../../../code-of.ts";
import { opened, scopeOf } from "./scope.ts";

/** Of `codeOf`. */
const NOTHING = "nothing was thrown";
const EVENTS = "https://api.test/e/key";
const EVENT = JSON.stringify([{ name: "go", data: { encrypted: 4111 } }]);

/** A platform that keeps what it was sent, and the gate in front of it. */
function gated(options: EncryptionMiddlewareOptions = {}) {
  const sent: { method: string; body: string }[] = [];
  const platform: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    sent.push({ method: request.method, body: await request.text() });
    return new Response();
  };
  const client = { id: "app" };
  const gate = createFetchGate(client, scopeOf(options).options);
  return { sent, platform, client, gate, fetch: gate(platform) };
}

const cardOf = (body: string | undefined): unknown => {
  const [event] = JSON.parse(body ?? "") as [{ data: { encrypted: unknown } }];
  return opened(event.data.encrypted, { kind: "event.field", event: "go", field: "encrypted" });
};

describe("a call of the platform", () => {
  test.each<[string, (fetch: typeof globalThis.fetch) => Promise<Response>]>([
    ["a URL as text", (fetch) => fetch(EVENTS, { method: "POST", body: EVENT })],
    ["a URL", (fetch) => fetch(new URL(EVENTS), { method: "post", body: EVENT })],
    ["a Request", (fetch) => fetch(new Request(EVENTS, { method: "POST", body: EVENT }))],
    [
      "a Request and what replaces its body",
      (fetch) => fetch(new Request(EVENTS, { method: "POST", body: "[]" }), { body: EVENT }),
    ],
  ])("leaves sealed, given %s", async (_name, call) => {
    const { sent, fetch } = gated();
    await call(fetch);
    expect(sent).toMatchObject([{ method: "POST" }]);
    expect(cardOf(sent[0]?.body)).toBe(4111);
  });

  test("without a body leaves without one, given a URL or a Request", async () => {
    const { sent, fetch } = gated();
    const url = "https://api.test/v0/runs/01RUN/actions";
    await fetch(url);
    await fetch(new Request(url));
    await fetch(url, { method: "GET", body: null });
    expect(sent).toEqual(Array(3).fill({ method: "GET", body: "" }));
  });

  test("leaves as it is where nothing is sealed", async () => {
    const { sent, fetch } = gated({ decryptOnly: true });
    await fetch("https://api.test/unknown", { method: "POST", body: EVENT });
    expect(sent).toEqual([{ method: "POST", body: EVENT }]);
  });

  test("is sealed once, however many gates stand behind each other", async () => {
    const { sent, gate, platform } = gated();
    const behind = gate(platform);
    const outer = gate((input, init) => behind(input, init));
    for (const _ of [1, 2]) await outer(EVENTS, { method: "POST", body: EVENT });
    expect(sent.map(({ body }) => cardOf(body))).toEqual([4111, 4111]);
  });
});

test("a gate is one for one function, and none for itself", () => {
  const { gate, platform } = gated();
  expect(gate(platform)).toBe(gate(platform));
  expect(gate(gate(platform))).toBe(gate(platform));
});

test("the runs of a client are there once it is gated", () => {
  const { client } = gated();
  expect(runsOf(client)).toBe(runsOf(client));
  expect(codeOf(() => runsOf({ id: "app" }))).toBe("CONFIG");
});

describe("an event leaves", () => {
  const leaves = (members: object, options?: EncryptionMiddlewareOptions) =>
    codeOf(() => checkEvent({ name: "go", data: {}, ...members }, scopeOf(options).options));

  test.each([
    {},
    { notes: undefined },
    { notes: () => 4111 },
    { user: null },
    { user: {} },
    { user: undefined },
  ])("with %o", (members) => {
    expect(leaves(members)).toBe(NOTHING);
  });

  test.each([{ notes: 4111 }, { notes: null }, { user: { name: "4111" } }, { user: "4111" }, { user: [] }])(
    "not with %o, and which event it was is said",
    (members) => {
      expect(leaves(members)).toBe("REFUSED");
      expect(() => checkEvent({ name: "go", ...members }, scopeOf().options)).toThrow(/^event "go": /);
    },
  );

  test("with a user where that is allowed", () => {
    expect(leaves({ user: { name: "4111" } }, { allowPlaintext: ["event-user"] })).toBe(NOTHING);
  });
});

test("the middleware belongs on a client, once, and what else is listed may stand anywhere", () => {
  const [ours, other] = [class {}, class {}];
  markAsOurs(ours);
  const place = (listed: readonly unknown[], fnId?: string) => codeOf(() => checkPlace(listed, fnId));
  expect([place([]), place([ours]), place([ours, other, "text"]), place([other, other], "fn")]).toEqual(
    Array(4).fill(NOTHING),
  );
  expect([place([ours, ours]), place([other, ours, ours]), place([ours], "fn")]).toEqual(
    Array(3).fill("CONFIG"),
  );
});

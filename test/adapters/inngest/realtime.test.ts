import { channel, subscribe } from "inngest/realtime";
import { createSealer } from "stepseal";
import { openRealtimeMessage } from "stepseal/inngest";
import { findPlaintext, type TestEngine } from "stepseal/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { realtimeName } from "../../../src/adapters/inngest/gate/realtime.ts";
import { codeOf } from "../../code-of.ts";
import { createApp, keyring, MODES } from "./harness.ts";

const SECRET = "4111 1111 1111 1111";
/** With a schema that no envelope satisfies. */
const order = channel({
  name: (id: string) => `order:${id}`,
  topics: { status: { schema: z.object({ card: z.string() }) } },
});
const topic = order("17").status;

/** The platform's end of the SDK's subscriptions. */
class Socket {
  static open: Socket[] = [];
  onopen?: () => void;
  onmessage?: (event: { readonly data: string }) => void;
  onclose?: (event: object) => void;
  constructor() {
    Socket.open.push(this);
    queueMicrotask(() => this.onopen?.());
  }
  close(): void {
    this.onclose?.({});
  }
  send(): void {}
}

beforeEach(() => {
  Socket.open = [];
  vi.stubGlobal("WebSocket", Socket);
});
afterEach(() => void vi.unstubAllGlobals());

/** Hands what was published to whoever subscribed, as the platform does. */
function deliver({ wire }: TestEngine): number {
  const published = wire.filter(({ url }) => new URL(url).pathname === "/v1/realtime/publish");
  for (const { url, body } of published) {
    const { searchParams } = new URL(url);
    const message = {
      kind: "data",
      channel: searchParams.get("channel"),
      topic: searchParams.get("topic"),
      data: JSON.parse(body),
    };
    for (const socket of Socket.open) socket.onmessage?.({ data: JSON.stringify(message) });
  }
  return published.length;
}

const publishers = ["a step", "a function, by the client", "the client, outside a function"] as const;

describe.each(MODES)("$name", ({ checkpointing }) => {
  test.each(publishers)(
    "what %s publishes opens for a subscriber that has the key, and for nobody else",
    async (publisher) => {
      const { engine, inngest } = await createApp(
        (client) => [
          client.createFunction({ id: "ship", triggers: { event: "go" }, retries: 0 }, async ({ step }) => {
            if (publisher === "a step") await step.realtime.publish("tell", topic, { card: SECRET });
            else await client.realtime.publish(topic, { card: SECRET });
          }),
        ],
        { checkpointing },
      );
      const subscription = { app: inngest, channel: order("17"), topics: ["status" as const] };
      const reader = (await subscribe({ ...subscription, validate: false })).getReader();

      if (publisher === "the client, outside a function")
        await inngest.realtime.publish(topic, { card: SECRET });
      else await inngest.send({ name: "go" });
      await engine.idle();
      expect(deliver(engine)).toBe(1);
      expect(findPlaintext(engine.wire, [SECRET])).toEqual([]);

      const { value: message } = await reader.read();
      expect(message).toMatchObject({ channel: "order:17", topic: "status" });
      const options = { keyring: keyring() };
      expect(openRealtimeMessage(message!, options)).toEqual({ ...message, data: { card: SECRET } });
      expect(codeOf(() => openRealtimeMessage({ ...message!, channel: "order:18" } as never, options))).toBe(
        "CONTEXT",
      );
    },
  );
});

describe("a message opens", () => {
  const sealed = (name: string, scope?: string) =>
    createSealer({ keyring: keyring(), ...(scope !== undefined && { scope }) }).seal(SECRET, {
      kind: "realtime",
      name,
    });

  test("under the scope of the publisher, and under no other", () => {
    const message = { channel: "c", topic: "t", data: sealed('["c",["t"]]', "tenant") };
    const open = (scope?: string) =>
      openRealtimeMessage(message, { keyring: keyring(), ...(scope !== undefined && { scope }) }).data;
    expect(open("tenant")).toBe(SECRET);
    for (const scope of [undefined, "another"]) expect(codeOf(() => open(scope))).toBe("CONTEXT");
  });

  test("without a topic or a channel too", () => {
    const options = { keyring: keyring(), scope: undefined as never };
    expect(openRealtimeMessage({ channel: "c", data: sealed('["c",[]]') }, options).data).toBe(SECRET);
    expect(openRealtimeMessage({ data: sealed('["",[]]') }, options).data).toBe(SECRET);
  });
});

test("topics are bound in an order that is not the publisher's", () => {
  expect(realtimeName("c", ["b", "a"])).toBe('["c",["a","b"]]');
});

test("a subscription that validates what it gets drops sealed messages, since they do not fit the schema", async () => {
  const { engine, inngest } = await createApp(() => []);
  const complain = vi.spyOn(console, "error").mockImplementation(() => {});
  const got: unknown[] = [];
  const onMessage = (message: unknown) => void got.push(message);
  await subscribe({ app: inngest, channel: order("17"), topics: ["status"], onMessage });
  await inngest.realtime.publish(topic, { card: SECRET });
  deliver(engine);
  await vi.waitFor(() => expect(complain).toHaveBeenCalled());
  expect(complain.mock.calls[0]![0]).toContain("failed schema validation");
  expect(got).toEqual([]);
  complain.mockRestore();
});

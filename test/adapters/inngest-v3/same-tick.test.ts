import type { Inngest } from "inngest-v3";
import { createTestEngine, findPlaintext } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { clientOf } from "./app.ts";

const SECRET = "mk94-sent-at-once";
const EVENT = { name: "go", data: { encrypted: SECRET } };

// The first client with stepseal in the process is the one that could be late; so it is a file of its own.
describe("what is sent in the tick in which the client is made", () => {
  test.each([
    ["a signal", (client: Inngest) => client.sendSignal({ signal: "s", data: SECRET })],
    ["an event", (client: Inngest) => client.send(EVENT)],
    [
      "a realtime message",
      (client: Inngest) => client.realtime.publish({ channel: "c", topic: "t", data: { SECRET } } as never),
    ],
    [
      "a realtime message that is a text",
      (client: Inngest) => client.realtime.publish({ channel: "c", topic: "t", data: SECRET } as never),
    ],
  ])("%s leaves sealed", async (_name, send) => {
    for (const seal of [null, {}]) {
      const engine = createTestEngine();
      await send(clientOf(engine, { seal })).catch(() => {});
      expect(engine.wire.length).toBeGreaterThan(0);
      expect(findPlaintext(engine.wire, [SECRET]).length > 0).toBe(seal === null);
    }
  });
});

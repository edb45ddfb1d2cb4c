import { createKeyring, createSealer, generateKey } from "stepseal";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { tell } from "../../src/internal/tell.ts";
import { nodeHandler, secureEndpoint } from "../../src/transport/index.ts";

const unhandled = vi.fn();
beforeEach(() => void process.on("unhandledRejection", unhandled));
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

/** Observers that fail, each in its way. */
const failing = {
  throws: () => {
    throw new Error("observer");
  },
  rejects: () => Promise.reject(new Error("observer")),
  "rejects later": async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    throw new Error("observer");
  },
  "returns a thenable that throws": () => ({
    // biome-ignore lint/suspicious/noThenProperty: what is tested
    then: () => {
      throw new Error("observer");
    },
  }),
};

test("an observer is told the value, and one that is not there is none", () => {
  const told: unknown[] = [];
  tell((value) => told.push(value), 1);
  tell(undefined, 2);
  expect(told).toEqual([1]);
});

test.each(Object.entries(failing))("an observer that %s changes nothing", async (_how, observer) => {
  let told = 0;
  // No vi.fn: it takes care of the rejections of what it wraps.
  const counted = (): never => {
    told++;
    return observer() as never;
  };
  tell(counted, "value");

  const keyring = createKeyring({ key: generateKey() });
  const sealer = createSealer({ keyring, onUse: counted });
  expect(sealer.open(sealer.seal("x", { kind: "custom" }), { kind: "custom" })).toBe("x");

  const endpoint = secureEndpoint(() => new Response("in"), { authorize: () => false, onRefused: counted });
  expect((await endpoint(new Request("https://app.example.com/"))).status).toBe(401);

  expect(told).toBe(4);
  await new Promise((resolve) => setTimeout(resolve, 5));
});

test.each(Object.entries(failing))("500 is answered when onError %s", async (_how, observer) => {
  const listener = nodeHandler(() => Promise.reject(new Error("handler")), { onError: observer as never });
  const ended = new Promise<{ statusCode: number }>((resolve) => {
    const response = { headersSent: false, destroyed: false, statusCode: 200, once() {}, setHeader() {} };
    const end = () => resolve(response);
    listener(
      { method: "GET", url: "/", rawHeaders: [], socket: {}, readableDidRead: false } as never,
      Object.assign(response, { end }) as never,
    );
  });
  expect((await ended).statusCode).toBe(500);
  await new Promise((resolve) => setTimeout(resolve, 5));
});

import { createSealer } from "stepseal";
import { describe, expect, test } from "vitest";
import { sealedStrings, type WireEvent } from "../../src/adapters/inngest/gate/event.ts";
import { openEvent, sealFields } from "../../src/adapters/inngest/gate/events.ts";
import { resolveOptions } from "../../src/adapters/inngest/gate/options.ts";
import { createPolicy } from "../../src/adapters/inngest/gate/policy.ts";
import { triggerDigest } from "../../src/adapters/inngest/gate/trigger.ts";
import { envelopeSealer } from "../../src/value-sealer.ts";
import { describeValue } from "../adapters/inngest/describe-value.ts";
import { differences } from "../adapters/inngest/differences.ts";
import { createApp, keyring, MODES } from "../adapters/inngest/harness.ts";

const sealer = envelopeSealer(createSealer({ keyring: keyring() }));
const FIELD = { kind: "event.field", event: "go", field: "encrypted" } as const;

/** An object that counts every access to it. */
function counted<T extends object>(target: T): { readonly object: T; readonly accesses: () => number } {
  let accesses = 0;
  const count =
    <A extends unknown[], R>(trap: (...args: A) => R) =>
    (...args: A): R => {
      accesses += 1;
      return trap(...args);
    };
  const object = new Proxy(target, {
    get: count(Reflect.get),
    has: count(Reflect.has),
    ownKeys: count(Reflect.ownKeys),
    getOwnPropertyDescriptor: count(Reflect.getOwnPropertyDescriptor),
  } as ProxyHandler<T>);
  return { object, accesses: () => accesses };
}

function wide(keys: number): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: keys }, (_, i) => [`key ${i}`, i]));
}

describe("the work grows with the number of an event's keys, and no faster", () => {
  const reader = {
    sealer,
    options: resolveOptions({ keyring: keyring() }),
    policy: createPolicy("reject", () => {}),
    fn: "app-fn",
  };
  const works: [name: string, work: (data: Record<string, unknown>) => unknown][] = [
    ["opening", (data) => openEvent({ name: "go", data }, reader)],
    ["sealing", (data) => sealFields(data, new Set(["encrypted"]), () => sealer.seal(1, FIELD))],
    ["finding what is sealed", (data) => sealedStrings({ name: "go", data })],
    ["the trigger digest", (data) => triggerDigest({ name: "go", data })],
  ];
  test.each(works)("%s", (_name, work) => {
    const cost = (keys: number): number => {
      const { object, accesses } = counted({ ...wide(keys), encrypted: sealer.seal("card", FIELD) });
      work(object);
      return accesses();
    };
    const [small, large] = [cost(2_000), cost(20_000)];
    expect(small).toBeGreaterThan(0);
    expect(large / small).toBeLessThan(11);
    expect(large).toBeLessThan(20_000 * 8);
  });

  test("also when all of 2,000 keys are sealed", () => {
    const cost = (keys: number): number => {
      const names = Object.keys(wide(keys));
      const data = Object.fromEntries(
        names.map((field) => [field, sealer.seal(1, { kind: "event.field", event: "go", field })]),
      );
      const { object, accesses } = counted(data);
      const event: WireEvent = { name: "go", data: object };
      const opened = openEvent(event, {
        ...reader,
        options: { ...reader.options, eventFields: new Set(names) },
      });
      expect(opened.event.data).toEqual(Object.fromEntries(names.map((field) => [field, 1])));
      return accesses();
    };
    expect(cost(2_000) / cost(200)).toBeLessThan(11);
  });
});

/** What a function sees of an event, a step and its input, and what the platform keeps. */
async function roundTrip(value: unknown, seal: { eventFields: string[] } | null, checkpointing: boolean) {
  const seen: unknown[] = [];
  const { engine, inngest } = await createApp(
    (client) => {
      const child = client.createFunction({ id: "child", triggers: [] }, ({ event }) => {
        const { _inngest, ...data } = event.data as Record<string, unknown>;
        seen.push(data);
        return data;
      });
      const fn = client.createFunction(
        { id: "fn", retries: 0, triggers: { event: "go" } },
        async ({ event, step }) => {
          seen.push(event.data);
          seen.push(await step.run("out", () => value));
          seen.push(await step.run("in", (given) => given, value));
          seen.push(await step.invoke("child", { function: child, data: event.data }));
          await step.sleep("nap", "1h");
          return value;
        },
      );
      return [fn, child];
    },
    { checkpointing, seal },
  );
  await inngest.send({ name: "go", data: value as Record<string, unknown> });
  await engine.advance("2h");
  const [run] = engine.runs;
  return { seen, run, error: run!.error };
}

describe.each(MODES)("$name", ({ checkpointing }) => {
  const ODD = [
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "valueOf",
    "then",
    "length",
    "data",
    "prototype",
  ];
  const odd = JSON.parse(`{${ODD.map((key) => `${JSON.stringify(key)}: {"admin": true}`).join(",")}}`);

  test.each([
    ["20,000 keys", { ...wide(20_000), encrypted: wide(20_000) }],
    ["keys that are names of prototypes' members", odd],
    ["such keys inside a sealed field", { encrypted: odd, other: [odd] }],
  ])("%s reach user code as without stepseal, and change no prototype", async (_name, value) => {
    const eventFields = ["encrypted", ...ODD.filter((key) => key !== "__proto__")];
    const [plain, sealed] = [
      await roundTrip(value, null, checkpointing),
      await roundTrip(value, { eventFields }, checkpointing),
    ];
    expect(sealed.error).toBeUndefined();
    expect(sealed.seen.length).toBe(plain.seen.length);
    for (const [i, seen] of sealed.seen.entries()) {
      // Own members and prototypes, at every depth.
      expect(differences(describeValue(plain.seen[i]), describeValue(seen))).toEqual([]);
    }
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("admin");
  });

  test("1,000 levels reach user code as without stepseal", async () => {
    const value = { encrypted: JSON.parse(`${'{"a":['.repeat(500)}1${"]}".repeat(500)}`) as unknown };
    const [plain, sealed] = [
      await roundTrip(value, null, checkpointing),
      await roundTrip(value, { eventFields: ["encrypted"] }, checkpointing),
    ];
    expect(sealed.error).toBeUndefined();
    expect(sealed.seen.map((seen) => JSON.stringify(seen))).toEqual(
      plain.seen.map((seen) => JSON.stringify(seen)),
    );
  });

  test("nesting beyond what JSON can be written to fails the run as without stepseal", async () => {
    const deep = (): unknown => {
      let value: unknown = 1;
      for (let i = 0; i < 100_000; i++) value = [value];
      return value;
    };
    const play = async (seal: object | null) => {
      const { engine, inngest } = await createApp(
        (client) => [
          client.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, ({ step }) =>
            step.run("deep", () => deep() as never),
          ),
        ],
        { checkpointing, seal },
      );
      await inngest.send({ name: "go" });
      await engine.advance("1d");
      return engine.runs[0]!.status;
    };
    expect(await play({})).toBe(await play(null));
  });

  test("three megabytes, the most that fits the platform's limit once it is sealed, come back", async () => {
    const value = "é".repeat(1024) + "x".repeat(3_000_000);
    const seen: unknown[] = [];
    const { engine, inngest } = await createApp(
      (client) => [
        client.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, async ({ step }) => {
          const got = await step.run("large", () => value);
          await step.sleep("nap", "1h");
          seen.push(got === value);
        }),
      ],
      { checkpointing },
    );
    await inngest.send({ name: "go" });
    await engine.advance("2h");
    expect(seen).toEqual([true]);
    expect(engine.runs[0]!.status).toBe("completed");
  });
});

test("an envelope of four megabytes opens, and what is left of one that was cut does not", () => {
  const value = { list: Array.from({ length: 60_000 }, (_, i) => ({ id: i, text: "a value like others" })) };
  const envelope = sealer.seal(value, FIELD);
  expect(envelope.data.length).toBeGreaterThan(3 * 1024 * 1024);
  expect(sealer.open(envelope, FIELD)).toEqual(value);
  const cut = { ...envelope, data: envelope.data.slice(0, -4) };
  expect(() => sealer.open(cut, FIELD)).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^(CORRUPT|FORMAT)$/) }),
  );
});

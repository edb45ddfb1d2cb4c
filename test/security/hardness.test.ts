import { createSealer } from "stepseal";
import { isPlatformError } from "stepseal/inngest";
import { describe, expect, test } from "vitest";
import { sealedStrings, type WireEvent } from "../../src/adapters/inngest/gate/event.ts";
import { openEvent, sealFields } from "../../src/adapters/inngest/gate/events.ts";
import { resolveOptions } from "../../src/adapters/inngest/gate/options.ts";
import { createPolicy } from "../../src/adapters/inngest/gate/policy.ts";
import { triggerDigest } from "../../src/adapters/inngest/gate/trigger.ts";
import { envelopeSealer } from "../../src/value-sealer.ts";
import { describeValue } from "../adapters/inngest/describe-value.ts";
import { differences } from "../adapters/inngest/differences.ts";
import { type AppOptions, createApp, keyring, MODES } from "../adapters/inngest/harness.ts";

const sealer = envelopeSealer(createSealer({ keyring: keyring() }));
const FIELD = { kind: "event.field", event: "go", field: "encrypted" } as const;
const FINISHED = { kind: "event.field", event: "inngest/function.finished", field: "encrypted" } as const;

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

  test("events in events, each of a run that the one around it tells of, are opened once each", () => {
    const cost = (levels: number): number => {
      const { object, accesses } = counted<Record<string, unknown>>({
        encrypted: sealer.seal("card", FIELD),
      });
      let event: WireEvent = { name: "go", data: object };
      for (let level = 0; level < levels; level++) {
        const data = { function_id: "app-fn", run_id: "r", encrypted: sealer.seal(level, FINISHED), event };
        event = { name: FINISHED.event, data };
      }
      openEvent(event, reader);
      return accesses();
    };
    expect(cost(12)).toBe(cost(2));
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
    ["5,000 keys", { ...wide(5_000), encrypted: wide(5_000) }],
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
    const { run, seen } = await keep([`${"é".repeat(1024)}${"x".repeat(3_000_000)}`], { checkpointing });
    expect(run.status).toBe("completed");
    expect(seen).toEqual([true]);
  });

  test("so do four such results, which no request holds and the API gives", async () => {
    const values = ["a", "b", "c", "d"].map((letter) => letter.repeat(3_000_000));
    const { run, seen, fetched } = await keep(values, { checkpointing });
    expect(run.status).toBe("completed");
    expect(seen).toEqual([true, true, true, true]);
    expect(fetched).toBe(true);
  });
});

/** Keeps values as results of steps, and looks after a sleep whether they came back, or what `onFailure` is told. */
async function keep(values: readonly string[], app: Pick<AppOptions, "checkpointing" | "seal">) {
  const seen: unknown[] = [];
  const { engine, inngest } = await createApp(
    (client) => [
      client.createFunction(
        {
          id: "fn",
          retries: 0,
          triggers: { event: "go" },
          onFailure: ({ error }: { error: Error }) => {
            seen.push([error.message, isPlatformError(error)]);
          },
        },
        async ({ step }) => {
          const got: string[] = [];
          for (const [n, value] of values.entries()) got.push(await step.run(`large ${n}`, () => value));
          await step.sleep("nap", "1h");
          seen.push(...got.map((value, n) => value === values[n]));
        },
      ),
    ],
    app,
  );
  await inngest.send({ name: "go" });
  await engine.advance("2h");
  return { run: engine.runs[0]!, seen, fetched: engine.wire.some(({ url }) => url.endsWith("/actions")) };
}

describe("four megabytes, which fit the platform's limit until they are sealed", () => {
  const value = "x".repeat(4 * 1024 * 1024 - 100);

  test("come back where they are taken at a checkpoint, as without stepseal", async () => {
    for (const seal of [null, {}]) {
      const { run, seen } = await keep([value], { checkpointing: true, seal });
      expect(run.status).toBe("completed");
      expect(seen).toEqual([true]);
    }
  });

  test("are too large for an answer: the run fails as without stepseal of what is larger, and says so", async () => {
    const larger = await keep([`${value}${"x".repeat(1024)}`], { checkpointing: false, seal: null });
    const sealed = await keep([value], { checkpointing: false });
    const [message] = larger.seen[0] as [string];
    expect(message).toContain("greater than the limit");
    expect(sealed.seen).toEqual([[message, true]]);
    expect([larger.run.status, sealed.run.status]).toEqual(["failed", "failed"]);
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

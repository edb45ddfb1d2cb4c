import {
  EncryptionService as OfficialService,
  encryptionMiddleware as official,
} from "@inngest/middleware-encryption";
import { LibSodiumEncryptionService } from "@inngest/middleware-encryption/strategies/libSodium";
import type { Middleware } from "inngest";
import {
  EncryptionService,
  encryptionMiddleware,
  isEncryptedValue,
  isV0EncryptedValue,
} from "stepseal/inngest/compat";
import { findPlaintext } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { plant, play as playLeaks } from "../../../security/leak-app.ts";
import { MARKERS } from "../../../security/leak-paths.ts";
import { MODES } from "../harness.ts";
import { type Build, createFleet, PASSPHRASE } from "./fleet.ts";

/** Keeps values in a store of its own, and takes its time for it. */
class StoreService extends EncryptionService {
  identifier = "store";
  readonly held = new Map<string, string>();
  /** Calls in progress, most at once. */
  most = 0;
  failures = 0;
  #now = 0;
  readonly #pause: number;

  constructor(pause: number) {
    super();
    this.#pause = pause;
  }

  async #taking<T>(work: () => T): Promise<T> {
    this.most = Math.max(this.most, ++this.#now);
    try {
      if (this.#pause > 0) await new Promise((resolve) => setTimeout(resolve, this.#pause));
      if (this.failures > 0) {
        this.failures -= 1;
        throw new Error("the store is down");
      }
      return work();
    } finally {
      this.#now -= 1;
    }
  }

  encrypt(value: unknown): Promise<string> {
    return this.#taking(() => {
      const id = `object-${this.held.size}`;
      this.held.set(id, JSON.stringify(value));
      return id;
    });
  }

  decrypt(id: string): Promise<unknown> {
    return this.#taking(() => {
      const text = this.held.get(id);
      if (text === undefined) throw new Error("no such object");
      return JSON.parse(text) as unknown;
    });
  }
}

/** Answers at once, and not by a promise. */
class SynchronousService extends EncryptionService {
  identifier = "synchronous";
  encrypt = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("hex");
  decrypt = (data: string): unknown => JSON.parse(Buffer.from(data, "hex").toString());
}

const build: Build = (inngest, see) => [
  inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 4 }, async ({ event, step }) => {
    see("event", event.data.encrypted);
    const started: string[] = [];
    const steps = ["a", "b", "c"].map((id) =>
      step.run(id, async () => {
        started.push(id);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return { id, startedBefore: started.length };
      }),
    );
    see(
      "parallel",
      (await Promise.all(steps)).map(({ id }) => id),
    );
    await step
      .run("fails", () => {
        throw Object.assign(new TypeError("card declined"), { name: "NonRetriableError" });
      })
      .catch((error: Error) => see("caught", error.message));
    await step.sleep("nap", "1h");
    see("awake", await step.run("last", () => null));
    return { done: true };
  }),
];

const SERVICES = {
  "an asynchronous": () => new StoreService(3),
  "a synchronous": () => new SynchronousService(),
};
const ours = (encryptionService: EncryptionService) => encryptionMiddleware({ encryptionService });

describe.each(MODES)("$name", ({ checkpointing }) => {
  test.each(Object.entries(SERVICES))("%s encryption service seals and opens", async (_name, make) => {
    const fleet = await createFleet(build, { ours: ours(make()) }, { checkpointing });
    await fleet.pods[0]!.inngest.send({ name: "go", data: { encrypted: { card: "4111" } } });
    await fleet.engine.idle();
    await fleet.engine.advance("2h");
    const [run] = fleet.engine.runs;
    expect(run?.status).toBe("completed");
    expect(isEncryptedValue(run?.output)).toBe(true);
    const saw = Object.fromEntries(fleet.seen.map(({ what, value }) => [what, value]));
    expect(saw).toEqual({
      event: { card: "4111" },
      parallel: ["a", "b", "c"],
      caught: "card declined",
      awake: null,
    });
    expect(findPlaintext(fleet.engine.wire, ["card declined", "startedBefore"])).toEqual([]);
  });

  test("parallel steps stay parallel, however slow the service is", async () => {
    const orders: string[][] = [];
    for (const middleware of [null, ours(new StoreService(20))]) {
      const order: string[] = [];
      const fleet = await createFleet(
        (inngest) => [
          inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step }) => {
            await Promise.all(
              ["a", "b", "c"].map((id) =>
                step.run(id, async () => {
                  order.push(`${id} begins`);
                  await new Promise((resolve) => setTimeout(resolve, 10));
                  order.push(`${id} ends`);
                }),
              ),
            );
          }),
        ],
        { pod: middleware },
        { checkpointing },
      );
      await fleet.pods[0]!.inngest.send({ name: "go", data: {} });
      await fleet.engine.idle();
      orders.push(order);
    }
    expect(orders[1]).toEqual(orders[0]);
  });

  test("a service that is down fails no run: what it was asked for is asked again", async () => {
    const service = new StoreService(0);
    const fleet = await createFleet(build, { ours: ours(service) }, { checkpointing });
    await fleet.pods[0]!.inngest.send({ name: "go", data: { encrypted: { card: "4111" } } });
    service.failures = 2;
    await fleet.engine.idle();
    await fleet.engine.advance("2h");
    service.failures = 1;
    await fleet.engine.advance("1d");
    expect(fleet.engine.runs[0]?.status).toBe("completed");
    expect(JSON.stringify(fleet.engine.wire)).not.toContain("store is down");
  });
});

test("what the service is asked for at once, it is asked for in one go", async () => {
  const service = new StoreService(5);
  const fleet = await createFleet(build, { ours: ours(service) });
  await fleet.pods[0]!.inngest.send({ name: "go", data: { encrypted: 1 } });
  await fleet.engine.idle();
  await fleet.engine.advance("2h");
  expect(service.most).toBeGreaterThan(3);
});

test("pods with the official middleware and the same service go on with each other's runs", async () => {
  const service = new SynchronousService();
  const theirs = official({ key: "", encryptionService: service }) as unknown as Middleware.Class;
  for (const order of [
    ["theirs", "ours"],
    ["ours", "theirs"],
  ]) {
    const fleet = await createFleet(build, { theirs, ours: ours(service) });
    fleet.deploy(...order);
    await fleet.pods[0]!.inngest.send({ name: "go", data: { encrypted: { card: "4111" } } });
    await fleet.engine.idle();
    await fleet.engine.advance("2h");
    expect(fleet.engine.runs[0]?.status).toBe("completed");
    expect(fleet.seen.filter(({ what }) => what === "event").map(({ value }) => value)[0]).toEqual({
      card: "4111",
    });
  }
});

test("the official package's own service does, and beside it the passphrase opens what was sealed without it", async () => {
  const encryptionService = new LibSodiumEncryptionService(PASSPHRASE);
  const pods = {
    before: encryptionMiddleware({ key: PASSPHRASE }),
    service: encryptionMiddleware({ encryptionService }),
    own: encryptionMiddleware({ key: PASSPHRASE, encryptionService: new SynchronousService() }),
  };
  const fleet = await createFleet(build, pods);
  fleet.deploy("before");
  await fleet.pods[0]!.inngest.send({ name: "go", data: { encrypted: { card: "4111" } } });
  await fleet.engine.idle();
  fleet.deploy("own");
  await fleet.engine.advance("2h");
  expect(fleet.engine.runs[0]?.status).toBe("completed");
  expect(fleet.seen.at(-1)).toMatchObject({ pod: "own", what: "awake" });
  fleet.deploy("service");
  await fleet.pods[1]!.inngest.send({ name: "go", data: { encrypted: { card: "4111" } } });
  await fleet.engine.idle();
  expect(fleet.seen.at(-1)).toMatchObject({ pod: "service" });
});

test("no marker leaves with a service that leaves on a path that is sealed", async () => {
  const fleet = await createFleet((inngest) => plant(inngest), { ours: ours(new StoreService(0)) });
  await playLeaks(fleet.pods[0]!.inngest, fleet.engine);
  for (const name of [
    "stepError",
    "input",
    "functionOutput",
    "stepSignal",
    "outputText",
    "clientEvent",
  ] as const) {
    expect(findPlaintext(fleet.engine.wire, [MARKERS[name]]), name).toEqual([]);
  }
});

test("the exports have the official names and answers", () => {
  const { ENCRYPTION_MARKER, STRATEGY_MARKER, DEFAULT_ENCRYPTED_EVENT_FIELD } = OfficialService;
  expect({ ...EncryptionService }).toMatchObject({
    ENCRYPTION_MARKER,
    STRATEGY_MARKER,
    DEFAULT_ENCRYPTED_EVENT_FIELD,
  });
  const v0 = { __ENCRYPTED__: true, data: "x" };
  expect([isV0EncryptedValue(v0), isEncryptedValue(v0)]).toEqual([true, false]);
  const named = { ...v0, __STRATEGY__: "any" };
  expect([isV0EncryptedValue(named), isEncryptedValue(named)]).toEqual([false, true]);
  for (const value of [null, 1, "x", [], {}, { ...v0, data: 1 }, { __ENCRYPTED__: 1, data: "x" }]) {
    expect([isV0EncryptedValue(value), isEncryptedValue(value)]).toEqual([false, false]);
  }
});

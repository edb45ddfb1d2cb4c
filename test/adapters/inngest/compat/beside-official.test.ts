import { createHash } from "node:crypto";
import type { Middleware } from "inngest";
import { isSealed } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import type { StoredStep } from "stepseal/testing";
import { expect, test } from "vitest";
import { keyring } from "../harness.ts";
import { type Build, createFleet, type Fleet, officialMiddleware, PASSPHRASE } from "./fleet.ts";

// One app with each middleware: what README.md says of the official one beside stepseal, where test/security/leak.test.ts
// does not.

const BOTH: Readonly<Record<string, () => Middleware.Class>> = {
  official: () => officialMiddleware({ key: PASSPHRASE }),
  stepseal: () => encryptionMiddleware({ keyring: keyring() }),
};

const hashed = (id: string): string => createHash("sha1").update(id).digest("hex");

const build: Build = (inngest, see) => [
  inngest.createFunction({ id: "fn", triggers: { event: "go" }, retries: 0 }, async ({ event, step }) => {
    await step.run("nothing", () => null);
    const own = await step.run("own", () => ({ of: event.data.n }));
    await step.sleep("nap", "1h");
    see("result", own);
    const told = await step.waitForEvent("wait", { event: "told", timeout: "1d" });
    see("event", told?.data.encrypted);
  }),
];

/** Two runs asleep, before the first sees its results. */
async function asleep(middleware: string): Promise<Fleet> {
  const fleet = await createFleet(build, { pod: BOTH[middleware]!() });
  for (const n of [1, 2]) {
    await fleet.pods[0]!.inngest.send({ name: "go", data: { n, encrypted: { n } } });
  }
  await fleet.engine.idle();
  return fleet;
}

/** What the first run gets to see after the platform changed its result, and how it ends. */
async function seenAfter(
  middleware: string,
  change: (steps: Map<string, StoredStep>, other: StoredStep) => void,
) {
  const { engine, seen } = await asleep(middleware);
  const [run, other] = engine.runs;
  change(run!.steps, other!.steps.get(hashed("own"))!);
  engine.cancel(other!.id);
  await engine.advance("1h");
  return { saw: seen.map(({ value }) => value), failed: run!.status === "failed", says: run!.error };
}

test.each([
  ["official", false],
  ["stepseal", true],
])("%s seals the null that a step returned: %s", async (middleware, sealed) => {
  const { engine } = await asleep(middleware);
  const { data } = engine.runs[0]!.steps.get(hashed("nothing")) as { data: unknown };
  expect(isSealed(data)).toBe(sealed);
  if (!sealed) expect(data).toBeNull();
});

const ATTACKS: readonly [
  name: string,
  change: Parameters<typeof seenAfter>[1],
  taken: unknown,
  code: string,
][] = [
  [
    "the result of another run",
    (steps, other) => steps.set(hashed("own"), other),
    { of: 2 },
    "another place",
  ],
  [
    "a result made up in plaintext",
    (steps) => steps.set(hashed("own"), { data: { of: "nobody" } }),
    { of: "nobody" },
    "plaintext stands where",
  ],
];

test.each(ATTACKS)("official takes %s for the step's own", async (_name, change, taken) => {
  const { saw, failed } = await seenAfter("official", change);
  expect(saw).toEqual([taken]);
  expect(failed).toBe(false);
});

test.each(ATTACKS)(
  "stepseal refuses %s, and user code sees nothing of it",
  async (_name, change, _taken, code) => {
    const { saw, failed, says } = await seenAfter("stepseal", change);
    expect(saw).toEqual([]);
    expect(failed).toBe(true);
    expect(JSON.stringify(says)).toContain(code);
  },
);

test.each([
  ["official", { __ENCRYPTED__: true }],
  ["stepseal", { secret: "told" }],
])("the field of an event that was waited for, with %s: %j", async (middleware, expected) => {
  const { engine, pods, seen } = await asleep(middleware);
  await engine.advance("1h");
  await pods[0]!.inngest.send({ name: "told", data: { encrypted: { secret: "told" } } });
  await engine.idle();
  const events = seen.filter(({ what }) => what === "event").map(({ value }) => value);
  expect(events).toHaveLength(2);
  for (const event of events) expect(event).toMatchObject(expected);
});

import type { Middleware } from "inngest";
import { encryptionMiddleware } from "stepseal/inngest";
import { encryptionMiddleware as dropIn } from "stepseal/inngest/compat";
import type { Run, StoredStep } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { A, B, expectRefused, stored, victims } from "../../../security/victim.ts";
import { keyring, MODES } from "../harness.ts";
import {
  type Build,
  createFleet,
  type Fleet,
  NEXT_PASSPHRASE,
  officialMiddleware,
  PASSPHRASE,
} from "./fleet.ts";

const theirs = () => officialMiddleware({ key: PASSPHRASE });
const ours = () => dropIn({ key: PASSPHRASE });
const reading = (read: true | "bound", plaintext?: "reject") => () =>
  encryptionMiddleware({
    keyring: keyring(),
    legacy: { passphrases: [PASSPHRASE], read, write: true },
    ...(plaintext && { plaintext }),
  });

interface Sleepers extends Fleet {
  readonly runs: readonly Run[];
  /** What user code saw. */
  readonly saw: unknown[];
}

describe.each(MODES)("$name", ({ checkpointing }) => {
  /** Two runs of "pay", asleep, with two results each; begun by the first pod, gone on with by the last. */
  async function asleep(pods: Record<string, Middleware.Class>, retries: 0 | 4 = 0): Promise<Sleepers> {
    const saw: unknown[] = [];
    const build: Build = (inngest) => victims(saw, retries)(inngest).slice(0, 1);
    const fleet = await createFleet(build, pods, { checkpointing });
    const names = Object.keys(pods);
    fleet.deploy(names[0]!);
    for (const n of [1, 2]) {
      const data = { n, encrypted: { card: `card-${n}` } };
      await fleet.pods[0]!.inngest.send({ name: "shop/pay", data });
    }
    await fleet.engine.idle();
    saw.length = 0;
    fleet.deploy(names.at(-1)!);
    return { ...fleet, runs: fleet.engine.runsOf("pay"), saw };
  }

  /** Without what the second run sees. */
  const firstOf = ({ engine, runs }: Sleepers): Run => {
    engine.cancel(runs[1]!.id);
    return runs[0]!;
  };
  const members = (step: StoredStep | undefined) => step?.data as Record<string, string>;

  test.each<[name: string, code: string, change: (run: Run, other: Run) => void]>([
    [
      "two results of a run that changed places",
      "CONTEXT",
      (run) => {
        const [a, b] = [run.steps.get(A)!, run.steps.get(B)!];
        run.steps.set(A, b).set(B, a);
      },
    ],
    [
      "the result of another customer's run",
      "CONTEXT",
      (run, other) => run.steps.set(A, other.steps.get(A)!),
    ],
    [
      "the sealed field of the event in place of a result",
      "CONTEXT",
      (run) => run.steps.set(A, { data: run.event.data.encrypted }),
    ],
    [
      "another value under the claims that belong there",
      "CORRUPT",
      (run, other) => {
        const { k, c, t } = members(run.steps.get(A));
        run.steps.set(A, { data: { ...members(other.steps.get(A)), k, c, t } });
      },
    ],
    [
      "an altered result",
      "CORRUPT",
      (run) => {
        const { data, ...rest } = members(run.steps.get(A));
        run.steps.set(A, { data: { ...rest, data: `${data!.slice(0, 60)}AAAA${data!.slice(64)}` } });
      },
    ],
    [
      "a result with half of its binding",
      "FORMAT",
      (run) => {
        const { t, ...rest } = members(run.steps.get(A));
        run.steps.set(A, { data: rest });
      },
    ],
  ])("the drop-in refuses %s, and user code sees nothing of it", async (_name, code, change) => {
    const sleepers = await asleep({ ours: ours() });
    change(sleepers.runs[0]!, sleepers.runs[1]!);
    const run = firstOf(sleepers);
    await sleepers.engine.advance("1h");
    expectRefused(run, sleepers.saw, code, A);
  });

  test("the official middleware takes all of these for what they are not", async () => {
    const sleepers = await asleep({ ours: ours(), theirs: theirs() });
    sleepers.runs[0]!.steps.set(A, sleepers.runs[1]!.steps.get(A)!);
    const run = firstOf(sleepers);
    await sleepers.engine.advance("1h");
    expect(run.status).toBe("completed");
    expect(sleepers.saw[0]).toEqual({ secret: "pay-a-2" });
  });

  test("values of the official middleware open, wherever they stand, while those are read", async () => {
    const sleepers = await asleep({ theirs: theirs(), ours: reading(true)() });
    sleepers.runs[0]!.steps.set(A, sleepers.runs[1]!.steps.get(A)!);
    const run = firstOf(sleepers);
    await sleepers.engine.advance("1h");
    expect(run.status).toBe("completed");
    expect(sleepers.saw[0]).toEqual({ secret: "pay-a-2" });
  });

  test('read: "bound" refuses values that do not say where they belong, and a bound one without its tag', async () => {
    for (const before of [theirs(), ours()]) {
      const sleepers = await asleep({ before, after: reading("bound")() });
      for (const run of sleepers.runs) {
        for (const id of [A, B]) {
          const { __ENCRYPTED__, __STRATEGY__, data } = members(run.steps.get(id));
          run.steps.set(id, { data: { __ENCRYPTED__, __STRATEGY__, data } });
        }
      }
      const run = firstOf(sleepers);
      await sleepers.engine.advance("1h");
      expectRefused(run, sleepers.saw, "CONTEXT", "do not say where they belong");
    }
  });

  test('plaintext in place of a result is told of by default, and refused by plaintext: "reject"', async () => {
    for (const [plaintext, status] of [
      [undefined, "completed"],
      ["reject", "failed"],
    ] as const) {
      const sleepers = await asleep({ ours: ours(), after: reading(true, plaintext)() });
      sleepers.runs[0]!.steps.set(A, { data: { secret: "made up" } });
      const run = firstOf(sleepers);
      await sleepers.engine.advance("1h");
      expect(run.status).toBe(status);
      const told = sleepers.log.some((line) => line.includes("plaintext accepted") && line.includes(A));
      expect(told).toBe(plaintext === undefined);
      expect(sleepers.log.join()).not.toContain("made up");
      if (plaintext === "reject") expectRefused(run, sleepers.saw, "PLAINTEXT_REJECTED", A);
    }
  });

  test("another passphrase loses nothing: the run is retried, and goes on once the right one is deployed", async () => {
    for (const begun of [theirs(), ours()]) {
      const after = dropIn({ key: NEXT_PASSPHRASE });
      const mended = dropIn({ key: NEXT_PASSPHRASE, fallbackDecryptionKeys: [PASSPHRASE] });
      const sleepers = await asleep({ begun, mended, after }, 4);
      const run = firstOf(sleepers);
      await sleepers.engine.advance("1h");
      expect(sleepers.saw).toEqual([]);
      expect(run.status).toBe("running");
      expect(run.attempts).toBeGreaterThan(1);
      sleepers.deploy("mended");
      await sleepers.engine.advance("1d");
      expect(run.status).toBe("completed");
      expect(stored(run)).toBeUndefined();
    }
  });
});

test("the result of one call of a function is not taken for that of another", async () => {
  const saw: unknown[] = [];
  const build: Build = (inngest) => {
    const child = inngest.createFunction({ id: "child", triggers: [] }, async ({ event }) => {
      const data: { readonly encrypted?: unknown } = event.data;
      return data.encrypted;
    });
    return [
      child,
      inngest.createFunction({ id: "parent", triggers: { event: "go" }, retries: 0 }, async ({ step }) => {
        const call = (id: string) => step.invoke(id, { function: child, data: { encrypted: id } });
        const got = [await call("first"), await call("second")];
        await step.sleep("nap", "1h");
        saw.push(...got);
      }),
    ];
  };
  const fleet = await createFleet(build, { ours: ours() });
  await fleet.pods[0]!.inngest.send({ name: "go", data: { encrypted: 1 } });
  await fleet.engine.idle();
  const [run] = fleet.engine.runsOf("parent");
  const [[first, one], [second, two]] = [...run!.steps].slice(0, 2) as [
    [string, StoredStep],
    [string, StoredStep],
  ];
  run!.steps.set(first, two).set(second, one);
  await fleet.engine.advance("1h");
  expect(saw).toEqual([]);
  expect(run!.status).toBe("failed");
  expect(stored(run)).toContain("CONTEXT");
});

test('read: "bound" takes the result of a call that carried nothing sealed, and so no token', async () => {
  const build: Build = (inngest) => {
    const child = inngest.createFunction({ id: "child", triggers: [] }, () => ({ answer: 42 }));
    return [
      child,
      inngest.createFunction({ id: "parent", triggers: { event: "go" }, retries: 0 }, ({ step }) =>
        step.invoke("call", { function: child }),
      ),
    ];
  };
  const fleet = await createFleet(build, { ours: reading("bound")() });
  await fleet.pods[0]!.inngest.send({ name: "go", data: {} });
  await fleet.engine.idle();
  expect(fleet.engine.runsOf("parent")[0]?.status).toBe("completed");
});

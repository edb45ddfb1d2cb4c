import { LibSodiumEncryptionService } from "@inngest/middleware-encryption/strategies/libSodium";
import { encryptionMiddleware, type LegacyOptions } from "stepseal/inngest";
import type { Run } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { createFleet, officialMiddleware, PASSPHRASE } from "../adapters/inngest/compat/fleet.ts";
import { keyring, MODES } from "../adapters/inngest/harness.ts";
import { A, B, expectRefused, victims } from "./victim.ts";

// Values of Inngest's own middleware say nothing of where they belong. They stand where envelopes are expected.

type Read = "no legacy" | NonNullable<LegacyOptions["read"]>;

const ours = (read: Read, write = false) =>
  encryptionMiddleware({
    keyring: keyring(),
    ...(read !== "no legacy" && { legacy: { passphrases: [PASSPHRASE], read, write } }),
  });

/** Which refusal there is; none where such values are read. */
const POLICIES: [read: Read, code: string | undefined][] = [
  ["no legacy", "LEGACY_NO_KEY"],
  [false, "LEGACY_NO_KEY"],
  ["bound", "CONTEXT"],
  [true, undefined],
];

async function officialValue(value: unknown): Promise<Record<string, unknown>> {
  const service = new LibSodiumEncryptionService(PASSPHRASE);
  return { __ENCRYPTED__: true, __STRATEGY__: service.identifier, data: await service.encrypt(value) };
}

describe.each(MODES)("$name", ({ checkpointing }) => {
  /** Two runs of "pay", asleep, which a pod of ours began. */
  async function asleep(read: Read, write = false) {
    const seen: unknown[] = [];
    const pods = { ours: ours(read, write) };
    const fleet = await createFleet((inngest) => victims(seen)(inngest).slice(0, 1), pods, { checkpointing });
    for (const n of [1, 2]) {
      await fleet.pods[0]!.inngest.send({ name: "shop/pay", data: { n, encrypted: { card: `card-${n}` } } });
    }
    await fleet.engine.idle();
    seen.length = 0;
    const [run, other] = fleet.engine.runsOf("pay") as [Run, Run];
    return { ...fleet, seen, run, other };
  }

  test.each(POLICIES)("in place of a step's result, with read: %j: %s", async (read, code) => {
    const { engine, log, other, run, seen } = await asleep(read);
    engine.cancel(other.id);
    const forged = await officialValue({ secret: "of another app" });
    run.steps.set(A, { data: forged });
    await engine.advance("1h");
    if (code === undefined) {
      expect(run.status).toBe("completed");
      expect(seen[0]).toEqual({ secret: "of another app" });
    } else expectRefused(run, seen, code, A);
    for (const text of [...log, JSON.stringify(run.error ?? null)]) {
      expect(text).not.toContain("of another app");
      expect(text).not.toContain(PASSPHRASE.trim());
      expect(text).not.toContain(forged.data);
    }
  });

  test.each(POLICIES)("in an event's field, with read: %j: %s", async (read, code) => {
    const seen: unknown[] = [];
    const pods = { theirs: officialMiddleware({ key: PASSPHRASE }), ours: ours(read) };
    const fleet = await createFleet((inngest) => victims(seen)(inngest).slice(0, 1), pods, { checkpointing });
    fleet.deploy("ours");
    await fleet.pods[0]!.inngest.send({ name: "shop/pay", data: { n: 1, encrypted: { card: "4111" } } });
    await fleet.engine.idle();
    await fleet.engine.advance("1h");
    const [run] = fleet.engine.runsOf("pay");
    if (code === undefined) {
      expect(run?.status).toBe("completed");
      expect(seen).toContainEqual({ card: "4111" });
    } else expectRefused(run!, seen, code, "encrypted");
  });

  // An envelope of stepseal is no weaker for what is read beside it, nor is a value that stepseal wrote and bound.
  test.each<[name: string, write: boolean, code: string, change: (run: Run, other: Run) => void]>(
    [false, true].flatMap((write) =>
      (
        [
          ["two results change places", "CONTEXT", (run) => swap(run, run, B)],
          ["another run's result", "CONTEXT", (run, other) => swap(run, other, A)],
          [
            "the event's field as a result",
            "CONTEXT",
            (run) => run.steps.set(A, { data: run.event.data.encrypted }),
          ],
          [
            "a result as an error",
            "CONTEXT",
            (run) =>
              run.steps.set(A, { error: { name: "Error", message: "", cause: run.steps.get(A)?.data } }),
          ],
        ] as [string, string, (run: Run, other: Run) => void][]
      ).map(([name, code, change]): [string, boolean, string, typeof change] => [name, write, code, change]),
    ),
  )("%s, with legacy.write: %j, while all is read: %s", async (_name, write, code, change) => {
    const { engine, other, run, seen } = await asleep(true, write);
    change(run, other);
    engine.cancel(other.id);
    await engine.advance("1h");
    expectRefused(run, seen, code, A);
  });
});

function swap(run: Run, other: Run, id: string): void {
  const [mine, theirs] = [run.steps.get(A)!, other.steps.get(id)!];
  run.steps.set(A, theirs);
  other.steps.set(id, mine);
}

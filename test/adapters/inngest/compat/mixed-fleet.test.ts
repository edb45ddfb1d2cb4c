import { isSealed } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import { encryptionMiddleware as dropIn } from "stepseal/inngest/compat";
import { describe, expect, test } from "vitest";
import { keyring } from "../harness.ts";
import { everything, play, sights, VALUES } from "./everything.ts";
import { createFleet, NEXT_PASSPHRASE, officialMiddleware, PASSPHRASE } from "./fleet.ts";

/** The ways in which stepseal serves beside the official middleware. */
const OURS = {
  "the drop-in": () => dropIn({ key: PASSPHRASE }),
  "legacy.write": () =>
    encryptionMiddleware({ keyring: keyring(), legacy: { passphrases: [PASSPHRASE], write: true } }),
};

describe.each(Object.entries(OURS))("%s and the official middleware", (_name, ours) => {
  const theirs = () => officialMiddleware({ key: PASSPHRASE });

  test.each([
    { order: ["theirs", "ours"], sender: 0 },
    { order: ["ours", "theirs"], sender: 0 },
    { order: ["theirs", "ours"], sender: 1 },
    { order: ["ours", "ours", "theirs"], sender: 1 },
    { order: ["theirs", "theirs", "ours"], sender: 0 },
  ])(
    "go on with each other's runs, request by request: $order, sent by $sender",
    async ({ order, sender }) => {
      const plain = await createFleet(everything, { plain: null });
      await play(plain, plain.pods[0]!.inngest);
      const fleet = await createFleet(everything, { theirs: theirs(), ours: ours() });
      fleet.deploy(...order);
      await play(fleet, fleet.pods[sender]!.inngest);
      expect(fleet.engine.runs.map(({ functionId, status }) => [functionId, status])).toEqual(
        plain.engine.runs.map(({ functionId, status }) => [functionId, status]),
      );
      expect(sights(fleet)).toEqual(sights(plain));
      expect(new Set(fleet.seen.map(({ pod }) => pod)).size).toBe(2);
    },
  );

  test.each([true, { bufferedSteps: 5 }])(
    "with checkpoints (%j): a deploy between any two waits",
    async (checkpointing) => {
      for (const [before, after] of [
        ["theirs", "ours"],
        ["ours", "theirs"],
      ] as const) {
        const fleet = await createFleet(everything, { theirs: theirs(), ours: ours() }, { checkpointing });
        fleet.deploy(before);
        await fleet.pods[0]!.inngest.send({ name: "shop/go", data: { encrypted: { card: "4111" } } });
        await fleet.engine.idle();
        const [run] = fleet.engine.runsOf("parent");
        expect(run?.steps.size).toBeGreaterThan(VALUES.length);
        fleet.seen.length = 0;
        fleet.deploy(after);
        await fleet.engine.advance("1h");
        await fleet.engine.advance("1d");
        expect(run?.status).toBe("completed");
        expect(sights(fleet)).toMatchObject({ "step 0": VALUES[0], "the second time": { secret: "again" } });
        expect(fleet.seen.every(({ pod }) => pod === after)).toBe(true);
      }
    },
  );

  test("a rotation of the passphrase on both kinds of pods loses nothing", async () => {
    const rotated = {
      theirs: officialMiddleware({ key: NEXT_PASSPHRASE, fallbackDecryptionKeys: [PASSPHRASE] }),
      ours: dropIn({ key: NEXT_PASSPHRASE, fallbackDecryptionKeys: [PASSPHRASE] }),
      oldTheirs: officialMiddleware({ key: PASSPHRASE, fallbackDecryptionKeys: [NEXT_PASSPHRASE] }),
      oldOurs: dropIn({ key: PASSPHRASE, fallbackDecryptionKeys: [NEXT_PASSPHRASE] }),
    };
    const fleet = await createFleet(everything, rotated);
    await play(fleet, fleet.pods[2]!.inngest);
    expect(fleet.engine.runs.map(({ status }) => status)).not.toContain("failed");
    expect(fleet.engine.runsOf("parent")[0]?.status).toBe("completed");
  });

  test("both leave what the other one decrypts: values, outputs, events", async () => {
    const fleet = await createFleet(everything, { ours: ours() });
    await play(fleet, fleet.pods[0]!.inngest);
    const [run] = fleet.engine.runsOf("parent");
    const values = [
      run!.output,
      run!.event.data.encrypted,
      ...[...run!.steps.values()].map((step) => step?.data),
    ];
    const sealed = values.filter(
      (value) => typeof value === "object" && value !== null && "__ENCRYPTED__" in value,
    );
    expect(sealed.length).toBeGreaterThan(VALUES.length + 4);
    for (const value of sealed) {
      expect(isSealed(value)).toBe(false);
      expect(Object.keys(value as object).sort()).toEqual([
        "__ENCRYPTED__",
        "__STRATEGY__",
        "c",
        "data",
        "k",
        "t",
      ]);
    }
  });
});

import type { Middleware } from "inngest";
import type { Use } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import { encryptionMiddleware as dropIn } from "stepseal/inngest/compat";
import type { Run } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { keyring, MODES } from "../harness.ts";
import { everything, play, sights } from "./everything.ts";
import { type Build, createFleet, type Fleet, officialMiddleware, PASSPHRASE } from "./fleet.ts";

/** The deploys of docs/migrating.md, in their order. */
const STAGES = {
  official: () => officialMiddleware({ key: PASSPHRASE }),
  beside: () =>
    dropIn({ key: PASSPHRASE, errors: "plaintext", allowPlaintext: ["signal", "realtime", "defer"] }),
  "drop-in": () => dropIn({ key: PASSPHRASE }),
  "with a ring": (onUse?: (use: Use) => void) => ours({ passphrases: [PASSPHRASE], write: true }, onUse),
  envelopes: (onUse?: (use: Use) => void) => ours({ passphrases: [PASSPHRASE] }, onUse),
  trial: (onUse?: (use: Use) => void) => ours({ passphrases: [PASSPHRASE], read: false }, onUse),
  done: () => encryptionMiddleware({ keyring: keyring() }),
};
type Stage = keyof typeof STAGES;

function ours(
  legacy: { passphrases: string[]; read?: boolean; write?: boolean },
  onUse?: (use: Use) => void,
): Middleware.Class {
  return encryptionMiddleware({ keyring: keyring(), legacy, ...(onUse && { onUse }) });
}

const FORWARD = Object.keys(STAGES) as Stage[];
const pairs = FORWARD.slice(1).map((stage, i): [Stage, Stage] => [FORWARD[i]!, stage]);

describe("while a stage rolls out, pods of the one before it serve the same runs", () => {
  test.each([...pairs, ...pairs.map(([a, b]): [Stage, Stage] => [b, a])])(
    "%s → %s",
    async (before, after) => {
      const plain = await createFleet(everything, { plain: null });
      await play(plain, plain.pods[0]!.inngest);
      for (const sender of [0, 1]) {
        const fleet = await createFleet(everything, { before: STAGES[before](), after: STAGES[after]() });
        await play(fleet, fleet.pods[sender]!.inngest);
        expect(fleet.engine.runs.map(({ status }) => status)).not.toContain("failed");
        expect(sights(fleet)).toEqual(sights(plain));
      }
    },
  );
});

describe.each(MODES)("$name", ({ checkpointing }) => {
  /** Runs that take a step in each stage, and sleep through the deploy of the next one. */
  async function migrate(
    stages: readonly Stage[],
  ): Promise<{ fleet: Fleet; run: Run; formats: (string | undefined)[][]; last: () => unknown }> {
    const build: Build = (inngest, see) => [
      inngest.createFunction(
        { id: "long", triggers: { event: "go" }, retries: 0 },
        async ({ event, step }) => {
          const results: string[] = [];
          for (const stage of stages) {
            results.push(await step.run(stage, () => `sealed under "${stage}"`));
            await step.sleep(`after ${stage}`, "1d");
          }
          see("all", { card: event.data.encrypted, results });
          return results;
        },
      ),
    ];
    const formats = stages.map((): (string | undefined)[] => []);
    const middleware = stages.map((stage, n) => STAGES[stage]((use) => formats[n]!.push(use.format)));
    const named = Object.fromEntries(stages.map((stage, n) => [stage, middleware[n]!]));
    const fleet = await createFleet(build, named, { checkpointing });
    fleet.deploy(stages[0]!);
    await fleet.pods[0]!.inngest.send({ name: "go", data: { encrypted: "card" } });
    await fleet.engine.idle();
    for (const stage of stages.slice(1)) {
      fleet.deploy(stage);
      await fleet.engine.advance("1d");
    }
    await fleet.engine.advance("1d");
    return { fleet, run: fleet.engine.runs[0]!, formats, last: () => fleet.seen.at(-1)?.value };
  }

  /** What the function saw at its end: all that the stages sealed. */
  const all = (stages: readonly Stage[]) => ({
    card: "card",
    results: stages.map((stage) => `sealed under "${stage}"`),
  });

  test("a run begun under the official middleware goes on through every stage of the way in", async () => {
    const stages = FORWARD.slice(0, 5);
    const { run, last } = await migrate(stages);
    expect(run.status).toBe("completed");
    expect(last()).toEqual(all(stages));
  });

  test("a run begun in envelopes goes on through the way back, up to the last stage that holds the ring", async () => {
    const stages: Stage[] = ["done", "envelopes", "with a ring"];
    const { run, last } = await migrate(stages);
    expect(run.status).toBe("completed");
    expect(last()).toEqual(all(stages));
  });

  test("and one begun under the ring in the official format goes on to the official middleware", async () => {
    const stages: Stage[] = ["with a ring", "drop-in", "beside", "official"];
    const { run, last } = await migrate(stages);
    expect(run.status).toBe("completed");
    expect(last()).toEqual(all(stages));
  });

  test("onUse tells which format is still opened", async () => {
    const { formats } = await migrate(["with a ring", "envelopes"]);
    expect(formats[1]).toContain("inngest/libsodium");
    expect((await migrate(["envelopes", "trial"])).formats.flat()).not.toContain("inngest/libsodium");
  });

  test("a trial refuses what is left, and once it is taken back the run is rerun to its end", async () => {
    const stages: Stage[] = ["drop-in", "trial", "envelopes"];
    const { fleet, run, last } = await migrate(stages);
    const { engine } = fleet;
    expect(run.status).toBe("failed");
    expect(JSON.stringify(run.error)).toContain("LEGACY_NO_KEY");
    // By now "envelopes" is deployed again.
    for (const from of [{}, { fromStep: "after drop-in" }]) {
      const again = engine.rerun(run.id, from);
      await engine.advance("7d");
      expect(again.status).toBe("completed");
      expect(last()).toEqual(all(stages));
    }
  });
});

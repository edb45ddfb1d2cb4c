import { Command, Option } from "commander";
import { generateKey } from "../../keyring/key.ts";
import { createKeyring } from "../../keyring/keyring.ts";
import { Failure } from "../exit.ts";
import { type KeyOptions, keyringOption, readRingWarning } from "../keys.ts";
import { type KeyText, writeRing } from "../ring-text.ts";
import { note } from "../terminal.ts";

interface RotateOptions extends KeyOptions {
  readonly standby?: boolean;
  readonly now?: boolean;
  readonly json?: boolean;
}

/** `rotate`: the ring with another primary, and with every key it had. */
export function rotate(): Command {
  return new Command("rotate")
    .summary("make the next key, or let it seal")
    .description(
      "Takes the ring one step further and keeps every key in it. With --standby, a new key is added that only opens: " +
        "deploy it everywhere first. Without, the key on standby becomes the primary, and the old primary only opens. " +
        "With --now, in an emergency, a new key becomes the primary at once. Prints the lines of an env file, which hold " +
        "the keys; a keyring file is replaced, whole or not at all.",
    )
    .addOption(keyringOption())
    .addOption(new Option("--standby", "add a new key that only opens").conflicts("now"))
    .option("--now", "let a new key seal at once, where no key is on standby")
    .option("--json", 'print {"kid","state","keys"} of the key and the ring, and "env" or "file"')
    .addHelpText(
      "after",
      "\nExample, with a deploy of what each line printed, in whose environment the next one runs:\n  npx stepseal rotate --standby > standby.env\n  npx stepseal rotate > next.env\n",
    )
    .action(async ({ keyring, standby, now, json }: RotateOptions) => {
      const ring = readRingWarning(keyring);
      const { keys, next, advice } =
        standby === true ? withStandby(ring.keys) : withNextPrimary(ring.keys, now === true);
      const { kid, state } = next;
      await writeRing(ring, keys, json === true ? { kid, state } : undefined);
      if (json !== true) note(advice);
    });
}

interface Rotated {
  readonly keys: readonly KeyText[];
  /** The key that is new, or seals now. */
  readonly next: KeyText;
  readonly advice: string;
}

function withStandby(keys: readonly KeyText[]): Rotated {
  const next = newKey("standby");
  return {
    keys: [...keys, next],
    next,
    advice: `Key ${next.kid} is on standby. Deploy it everywhere, then run rotate without --standby.`,
  };
}

function withNextPrimary(keys: readonly KeyText[], now: boolean): Rotated {
  const standby = keys.find(({ state }) => state === "standby");
  if (standby === undefined && !now) {
    throw new Failure(
      "No key is on standby. Make one with --standby, deploy it everywhere, and run this where that ring is; or, in an emergency, give --now.",
    );
  }
  if (standby !== undefined && now) {
    throw new Failure(`Key ${standby.kid} is on standby: --now would make another. Leave it out.`);
  }
  const next: KeyText = { ...(standby ?? newKey("primary")), state: "primary" };
  const old = keys.find(({ state }) => state === "primary")!;
  const others = keys.filter((key) => key !== standby && key !== old);
  const advice =
    standby === undefined
      ? `Key ${next.kid} is new and seals at once: until a process has it, what it sealed fails there with UNKNOWN_KEY and is retried. With --standby first, nothing fails.`
      : `Key ${next.kid} seals, and ${old.kid} opens only. Retire that when nothing needs it: stepseal retire ${old.kid}`;
  return { keys: [next, { ...old, state: "decrypt-only" }, ...others], next, advice };
}

function newKey(state: "primary" | "standby"): KeyText {
  const key = generateKey();
  return { kid: createKeyring({ key }).primary, state, key };
}

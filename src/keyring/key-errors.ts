import { StepsealError } from "../errors.ts";
import { quote } from "../internal/claim-checks.ts";
import { type KeyState, OVERRIDE } from "./options.ts";

/** What is told of a key: never its material. */
interface NamedKey {
  readonly kid: string;
  readonly state: KeyState;
  readonly destroyedAt?: string | undefined;
  /** Those that it opens, where it is no whole key. */
  readonly runs?: ReadonlyMap<string, unknown> | undefined;
}

/**
 * Why a key that the ring knows opens nothing.
 *
 * @param use what it is wanted for, as the message begins
 */
export function refusedKey({ kid, state, destroyedAt }: NamedKey, use = "Sealed under"): StepsealError {
  if (state === "disabled") {
    return new StepsealError(
      "KEY_DISABLED",
      `${use} key ${kid}, which this ring holds as disabled. Data still needs it: give it the state decrypt-only to open it.`,
      { kid },
    );
  }
  if (state === "compromised") {
    return new StepsealError(
      "KEY_COMPROMISED",
      `${use} key ${kid}, which this ring holds as compromised: whoever has that key can have made this value. It stays closed, unless ${OVERRIDE} names the kid.`,
      { kid },
    );
  }
  const when = destroyedAt === undefined ? "" : ` on ${destroyedAt}`;
  return new StepsealError(
    "KEY_DESTROYED",
    `${use} key ${kid}, which was destroyed${when}. Nothing can open it.`,
    { kid },
  );
}

/** That the ring does not hold a key, and which it holds. */
export function unknownKey(kid: string, keys: Iterable<NamedKey>, use = "Sealed under"): StepsealError {
  const all = [...keys];
  const held = all
    .map((key) => `${key.kid} (${key.runs === undefined ? key.state : runKeysOf(key.runs)})`)
    .join(", ");
  if (all.some((key) => key.runs !== undefined)) {
    return new StepsealError(
      "UNKNOWN_KEY",
      `${use} key ${kid}, and this ring of run keys holds only ${held}. Ask whoever holds that key for ring.runKey(run, "${kid}").`,
      { kid },
    );
  }
  return new StepsealError(
    "UNKNOWN_KEY",
    `${use} key ${kid}, which this ring does not hold. It holds ${held}. While a deploy with a new key is rolling out, a retry can reach a process that holds it; otherwise add the key to STEPSEAL_KEY_FALLBACK or the keyring options.`,
    { kid },
  );
}

/** That of a key the ring holds run keys only, and not the one of this run. */
export function unknownRun({ kid, runs }: NamedKey, run: string | undefined): StepsealError {
  const wanted = run === undefined ? "for no run" : `for run ${quote(run)}`;
  const fix =
    run === undefined
      ? "Fields of events and whatever else belongs to no run open with the root key alone."
      : `Ask whoever holds the root key for ring.runKey(${quote(run)}, "${kid}").`;
  return new StepsealError(
    "UNKNOWN_KEY",
    `Sealed under key ${kid} ${wanted}. Of that key this ring holds the ${runKeysOf(runs)}, and a run key opens nothing else. ${fix}`,
    { kid },
  );
}

function runKeysOf(runs: ReadonlyMap<string, unknown> = new Map()): string {
  const names = [...runs.keys()].map(quote).join(", ");
  return `run key${runs.size === 1 ? "" : "s"} of ${names}`;
}

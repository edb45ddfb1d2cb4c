import { StepsealError } from "../errors.ts";
import type { KeyState } from "./options.ts";

/** What is told of a key: never its material. */
interface NamedKey {
  readonly kid: string;
  readonly state: KeyState;
  readonly destroyedAt?: string | undefined;
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
      `${use} key ${kid}, which this ring holds as compromised: whoever has that key can have made this value. It stays closed.`,
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
  const held = [...keys].map((key) => `${key.kid} (${key.state})`).join(", ");
  return new StepsealError(
    "UNKNOWN_KEY",
    `${use} key ${kid}, which this ring does not hold. It holds ${held}. While a deploy with a new key is rolling out, a retry can reach a process that holds it; otherwise add the key to STEPSEAL_KEY_FALLBACK or the keyring options.`,
    { kid },
  );
}

import * as z from "zod/mini";
import { StepsealError } from "../errors.ts";
import type { Environment } from "../internal/environment.ts";
import { createKeyring, Keyring } from "../keyring/keyring.ts";
import { keyringFromEnv } from "../keyring/load.ts";
import { isKeyringSource, type KeyringSource } from "../keyring/source.ts";
import { func } from "./check-shape.ts";

/** Where the keys of an adapter come from: one of these, or the environment. */
export interface KeyOptions {
  /**
   * A ring; a function that loads one, called once, at the first request or send, again only if it failed; or a source
   * (`createKeyringSource`), which loads it again and again.
   */
  readonly keyring?: Keyring | KeyringSource | (() => Keyring | Promise<Keyring>);
  /** The primary key as text (`ssk1_…`), instead of a ring. */
  readonly key?: string;
  /** Decrypt-only keys as text, beside `key`. */
  readonly fallbackKeys?: readonly string[];
}

/** The shape of `KeyOptions`. */
export const keyShape: Readonly<Record<keyof KeyOptions, z.ZodMiniOptional<z.ZodMiniType>>> = {
  keyring: z.optional(
    z.union(
      [
        z.custom<Keyring | KeyringSource>((value) => value instanceof Keyring || isKeyringSource(value)),
        func,
      ],
      "must be a keyring (createKeyring, loadKeyring), a source (createKeyringSource) or a function that returns a keyring",
    ),
  ),
  key: z.optional(z.string()),
  fallbackKeys: z.optional(z.array(z.string())),
};

export type MaybePromise<T> = T | Promise<T>;

/** The sealer of a client, which its adapter makes of a ring. */
export interface SealerSource<Sealer> {
  /** The sealer, at once where its ring is loaded. */
  readonly sealer: () => MaybePromise<Sealer>;
  /**
   * The sealer after asking for newer keys, for a key that is missing: the same one where there are none. Undefined where
   * there is nobody to ask.
   */
  readonly refreshedSealer?: () => MaybePromise<Sealer>;
}

/**
 * Makes the sealer of a client once for each ring: at once, or when the ring has loaded.
 *
 * @param by what the user called: begins every message
 * @throws {StepsealError} CONFIG, naming the option
 */
export function sealerSource<Sealer>(
  by: string,
  { keyring, key, fallbackKeys }: KeyOptions,
  make: (ring: Keyring) => MaybePromise<Sealer>,
  env?: Environment,
): SealerSource<Sealer> {
  if (keyring !== undefined && (key !== undefined || fallbackKeys !== undefined)) {
    throw new StepsealError(
      "CONFIG",
      `${by}: options "keyring" and "key" or "fallbackKeys" exclude each other; keep one`,
    );
  }
  if (key === undefined && fallbackKeys !== undefined) {
    throw new StepsealError("CONFIG", `${by}: option "fallbackKeys" needs "key", the key that seals; add it`);
  }
  const withRing = oncePerRing(make);
  if (isKeyringSource(keyring)) {
    return {
      sealer: () => {
        const ring = keyring.get();
        return ring instanceof Keyring ? withRing(ring) : ring.then(withRing);
      },
      refreshedSealer: () => keyring.refresh().then(withRing),
    };
  }
  if (typeof keyring === "function") {
    const ring = once(() => loadRing(by, keyring));
    return {
      sealer: () => {
        const loaded = ring();
        return loaded instanceof Keyring ? withRing(loaded) : loaded.then(withRing);
      },
    };
  }
  const ring =
    keyring ??
    (key === undefined ? keyringFromEnv(env) : createKeyring({ key, fallbackKeys: fallbackKeys ?? [] }));
  const sealer = (): MaybePromise<Sealer> => withRing(ring);
  // Options that are wrong are told when the middleware is made.
  void sealer();
  return { sealer };
}

/** Keeps the sealer of the ring that was used last. */
function oncePerRing<Sealer>(
  make: (ring: Keyring) => MaybePromise<Sealer>,
): (ring: Keyring) => MaybePromise<Sealer> {
  let made: { readonly ring: Keyring; readonly sealer: () => MaybePromise<Sealer> } | undefined;
  return (ring) => {
    if (made?.ring !== ring) made = { ring, sealer: once(() => make(ring)) };
    return made.sealer();
  };
}

/** Requests that arrive while something is made share it; what failed is tried again by the next. */
function once<T>(make: () => MaybePromise<T>): () => MaybePromise<T> {
  let made: { readonly value: MaybePromise<T> } | undefined;
  return () => {
    if (made !== undefined) return made.value;
    const value = make();
    const mine = { value };
    made = mine;
    if (value instanceof Promise) {
      value.then(
        (result) => {
          if (made === mine) made = { value: result };
        },
        () => {
          if (made === mine) made = undefined;
        },
      );
    }
    return value;
  };
}

/** The ring that the user's function gives. */
async function loadRing(by: string, load: () => Keyring | Promise<Keyring>): Promise<Keyring> {
  let ring: Keyring;
  try {
    ring = await load();
  } catch (error) {
    if (error instanceof StepsealError) throw error;
    // What it says could hold what was fetched, as a failed JSON.parse does. So it is no cause either, which logs show.
    const name = error instanceof Error ? error.name : typeof error;
    throw new StepsealError(
      "CONFIG",
      `${by}: the function in option "keyring" failed with ${name}; catch and log the error inside it to see more`,
    );
  }
  if (ring instanceof Keyring) return ring;
  throw new StepsealError(
    "CONFIG",
    `${by}: the function in option "keyring" did not return a keyring; return createKeyring(…) or loadKeyring(…)`,
  );
}

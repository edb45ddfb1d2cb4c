import { StepsealError } from "../../errors.ts";
import { createKeyring, Keyring } from "../../keyring/keyring.ts";
import { keyringFromEnv } from "../../keyring/load.ts";
import { isKeyringSource } from "../../keyring/source.ts";
import { createSealer } from "../../sealer.ts";
import { envelopeSealer, type ValueSealer } from "../../value-sealer.ts";
import type { EncryptionMiddlewareOptions } from "./options.ts";

/** Where the keys come from: one of these, or the environment. */
type KeySource = Pick<
  EncryptionMiddlewareOptions,
  "keyring" | "key" | "fallbackKeys" | "scope" | "onUse" | "legacy"
>;

type MaybePromise<T> = T | Promise<T>;

/** The sealer of a client. */
export interface SealerSource {
  /** The sealer, at once where its ring is loaded. */
  readonly sealer: () => MaybePromise<ValueSealer>;
  /**
   * The sealer after asking for newer keys, for a key that is missing: the same one where there are none. Undefined where
   * there is nobody to ask.
   */
  readonly refreshedSealer?: () => MaybePromise<ValueSealer>;
}

/** Makes the sealer of a client once for each ring: at once, or when the ring has loaded. */
export function sealerSource(options: KeySource): SealerSource {
  const { keyring, key, fallbackKeys } = options;
  const withRing = oncePerRing((ring) => sealerOf(ring, options));
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
    const ring = once(() => loadRing(keyring));
    return {
      sealer: () => {
        const loaded = ring();
        return loaded instanceof Keyring ? withRing(loaded) : loaded.then(withRing);
      },
    };
  }
  const ring =
    keyring ??
    (key === undefined ? keyringFromEnv() : createKeyring({ key, fallbackKeys: fallbackKeys ?? [] }));
  const sealer = (): MaybePromise<ValueSealer> => withRing(ring);
  // Options that are wrong are told when the middleware is made.
  void sealer();
  return { sealer };
}

function sealerOf(keyring: Keyring, { scope, onUse, legacy }: KeySource): MaybePromise<ValueSealer> {
  const sealer = envelopeSealer(
    createSealer({
      keyring,
      ...(scope !== undefined && { scope }),
      ...(onUse !== undefined && { onUse }),
    }),
  );
  if (legacy === undefined) return sealer;
  const { passphrases, read = true, write = false, v0 = false } = legacy;
  // Loaded only here: nobody else pays for the official formats.
  return import("../../legacy/sealer.ts").then(({ legacySealer }) =>
    legacySealer(sealer, { passphrases, read, write, v0, scope, onUse }),
  );
}

/** Keeps the sealer of the ring that was used last. */
function oncePerRing(
  make: (ring: Keyring) => MaybePromise<ValueSealer>,
): (ring: Keyring) => MaybePromise<ValueSealer> {
  let made: { readonly ring: Keyring; readonly sealer: () => MaybePromise<ValueSealer> } | undefined;
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
async function loadRing(load: () => Keyring | Promise<Keyring>): Promise<Keyring> {
  let ring: Keyring;
  try {
    ring = await load();
  } catch (error) {
    if (error instanceof StepsealError) throw error;
    // What a provider says could hold anything, and this message may be answered to a request.
    const name = error instanceof Error ? error.name : typeof error;
    throw new StepsealError(
      "CONFIG",
      `encryptionMiddleware: the function in option "keyring" failed with ${name}; the cause of this error says why`,
      { cause: error },
    );
  }
  if (ring instanceof Keyring) return ring;
  throw new StepsealError(
    "CONFIG",
    'encryptionMiddleware: the function in option "keyring" did not return a keyring; return createKeyring(…) or loadKeyring(…)',
  );
}

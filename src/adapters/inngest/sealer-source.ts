import { StepsealError } from "../../errors.ts";
import { createKeyring, Keyring } from "../../keyring/keyring.ts";
import { keyringFromEnv } from "../../keyring/load.ts";
import { isKeyringSource } from "../../keyring/source.ts";
import { createSealer, type Sealer } from "../../sealer.ts";
import type { EncryptionMiddlewareOptions } from "./options.ts";

/** Where the keys come from: one of these, or the environment. */
type KeySource = Pick<EncryptionMiddlewareOptions, "keyring" | "key" | "fallbackKeys" | "scope" | "onUse">;

/** The sealer of a client. */
export interface SealerSource {
  /** The sealer, at once where its ring is loaded. */
  readonly sealer: () => Sealer | Promise<Sealer>;
  /** The sealer after asking for newer keys, for a key that is missing: the same one where there are none. */
  readonly refreshedSealer: () => Sealer | Promise<Sealer>;
}

/** Makes the sealer of a client once for each ring: at once, or when the ring has loaded. */
export function sealerSource(options: KeySource): SealerSource {
  let made: { readonly ring: Keyring; readonly sealer: Sealer } | undefined;
  const withRing = (ring: Keyring): Sealer => {
    if (made?.ring !== ring) made = { ring, sealer: sealerOf(ring, options) };
    return made.sealer;
  };

  const { keyring, key, fallbackKeys } = options;
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
    const sealer = loadOnce(keyring, withRing);
    return { sealer, refreshedSealer: sealer };
  }
  const ring =
    keyring ??
    (key === undefined ? keyringFromEnv() : createKeyring({ key, fallbackKeys: fallbackKeys ?? [] }));
  const sealer = withRing(ring);
  return { sealer: () => sealer, refreshedSealer: () => sealer };
}

function sealerOf(keyring: Keyring, { scope, onUse }: KeySource): Sealer {
  return createSealer({
    keyring,
    ...(scope !== undefined && { scope }),
    ...(onUse !== undefined && { onUse }),
  });
}

/** Requests that arrive while the ring loads share one load; a load that failed is tried again by the next. */
function loadOnce(
  load: () => Keyring | Promise<Keyring>,
  withRing: (ring: Keyring) => Sealer,
): () => Sealer | Promise<Sealer> {
  let loaded: Sealer | Promise<Sealer> | undefined;
  return () => {
    loaded ??= Promise.resolve()
      .then(load)
      .then((ring) => {
        if (!(ring instanceof Keyring)) {
          throw new StepsealError(
            "CONFIG",
            'encryptionMiddleware: the function in option "keyring" did not return a keyring; return createKeyring(…) or loadKeyring(…)',
          );
        }
        loaded = withRing(ring);
        return loaded;
      })
      .catch((error: unknown) => {
        loaded = undefined;
        if (error instanceof StepsealError) throw error;
        // What a provider says could hold anything, and this message may be answered to a request.
        const name = error instanceof Error ? error.name : typeof error;
        throw new StepsealError(
          "CONFIG",
          `encryptionMiddleware: the function in option "keyring" failed with ${name}; the cause of this error says why`,
          { cause: error },
        );
      });
    return loaded;
  };
}

import { StepsealError } from "../../errors.ts";
import { createKeyring, Keyring } from "../../keyring/keyring.ts";
import { keyringFromEnv } from "../../keyring/load.ts";
import { createSealer, type Sealer } from "../../sealer.ts";
import type { EncryptionMiddlewareOptions } from "./options.ts";

/** Where the keys come from: one of these, or the environment. */
type KeySource = Pick<EncryptionMiddlewareOptions, "keyring" | "key" | "fallbackKeys" | "scope" | "onUse">;

/** The sealer of a client, made once; a ring that has to be loaded is loaded at the first call. */
export function sealerSource(options: KeySource): () => Sealer | Promise<Sealer> {
  const withRing = (keyring: Keyring): Sealer =>
    createSealer({
      keyring,
      ...(options.scope !== undefined && { scope: options.scope }),
      ...(options.onUse !== undefined && { onUse: options.onUse }),
    });

  const { keyring, key, fallbackKeys } = options;
  if (typeof keyring === "function") return loadOnce(keyring, withRing);
  const ring =
    keyring ??
    (key === undefined ? keyringFromEnv() : createKeyring({ key, fallbackKeys: fallbackKeys ?? [] }));
  const sealer = withRing(ring);
  return () => sealer;
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
        throw error;
      });
    return loaded;
  };
}

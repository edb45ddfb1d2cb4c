import { StepsealError } from "../../errors.ts";
import { createKeyring, Keyring } from "../../keyring/keyring.ts";
import { keyringFromEnv } from "../../keyring/load.ts";
import { createSealer } from "../../sealer.ts";
import { envelopeSealer, type ValueSealer } from "../../value-sealer.ts";
import type { EncryptionMiddlewareOptions } from "./options.ts";

/** Where the keys come from: one of these, or the environment. */
type KeySource = Pick<
  EncryptionMiddlewareOptions,
  "keyring" | "key" | "fallbackKeys" | "scope" | "onUse" | "legacy"
>;

/** The sealer of a client, made once; a ring that has to be loaded is loaded at the first call. */
export function sealerSource(options: KeySource): () => ValueSealer | Promise<ValueSealer> {
  const withRing = (keyring: Keyring): ValueSealer =>
    envelopeSealer(
      createSealer({
        keyring,
        ...(options.scope !== undefined && { scope: options.scope }),
        ...(options.onUse !== undefined && { onUse: options.onUse }),
      }),
    );

  const { keyring, key, fallbackKeys, legacy } = options;
  const ring =
    keyring ??
    (key === undefined ? keyringFromEnv() : createKeyring({ key, fallbackKeys: fallbackKeys ?? [] }));
  if (legacy === undefined && ring instanceof Keyring) {
    const sealer = withRing(ring);
    return () => sealer;
  }
  return once(async () => {
    const sealer = withRing(ring instanceof Keyring ? ring : await loadRing(ring));
    if (legacy === undefined) return sealer;
    // Loaded only here: nobody else pays for the official formats.
    const { legacySealer } = await import("../../legacy/sealer.ts");
    const { passphrases, read = true, write = false, v0 = false } = legacy;
    return legacySealer(sealer, { passphrases, read, write, v0, scope: options.scope, onUse: options.onUse });
  });
}

/** Requests that arrive while the sealer is made share it; if that failed, the next one tries again. */
function once(make: () => Promise<ValueSealer>): () => ValueSealer | Promise<ValueSealer> {
  let made: ValueSealer | Promise<ValueSealer> | undefined;
  return () => {
    made ??= make().then(
      (sealer) => {
        made = sealer;
        return sealer;
      },
      (error: unknown) => {
        made = undefined;
        throw error;
      },
    );
    return made;
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

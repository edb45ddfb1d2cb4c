import { type LegacySettings, legacySealer } from "../../src/legacy/sealer.ts";
import type { SealedValue, ValueSealer } from "../../src/value-sealer.ts";

export const PASSPHRASE = "correct horse battery staple";
export const OTHER = "Tr0ub4dor & 3";

/** A sealer of the official format alone. */
export function compat(settings: Partial<LegacySettings> = {}): ValueSealer {
  return legacySealer(undefined, {
    passphrases: [PASSPHRASE],
    read: true,
    write: true,
    v0: false,
    scope: undefined,
    onUse: undefined,
    ...settings,
  });
}

/** A value as the official middleware sends it. */
export function libsodiumValue(data: string): SealedValue {
  return { __ENCRYPTED__: true, __STRATEGY__: "inngest/libsodium", data };
}

/** A value as its versions before 1.0 sent it. */
export function v0Value(data: string): { readonly __ENCRYPTED__: true; readonly data: string } {
  return { __ENCRYPTED__: true, data };
}

export const PLACE = { kind: "step.output", fn: "shop-order", run: "01RUN", step: "c0ffee" } as const;

import { createSealer } from "stepseal";
import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
import type { OpScope } from "../../../../src/adapters/inngest/gate/op.ts";
import { resolveOptions } from "../../../../src/adapters/inngest/gate/options.ts";
import type { Expected } from "../../../../src/expected.ts";
import { envelopeSealer } from "../../../../src/value-sealer.ts";
import { keyring } from "../keys.ts";

/** Of the run in whose place the tests of the gate seal. */
export const TRIGGER: Uint8Array = new Uint8Array(32).fill(7);
export const RUN = { fn: "app-order", run: "01RUN" } as const;

export const sealer = envelopeSealer(createSealer({ keyring: keyring() }));

/** What the gate knows in a run. */
export function scopeOf(options: EncryptionMiddlewareOptions = {}, context: object = {}): OpScope {
  return {
    context: { ...RUN, trigger: TRIGGER, caller: undefined, ...context },
    sealer,
    options: resolveOptions({ keyring: keyring(), ...options }),
  };
}

/** What was sealed, where it was sealed for such a place and no other. */
export function opened(value: unknown, expected: Expected): unknown {
  return sealer.open(value, expected);
}

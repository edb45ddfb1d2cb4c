import type { Envelope } from "stepseal";
import { type Check, same, withoutZlib } from "./check.ts";
import { KEYS } from "./vectors.ts";

type Core = typeof import("stepseal");

/** An envelope that some runtime sealed under key A of the vectors. */
export interface Sealed {
  readonly name: string;
  readonly envelope: Envelope;
}

const CLAIMS = {
  kind: "step.output",
  fn: "größe",
  run: "01J000000000000000000000AA",
  step: "步骤 🧾",
} as const;
const THROWN = { name: "PaymentError", message: "declined", code: "E_CARD" };
const VALUES: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  "half of a surrogate pair": "a\ud83d",
  "text beyond ASCII": "größe 步骤 🧾 \u0000\u2028\ufeff",
  "a nested object": JSON.parse('{"a":[1.5e-7,null,{"b":[[],{}]}],"__proto__":{"polluted":true}}'),
  bytes: Uint8Array.from({ length: 256 }, (_, i) => i),
  "text of 300 kB": "all work and no play ".repeat(15_000),
};
const VARIANTS = {
  plainly: {},
  padded: { pad: true },
  scoped: { scope: "production/eu" },
  compressed: { compress: true },
};

function sealerWith(
  { createKeyring, createSealer }: Core,
  options: object,
): ReturnType<Core["createSealer"]> {
  return createSealer({ keyring: createKeyring({ key: KEYS.A.text }), ...options });
}

/** What a runtime seals for the others: every value in every way it can. */
export function sealForOthers(core: Core): Sealed[] {
  const sealed: Sealed[] = [];
  for (const [way, options] of Object.entries(VARIANTS)) {
    let sealer: ReturnType<typeof sealerWith>;
    try {
      sealer = sealerWith(core, options);
    } catch {
      // That it cannot compress is a check of its own.
      continue;
    }
    for (const [name, value] of Object.entries(VALUES)) {
      sealed.push({ name: `${way}: ${name}`, envelope: sealer.seal(value, CLAIMS) });
    }
    const thrown = Object.assign(new TypeError(THROWN.message), { name: THROWN.name, code: THROWN.code });
    sealed.push({ name: `${way}: an error`, envelope: sealer.sealError(thrown, CLAIMS) });
  }
  return sealed;
}

/** Opens here what another runtime sealed. */
export function crossingChecks(core: Core, from: string, sealed: readonly Sealed[], check: Check): void {
  for (const { name, envelope } of sealed) {
    check(`opens what ${from} sealed, ${name}`, () => {
      const [way = "", what = ""] = name.split(": ");
      const { compress: _, ...options } = VARIANTS[way as keyof typeof VARIANTS] as { compress?: boolean };
      const sealer = sealerWith(core, options);
      try {
        if (what !== "an error") return same(sealer.open(envelope, CLAIMS), VALUES[what]);
        const { name, message, code } = sealer.openError(envelope, CLAIMS) as Error & { code: unknown };
        return same({ name, message, code }, THROWN);
      } catch (error) {
        return withoutZlib(error, "UNSUPPORTED");
      }
    });
  }
}

import { createHash } from "node:crypto";
import { createKeyring, type KeyEntry } from "stepseal";

/** What a process holds: the keys of a ring, as text. */
export type Ring = readonly KeyEntry[];

const keyOf = (seed: number, generation: number): string =>
  `hex:${createHash("sha256").update(`soak ${seed} ${generation}`).digest("hex")}`;

/** The rings of one rotation, a deploy each. The next one begins with the key that this one ends with. */
export interface Rotation {
  /** Deploys while runs go on that hold values under the old key. */
  readonly deploys: readonly Ring[];
  /** Deploys when no such run is left. */
  readonly retirement: readonly Ring[];
}

/**
 * @param rush leaves out the deploy that introduces the new key as a standby
 * @param forgets the new ring does not hold the old key: a mistake that must be seen
 */
export function rotationOf(
  seed: number,
  generation: number,
  { rush, forgets }: { readonly rush: boolean; readonly forgets: boolean },
): Rotation {
  const old = keyOf(seed, generation);
  const next = keyOf(seed, generation + 1);
  const primary: KeyEntry = { key: next, state: "primary" };
  const introduced: Ring = [
    { key: old, state: "primary" },
    { key: next, state: "standby" },
  ];
  const swapped: Ring = forgets ? [primary] : [primary, { key: old, state: "decrypt-only" }];
  return {
    deploys: [[{ key: old, state: "primary" }], ...(rush ? [] : [introduced]), swapped],
    retirement: [
      [primary, { key: old, state: "disabled" }],
      [primary, { kid: createKeyring({ key: old }).primary, state: "destroyed" }],
    ],
  };
}

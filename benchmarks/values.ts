import type { Sealer } from "stepseal";
import { type DataKind, KINDS, SIZES, sampleOf } from "./data.ts";
import { paired, type Timing } from "./paired.ts";
import { floor, official, rawCiphers } from "./rivals.ts";
import { createKeyring, createSealer, generateKey } from "./shipped.ts";

const CLAIMS = {
  kind: "step.output",
  fn: "shop-place-order",
  run: "01J00000000000000000000000",
  step: "a9993e364706816aba3e25717850c26c9cd0d89d",
  parent: new Uint8Array(32),
} as const;

/** Sealing and opening of one value. Times in microseconds. */
export interface ValueResult {
  readonly kind: DataKind;
  /** Of the value as JSON. */
  readonly bytes: number;
  readonly size: (typeof SIZES)[number];
  readonly times: Readonly<Record<string, Timing>>;
  /** How many times faster than the official middleware. */
  readonly seal: number;
  readonly open: number;
  readonly openLastOfFive: number;
  /** Times the floor, sealing and opening together. */
  readonly floor: number;
}

/** Each kind of data at each size, with one key and with the right one last of five. */
export async function measureValues(progress: (what: string) => void): Promise<ValueResult[]> {
  const keys = Array.from({ length: 5 }, () => generateKey());
  const [first, ...others] = keys as [string, ...string[]];
  const one = createSealer({ keyring: createKeyring({ key: first }) });
  const five = createSealer({
    keyring: createKeyring({ key: others[0] ?? first, fallbackKeys: [...others.slice(1), first] }),
  });
  const theirOne = official([first]);
  const theirFive = official([...others, first]);
  const raw = await rawCiphers();
  const results: ValueResult[] = [];
  for (const kind of KINDS) {
    for (const size of SIZES) {
      progress(`${kind}, ${size} bytes`);
      const value = sampleOf(kind, size);
      const sealed = one.seal(value, CLAIMS);
      const theirs = await theirOne.encrypt(value);
      const plain = floor.seal(value);
      const rawSealed = {
        libsodium: raw.libsodium.seal(value),
        node: raw.node.seal(value),
        noble: raw.noble.seal(value),
      };
      check(one, sealed, value);
      const { times, ratio } = await paired(
        {
          seal: () => one.seal(value, CLAIMS),
          open: () => one.open(sealed, CLAIMS),
          openLastOfFive: () => five.open(sealed, CLAIMS),
          officialSeal: () => theirOne.encrypt(value),
          officialOpen: () => theirOne.decrypt(theirs),
          officialOpenLastOfFive: () => theirFive.decrypt(theirs),
          floorSeal: () => floor.seal(value),
          floorOpen: () => floor.open(plain),
          libsodiumSeal: () => raw.libsodium.seal(value),
          libsodiumOpen: () => raw.libsodium.open(rawSealed.libsodium),
          nodeSeal: () => raw.node.seal(value),
          nodeOpen: () => raw.node.open(rawSealed.node),
          nobleSeal: () => raw.noble.seal(value),
          nobleOpen: () => raw.noble.open(rawSealed.noble),
        },
        size > 1e6 ? { rounds: 11 } : {},
      );
      const both = (a: Timing, b: Timing): number => a.median + b.median;
      results.push({
        kind,
        size,
        bytes: Buffer.byteLength(JSON.stringify(value)),
        times,
        seal: ratio("officialSeal", "seal"),
        open: ratio("officialOpen", "open"),
        openLastOfFive: ratio("officialOpenLastOfFive", "openLastOfFive"),
        floor: both(times.seal, times.open) / both(times.floorSeal, times.floorOpen),
      });
    }
  }
  return results;
}

/** @throws {Error} where what is measured does not work */
function check(sealer: Sealer, sealed: unknown, value: unknown): void {
  if (JSON.stringify(sealer.open(sealed, CLAIMS)) === JSON.stringify(value)) return;
  throw new Error("a value did not come back as it was");
}

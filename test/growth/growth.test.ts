import "./counting.ts";

import { createKeyring, createSealer, generateKey } from "stepseal";
import { createSigner, createVerifier, memoryReplayStore } from "stepseal/transport";
import { describe, expect, it } from "vitest";
import { growthOf, operationsOf } from "./operations.ts";

/** In proportion to the input is 2, with its square 4. */
const LINEAR = 2.5;
/** Of some hundred operations. */
const FEW = 10;

const claims = {
  kind: "step.output",
  fn: "app-fn",
  run: "run",
  step: "step",
  parent: new Uint8Array(32),
} as const;
const key = generateKey();
const sealer = createSealer({ keyring: createKeyring({ key }) });
const listOf = (size: number): unknown =>
  Array.from({ length: size }, (_, i) => ({ i, text: `${i} “quoted”` }));

describe("the measure itself", () => {
  it("tells what is in proportion from what grows with the square", async () => {
    const seal = (): unknown => sealer.seal(1, claims);
    const times = (count: number): void => {
      for (let i = 0; i < count; i++) seal();
    };
    expect(await growthOf(times, 8)).toBeCloseTo(2, 1);
    expect(await growthOf((size) => times(size * size), 4)).toBeGreaterThan(3.5);
    // Random bytes are drawn for several values at a time.
    expect(Math.abs((await operationsOf(seal)) - (await operationsOf(seal)))).toBeLessThan(FEW);
  });
});

describe("does not grow faster than its input:", () => {
  it.each([
    ["sealing a value", (size: number) => sealer.seal(listOf(size), claims)],
    [
      "sealing it compressed and padded",
      (size: number) =>
        createSealer({ keyring: createKeyring({ key }), compress: true, pad: true }).seal(
          listOf(size),
          claims,
        ),
    ],
    ["sealing and opening it", (size: number) => sealer.open(sealer.seal(listOf(size), claims), claims)],
    [
      "sealing and opening bytes",
      (size: number) => sealer.open(sealer.seal(new Uint8Array(size * 64), claims), claims),
    ],
    [
      "an error with causes",
      (size: number) => sealer.openError(sealer.sealError(errorOf(size % 1000), claims), claims),
    ],
    ["opening many values of one run", (size: number) => openMany(size, 1)],
    ["opening values of many runs", (size: number) => openMany(size, size)],
    [
      "making a ring of many keys",
      (size: number) => createKeyring({ key, fallbackKeys: keys.slice(0, size) }),
    ],
    ["remembering signatures that were used", (size: number) => claimMany(size)],
    ["signing and verifying a body", (size: number) => signed(size)],
  ] as [string, (size: number) => unknown][])("%s", async (_, work) => {
    expect(await growthOf(work, 64)).toBeLessThan(LINEAR);
  });

  it("finding the key of a value does not grow at all with the keys that there are", async () => {
    const sealed = sealer.seal(1, claims);
    const openWith = (count: number): (() => unknown) => {
      const ring = createKeyring({ key: generateKey(), fallbackKeys: [...keys.slice(0, count), key] });
      const reader = createSealer({ keyring: ring });
      reader.open(sealed, claims);
      return () => reader.open(sealed, claims);
    };
    expect(await operationsOf(openWith(200))).toBeLessThan((await operationsOf(openWith(1))) + FEW);
  });
});

const keys = Array.from({ length: 256 }, () => generateKey());

function errorOf(causes: number): Error {
  let error = new Error("first");
  for (let i = 0; i < causes; i++) error = new Error(`error ${i}`, { cause: error });
  return error;
}

function openMany(count: number, runs: number): void {
  for (let i = 0; i < count; i++) {
    const place = { ...claims, run: `run ${i % runs}` };
    sealer.open(sealer.seal(i, place), place);
  }
}

async function claimMany(count: number): Promise<void> {
  const store = memoryReplayStore();
  for (let i = 0; i < count; i++) await store.claim(`signature ${i}`, 2_000_000_000);
}

async function signed(size: number): Promise<void> {
  const body = new TextEncoder().encode(JSON.stringify(listOf(size)));
  const options = { scheme: "inngest", signingKey: "signkey-test-12345678" } as const;
  const { headers } = await createSigner(options).sign({ body });
  await createVerifier(options).verify({ headers, body });
}

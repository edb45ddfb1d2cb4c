/**
 * Sealing and opening at five sizes, beside the floor: JSON, UTF-8 and base64 without any encryption. Medians of
 * rounds that take turns, so that a machine whose speed drifts slows all of them alike.
 */
import { createKeyring, createSealer, generateKey } from "stepseal";

const ROUNDS = 15;
const ROUND_MS = 20;
const SIZES = [64, 1024, 16 * 1024, 256 * 1024, 4 * 1024 * 1024];

const sealer = createSealer({ keyring: createKeyring({ key: generateKey() }) });
const claims = {
  kind: "step.output",
  fn: "shop-place-order",
  run: "01J00000000000000000000000",
  step: "a9993e364706816aba3e25717850c26c9cd0d89d",
  parent: new Uint8Array(32),
} as const;

/** Nested JSON of about `bytes` bytes. */
function sampleOf(bytes: number): unknown {
  if (bytes < 128) return { id: 1001, note: "approved", tags: ["a", "b"] };
  const items: unknown[] = [];
  for (let size = 0; size < bytes; size += 96) {
    items.push({
      id: 1000 + items.length,
      name: "Ada Byron",
      tags: ["vip", "eu"],
      total: items.length * 1.1,
    });
  }
  return items;
}

/** Keeps results alive, so that nothing timed is dropped as unused. */
let consumed = 0;

function microseconds(run: () => unknown): number {
  const start = performance.now();
  let count = 0;
  let elapsed = 0;
  while (elapsed < ROUND_MS) {
    consumed += run() === undefined ? 0 : 1;
    count += 1;
    elapsed = performance.now() - start;
  }
  return (elapsed * 1000) / count;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

console.log(`node ${process.version}, microseconds (times the floor)`);
for (const size of SIZES) {
  const value = sampleOf(size);
  const envelope = sealer.seal(value, claims);
  const text = Buffer.from(JSON.stringify(value)).toString("base64url");
  const runs = {
    seal: () => sealer.seal(value, claims),
    floorOut: () => Buffer.from(JSON.stringify(value)).toString("base64url"),
    open: () => sealer.open(envelope, claims),
    floorIn: () => JSON.parse(Buffer.from(text, "base64url").toString()),
  };
  const times = new Map(Object.keys(runs).map((name) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(runs)) times.get(name)?.push(microseconds(run));
  }
  const of = (name: keyof typeof runs): number => median(times.get(name) ?? []);
  const row = (name: "seal" | "open", floor: "floorOut" | "floorIn"): string =>
    `${name} ${of(name).toFixed(1)} (${(of(name) / of(floor)).toFixed(2)})`;
  const bytes = JSON.stringify(value).length;
  console.log(`${String(bytes).padStart(8)} bytes  ${row("seal", "floorOut")}  ${row("open", "floorIn")}`);
}
if (consumed === 0) throw new Error("nothing was measured");

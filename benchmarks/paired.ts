/** Something to time. It returns what it made, which is then used. */
export type Candidate = () => unknown;

/** Times of one candidate, in microseconds for each call. */
export interface Timing {
  readonly median: number;
  /** First and third quartile. */
  readonly spread: readonly [number, number];
}

/** Times of candidates that took turns in one process. */
export interface Paired<Name extends string> {
  readonly times: Readonly<Record<Name, Timing>>;
  /** How many times longer `a` takes than `b`: the median over rounds, in each of which both were timed. */
  ratio(a: Name, b: Name): number;
}

/** What was made is used here, so that nothing that is timed can be left out as unused. */
let consumed = 0;

/**
 * Times candidates against each other: in each round all of them, in another order, for some time each. A machine whose
 * speed drifts, or that does something else for a while, slows all of them alike.
 *
 * @param rounds of which the first is not counted
 * @param milliseconds for each candidate in each round, at least one call
 */
export async function paired<Name extends string>(
  candidates: Readonly<Record<Name, Candidate>>,
  { rounds = 21, milliseconds = 12 }: { rounds?: number; milliseconds?: number } = {},
): Promise<Paired<Name>> {
  const names = Object.keys(candidates) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of shuffled(names)) {
      const time = await timeOf(candidates[name], milliseconds);
      if (round > 0) samples[name].push(time);
    }
  }
  const times = Object.fromEntries(names.map((name) => [name, timingOf(samples[name])])) as Record<
    Name,
    Timing
  >;
  return {
    times,
    ratio: (a, b) =>
      quantile(
        samples[a].map((time, round) => time / (samples[b][round] ?? Number.NaN)),
        0.5,
      ),
  };
}

async function timeOf(candidate: Candidate, milliseconds: number): Promise<number> {
  let calls = 0;
  let elapsed = 0;
  const start = performance.now();
  do {
    let made = candidate();
    // One that is synchronous is not made to wait.
    if (made instanceof Promise) made = await made;
    consumed += made === undefined ? 0 : 1;
    calls++;
    elapsed = performance.now() - start;
  } while (elapsed < milliseconds);
  return (elapsed * 1000) / calls;
}

function timingOf(samples: readonly number[]): Timing {
  return { median: quantile(samples, 0.5), spread: [quantile(samples, 0.25), quantile(samples, 0.75)] };
}

export function quantile(numbers: readonly number[], at: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * at)] ?? Number.NaN;
}

function shuffled<T>(items: readonly T[]): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const other = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[other]] = [copy[other] as T, copy[i] as T];
  }
  return copy;
}

/** @throws {Error} where nothing was timed */
export function assertConsumed(): void {
  if (consumed === 0) throw new Error("nothing was measured");
}

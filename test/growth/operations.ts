import { takeCounts } from "./counting.ts";

const SOURCES = new URL("../../src/", import.meta.url).pathname;
/** The platform that a test runs on is none of what is counted. */
const PLATFORM = `${SOURCES}testing/`;

/**
 * How much of the code in `src`, that in `src/testing` apart, something runs: how often each block of it, a loop's body among them, was executed, all
 * counted together. The engine counts, so this is the same number each time, however fast the machine is.
 */
export async function operationsOf(run: () => unknown): Promise<number> {
  await takeCounts();
  await run();
  const { result } = await takeCounts();
  let operations = 0;
  for (const { url, functions } of result) {
    if (!url.includes(SOURCES) || url.includes(PLATFORM)) continue;
    for (const { ranges } of functions) for (const { count } of ranges) operations += count;
  }
  if (operations === 0) throw new Error("nothing of src was counted");
  return operations;
}

/**
 * How the work grows: what the second doubling of the input added, times what the first one did. 2 is in proportion to
 * the input, 4 is with its square, 0 is not at all.
 */
export async function growthOf(work: (size: number) => unknown, size: number): Promise<number> {
  // What is made once, on first use, is made now.
  await work(size);
  const counts: number[] = [];
  for (const factor of [1, 2, 4]) counts.push(await operationsOf(() => work(size * factor)));
  const [one = 0, two = 0, four = 0] = counts;
  // Work that hardly grows is left to the engine: a few operations more or less are no trend.
  return (four - two) / Math.max(two - one, one / 4);
}

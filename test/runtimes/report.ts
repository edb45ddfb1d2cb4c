import type { Check, Lack, Outcome } from "../conformance/check.ts";
import type { Sealed } from "../conformance/crossing.ts";

/** What became of a check in a runtime. */
export interface Result {
  readonly name: string;
  /** What went wrong. */
  readonly failure?: string;
  readonly lack?: Lack;
}

/** What a runtime answers when a group of checks is run in it. */
export interface Report {
  readonly results: readonly Result[];
  /** The engines that the cipher chose. */
  readonly engines?: string;
  readonly sealed?: readonly Sealed[];
}

/** Runs checks one after another, where they are. */
export async function resultsOf(declare: (check: Check) => void): Promise<Result[]> {
  const checks: [name: string, run: () => Outcome | Promise<Outcome>][] = [];
  declare((name, run) => checks.push([name, run]));
  const results: Result[] = [];
  for (const [name, run] of checks) {
    try {
      const lack = await run();
      results.push({ name, ...(lack && { lack }) });
    } catch (error) {
      results.push({
        name,
        failure: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      });
    }
  }
  return results;
}

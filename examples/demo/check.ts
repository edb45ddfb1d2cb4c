import { isDeepStrictEqual } from "node:util";
import { type Act, found } from "./acts.ts";

/**
 * What is not as it should be: the first act, which is the app without stepseal, leaks every marker, the others none;
 * each run completes, and functions see the same in all.
 */
export function problemsOf(acts: readonly Act[], markers: readonly string[]): string[] {
  const [plain] = acts;
  return acts.flatMap((act, i) => {
    const expected = i === 0 ? markers.length : 0;
    return [
      ...(found(act) === expected
        ? []
        : [`act ${i + 1} should leak ${expected} of ${markers.length} markers, but leaked ${found(act)}`]),
      ...(act.status === "completed" ? [] : [`the run of act ${i + 1} ${act.status}`]),
      ...(act.seen.length > 0 && isDeepStrictEqual(act.seen, plain?.seen)
        ? []
        : [`what the functions saw in act ${i + 1} differs from act 1`]),
    ];
  });
}

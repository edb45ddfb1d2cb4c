import { isDeepStrictEqual } from "node:util";
import { MARKERS, type Play, RESULT } from "./play.ts";

/** What is not as it should be: sealed, an example leaks no marker, without stepseal all; both runs end well. */
export function problemsOf(sealed: Play, plain: Play): string[] {
  return [...wrongIn("with stepseal", sealed, []), ...wrongIn("without stepseal", plain, MARKERS)];
}

function wrongIn(how: string, { status, result, leaked }: Play, expected: readonly string[]): string[] {
  return [
    ...(status === "completed" ? [] : [`${how}, the run ended as: ${status}`]),
    ...(isDeepStrictEqual(result, RESULT) ? [] : [`${how}, the run returned something else`]),
    ...(leaked.length === expected.length
      ? []
      : [`${how}, ${leaked.length} of ${MARKERS.length} markers left, not ${expected.length}`]),
  ];
}

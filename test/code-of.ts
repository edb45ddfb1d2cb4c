import { StepsealError } from "stepseal";

/** The code of what a call throws; fails the test that asks when it throws something else or nothing. */
export function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof StepsealError) return error.code;
    throw error;
  }
  return "nothing was thrown";
}

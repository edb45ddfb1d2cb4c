import type { Check } from "./check.ts";
import { failureChecks } from "./failures.ts";
import { blindIndexChecks, keyChecks } from "./keys.ts";
import { inngestSignatureChecks, qstashChecks } from "./requests.ts";
import { roundTripChecks, vectorChecks } from "./sealing.ts";

/** What is checked: the exports of `stepseal` and `stepseal/transport`, wherever they came from. */
export interface Implementation {
  readonly core: typeof import("stepseal");
  readonly transport: typeof import("stepseal/transport");
}

/**
 * Checks that an implementation does on this runtime what it does on every other: formats, refusals, keys, errors,
 * signatures. Nothing here imports the implementation, a test runner or a module of Node.
 *
 * @param check takes the checks, in order
 */
export function conformance(implementation: Implementation, check: Check): void {
  vectorChecks(implementation, check);
  roundTripChecks(implementation, check);
  keyChecks(implementation, check);
  blindIndexChecks(implementation, check);
  failureChecks(implementation, check);
  qstashChecks(implementation, check);
  inngestSignatureChecks(implementation, check);
}

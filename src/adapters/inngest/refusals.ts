import { StepsealError } from "../../errors.ts";
import type { PlaintextPath } from "./options.ts";

/** The refusal of a path on which the platform, or something behind it, has to read the data. */
export function refusedPath(path: PlaintextPath, at: string): StepsealError {
  return new StepsealError(
    "REFUSED",
    `${at}: what leaves on the path "${path}" cannot be sealed; allow it with allowPlaintext: ["${path}"], or do without it`,
  );
}

/** The refusal of a path that stepseal cannot seal and offers no way around. */
export function unsealable(what: string, at: string): StepsealError {
  return new StepsealError(
    "REFUSED",
    `${at}: what leaves through ${what} cannot be sealed, so it does not leave`,
  );
}

/** A step as its author knows it, or its hashed id. */
export function stepLabel(op: Record<string, unknown>): string {
  return JSON.stringify(op.displayName ?? op.id ?? "?");
}

import { StepsealError } from "../../../errors.ts";
import type { PlaintextPath } from "./options.ts";

/** Why each path cannot be sealed, and what else can be done than to allow it. */
const PATHS: Readonly<Record<PlaintextPath, readonly [why: string, instead?: string]>> = {
  "event-user": [
    "the platform itself reads an event's user",
    "put it into a sealed field of the event's data",
  ],
  "ai-infer": ["the platform makes the request to the model", 'make it on this server with gateway: "local"'],
  fetch: ["the platform makes the request", 'make it on this server with gateway: "local"'],
  metadata: ["a dashboard shows it"],
  signal: ["a waiter without stepseal reads it"],
  realtime: ["a reader without a key shows it"],
  defer: ["a function without stepseal reads it"],
  "durable-endpoint": ["its request starts the run, and its response goes to whoever made that request"],
  stream: ["it goes through the platform to readers without a key"],
  sandbox: ["the platform runs the commands"],
  traces: ["spans leave on a path of their own, past every hook", "keep them on a collector of yours"],
};

/** The refusal of a path on which the platform, or something behind it, has to read the data. */
export function refusedPath(path: PlaintextPath, at: string): StepsealError {
  const [why, instead = "do without it"] = PATHS[path];
  return new StepsealError(
    "REFUSED",
    `${at}: the path "${path}" cannot be sealed, since ${why}. Allow it with allowPlaintext: ["${path}"], or ${instead}`,
  );
}

/** The refusal of what this version of the gate does not know: after an SDK upgrade, a new way out. */
export function unknownPath(what: string): StepsealError {
  return new StepsealError("REFUSED", `${what}: unknown to this version of stepseal, so it does not leave`);
}

/** Refuses an object with a member that is not known. */
export function checkMembers(object: object, known: ReadonlySet<string>, what: string): void {
  for (const key of Object.keys(object)) {
    if (!known.has(key)) throw unknownPath(`${what}: member "${key}"`);
  }
}

/** A step as its author knows it, or its hashed id. */
export function stepLabel(op: Record<string, unknown>): string {
  return JSON.stringify(op.displayName ?? op.id ?? "?");
}

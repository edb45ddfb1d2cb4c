import { StepError } from "inngest";
import { isObject, own } from "./gate/event.ts";

/**
 * The error that the SDK would have made of a serialised one for `onFailure`, had it not been sealed: the SDK makes it
 * before any hook runs, so it has to be made again.
 *
 * What reads and restores it is the SDK's own code, of whatever version: it stands in the making of a `StepError`,
 * which reads its error as `onFailure` does, and restores the cause as `onFailure` does its error. Of a cause it drops
 * the code.
 */
export function rebuildError(serialised: unknown): unknown {
  const { name, message, stack } = new StepError("", serialised);
  const members = isReadable(serialised) ? serialised : {};
  const { cause: error } = new StepError("", { cause: { ...members, name, message, stack } });
  if (error instanceof Error && Object.hasOwn(members, "code")) Object.assign(error, { code: members.code });
  return error;
}

/** Whether the SDK reads anything of a serialised error; where one text is none, it reads nothing. */
function isReadable(serialised: unknown): serialised is Record<string, unknown> {
  const texts = ["name", "error", "message", "stack"].map((key) => own(serialised, key));
  return isObject(serialised) && texts.every((text) => text === undefined || typeof text === "string");
}

import type { Channel } from "./outputs.ts";

interface Allowed {
  readonly channel: Channel;
  /** The output itself, or what it begins with. */
  readonly begins: string;
  readonly why: string;
}

/** What may hold a value in plaintext. No key may stand anywhere. */
const ALLOWED: readonly Allowed[] = [
  {
    channel: "log",
    begins: "[Upstash Workflow]: ",
    why: "The SDK's own log, on the user's own server: it has each error that a workflow failed with, as without stepseal.",
  },
];

/** Whether plaintext in an output is as it should be. */
export function isAllowed(channel: Channel, text: string): boolean {
  return ALLOWED.some((allowed) => allowed.channel === channel && text.startsWith(allowed.begins));
}

/** Texts that tests seal and that the world knows: they say nothing wherever they stand. */
export const PUBLIC: readonly string[] = ["text/plain;charset=UTF-8", "application/json; charset=utf-8"];

import type { Channel } from "./outputs.ts";

interface Allowed {
  readonly channel: Channel;
  /** What the output begins with. */
  readonly begins: string;
  /** The file of tests whose doing it is; any, where there is none. */
  readonly file?: string;
  readonly why: string;
}

/** What may hold a value in plaintext. No key may stand anywhere. */
const ALLOWED: readonly Allowed[] = [
  {
    channel: "log",
    begins: "[Upstash Workflow]: ",
    why: "The SDK's own log, on the user's own server: it has each error that a workflow failed with, as without stepseal.",
  },
  {
    channel: "error",
    begins: "StepsealError: step ",
    file: "test/adapters/inngest/fails-closed.test.ts",
    why: "User code puts a secret into a refusal that it caught. The test asks that it does not leave.",
  },
];

/** Whether plaintext in an output is as it should be. */
export function isAllowed(channel: Channel, text: string, inFile: string): boolean {
  return ALLOWED.some(
    ({ channel: on, begins, file = inFile }) => on === channel && text.startsWith(begins) && file === inFile,
  );
}

/** Texts that tests seal and that the world knows: they say nothing wherever they stand. */
export const PUBLIC: readonly string[] = ["text/plain;charset=UTF-8", "application/json; charset=utf-8"];

import type { Channel } from "./outputs.ts";

interface Allowed {
  readonly channel: Channel;
  readonly output: RegExp;
  /** The file of tests whose doing it is; any, where there is none. */
  readonly file?: string;
  readonly why: string;
}

const FAILS_CLOSED = "test/adapters/inngest/fails-closed.test.ts";

/** What may hold a value in plaintext. No key may stand anywhere. */
const ALLOWED: readonly Allowed[] = [
  {
    channel: "log",
    output: /^\W*\[Upstash Workflow\]: /,
    why: "The SDK's own log, on the user's own server: it has each error that a workflow failed with, as without stepseal.",
  },
  {
    channel: "log",
    output: /^Error: the bank is busy/,
    file: "test/testing/example.test.ts",
    why: "The log of the Inngest SDK, as without stepseal: the example gives its client no logger.",
  },
  {
    channel: "error",
    output: /^StepsealError: step /,
    file: FAILS_CLOSED,
    why: "User code puts a secret into a refusal that it caught. The test asks that it does not leave.",
  },
  {
    channel: "error",
    output: /^step "step\.fetch: /,
    file: FAILS_CLOSED,
    why: "The SDK makes the name of the step of its URL. Names of steps are visible, and a refusal tells which step it is.",
  },
  {
    channel: "response",
    output: /step \\"step\.fetch: /,
    file: FAILS_CLOSED,
    why: "The same refusal, as it is answered.",
  },
  {
    channel: "response",
    output: /"kind":"inngest\.score"/,
    file: FAILS_CLOSED,
    why: "Scores are for the platform to read.",
  },
  {
    channel: "response",
    output: /"kind":"userland\.default"/,
    file: "test/security/opened-paths.test.ts",
    why: "The test allows metadata to leave as it is, by name.",
  },
  {
    channel: "response",
    output: /"payload":\{"user":\{/,
    file: "test/adapters/inngest-v3/install.test.ts",
    why: "The test allows the user of an invocation, by name.",
  },
  {
    channel: "response",
    output: /"op":"Gateway"/,
    file: "test/adapters/inngest/gateway-local.test.ts",
    why: "Beside a request that this server makes, the test has the platform make one, which it allows by name.",
  },
  {
    channel: "response",
    output: /^[[{]/,
    file: "test/adapters/inngest/compat/undecrypted-paths.test.ts",
    why: "The paths that the official middleware does not seal, each allowed by name.",
  },
  {
    channel: "log",
    output: /^/,
    file: "test/docs/examples.test.ts",
    why: "Examples print the values that they opened.",
  },
];

/** Whether plaintext in an output is as it should be. */
export function isAllowed(channel: Channel, text: string, inFile: string): boolean {
  return ALLOWED.some(
    ({ channel: on, output, file = inFile }) => on === channel && file === inFile && output.test(text),
  );
}

/** Texts that tests seal and that the world knows: they say nothing wherever they stand. */
export const PUBLIC: readonly string[] = [
  "text/plain;charset=UTF-8",
  "application/json; charset=utf-8",
  '"stack":"","__serialized":true}',
  // What V8 says.
  "RangeError: Maximum call stack size exceeded",
  // Names of experiments and of their variants are visible.
  "mk-experimentName-km",
  "mk-variant-km",
];

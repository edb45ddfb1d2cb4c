import { describe, expect, test } from "vitest";
import { rebuildError } from "../../../src/adapters/inngest/rebuild-error.ts";
import { createApp, SDK, tellingOf } from "./harness.ts";

const CAUSE = { __serialized: true, name: "RangeError", message: "inside", stack: "at inside.ts", code: 1 };

/** Errors as they may come back of the platform. */
const SERIALISED: unknown[] = [
  { name: "TypeError", message: "m", stack: "at x.ts", code: "E_CODE", cause: CAUSE },
  { name: "CardDeclined", message: "m", stack: "at x.ts" },
  { message: "m" },
  { message: "m", code: null },
  { name: "N", error: "the platform's own word", code: 5 },
  { message: 7, code: 1 },
  { name: 7, message: "m", code: 1 },
  { message: "m", stack: 4, code: 1 },
  { message: "m", error: 5, code: 1 },
  { code: 3 },
  { message: "m", cause: "a text" },
  { name: "AggregateError", message: "m", errors: [CAUSE] },
  {},
  "text",
  null,
  ["list"],
];

/** What there is to see of an error. */
function shown(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const members = Object.getOwnPropertyNames(error).filter((key) => key !== "stack");
  return {
    of: error.constructor.name,
    stack: /node_modules/.test(error.stack ?? "") ? "made here" : error.stack,
    ...Object.fromEntries(members.map((key) => [key, shown(error[key as keyof Error])])),
  };
}

// SDK v3 makes the error of the event after it was opened.
describe.skipIf(!SDK.v4)(
  "the error that onFailure is given is the one that the SDK would have made: of",
  () => {
    test.each(SERIALISED.map((serialised) => [serialised]))("%o", async (serialised) => {
      const seen: unknown[] = [];
      const { engine, inngest } = await createApp(
        (client) => [
          client.createFunction(
            {
              id: "fn",
              retries: 0,
              triggers: { event: "go" },
              onFailure: ({ error }: { readonly error: unknown }) => void seen.push(shown(error)),
            },
            () => {
              throw new Error("the truth");
            },
          ),
        ],
        {
          seal: null,
          engineOptions: { onExecute: tellingOf(serialised) },
        },
      );
      await inngest.send({ name: "go" });
      await engine.idle();
      expect(seen).toEqual([shown(rebuildError(serialised))]);
    });
  },
);

import { createSealer, StepsealError } from "stepseal";
import { expect, it } from "vitest";
import { sealMessage } from "../../../src/adapters/upstash/message.ts";
import { resolveOptions } from "../../../src/adapters/upstash/options.ts";
import { type RunState, runState } from "../../../src/adapters/upstash/place.ts";
import { BASE, KEY, keyring, ORIGIN } from "./harness.ts";

// In the request that brings the answer of a third party, the SDK makes a step of what the headers say. What it makes is
// checked again where it leaves, whatever it read.

const sealer = createSealer({ keyring: keyring() });
const settings = resolveOptions({
  key: KEY,
  qstash: { token: "token" },
  publicUrl: ORIGIN,
  thirdPartyCalls: "allow",
});
const url = `${BASE}main`;
const CALL = { stepId: 2, stepName: "ask", stepType: "Call", out: "1", concurrent: 1 };

/** What becomes of a step that leaves in a request that answers a call, or in another one. */
function leaves(step: object, state: Partial<RunState>): string {
  const known = { ...runState(url, "wfr_1"), trigger: new Uint8Array(32), watched: true, ...state };
  const headers = { "upstash-workflow-init": "false" };
  try {
    sealMessage(
      { destination: url, headers, body: JSON.stringify(step) },
      { sealer, settings, state: known },
    );
    return "sealed";
  } catch (error) {
    return error instanceof StepsealError ? error.code : String(error);
  }
}

it.each<[name: string, step: object, state: Partial<RunState>, becomes: string]>([
  ["becomes the result of its call", CALL, { call: "2:Call:ask" }, "sealed"],
  ["becomes the result of no other call", { ...CALL, stepId: 3 }, { call: "2:Call:ask" }, "CONTEXT"],
  ["becomes the result of no other step", { ...CALL, stepType: "Run" }, { call: "2:Call:ask" }, "CONTEXT"],
  ["becomes no result where no call was made", CALL, { call: undefined }, "CONTEXT"],
  ["becomes nothing where nobody watches the steps", CALL, { call: "2:Call:ask", watched: false }, "CONFIG"],
  [
    "becomes nothing before the payload was read",
    CALL,
    { call: "2:Call:ask", trigger: undefined },
    "REFUSED",
  ],
])("the answer of a third party %s", (_, step, state, becomes) => {
  expect(leaves(step, state)).toBe(becomes);
});

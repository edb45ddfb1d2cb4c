import { createSealer, StepsealError } from "stepseal";
import { expect, it } from "vitest";
import { readMessage, sealMessage } from "../../../src/adapters/upstash/message.ts";
import { type RunState, runState } from "../../../src/adapters/upstash/place.ts";
import { type Door, sealRequest } from "../../../src/adapters/upstash/requests.ts";
import { BASE, keyring, settingsWith } from "./harness.ts";

// In the request that brings the answer of a third party, the SDK makes a step of what the headers say. What it makes is
// checked again where it leaves, whatever it read.

const sealer = createSealer({ keyring: keyring() });
const settings = settingsWith({ thirdPartyCalls: "allow" });
const url = `${BASE}main`;
const CALL = { stepId: 2, stepName: "ask", stepType: "Call", out: "1", concurrent: 1 };

const OF_CALL = {
  "upstash-workflow-init": "false",
  "upstash-workflow-calltype": "toCallback",
  "upstash-callback-forward-upstash-workflow-stepid": "2",
  "upstash-callback-forward-upstash-workflow-stepname": "ask",
  "upstash-callback-forward-upstash-workflow-steptype": "Call",
};
const THIRD = "https://third.example.com";

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

it("a call, an invocation and a result leave only where somebody watches the steps", () => {
  const state = { ...runState(url, "wfr_1"), trigger: new Uint8Array(32) };
  const invocation = JSON.stringify({ step: { stepId: 1, stepName: "x", stepType: "Invoke" }, body: "{}" });
  const start = { "upstash-workflow-init": "true", "upstash-workflow-invoke": "true" };
  const result = { path: ["v2", "workflows", "runs", "wfr_1?cancel=false"], method: "DELETE", body: "1" };
  for (const send of [
    (door: Door) => sealMessage({ destination: THIRD, headers: OF_CALL, body: "order" }, door),
    (door: Door) => sealMessage({ destination: url, headers: start, body: invocation }, door),
    (door: Door) => sealRequest(result, door),
  ]) {
    expect(() => send({ sealer, settings, state })).toThrow("is not watched");
    expect(() => send({ sealer, settings, state: { ...state, watched: true } })).not.toThrow();
  }
});

it("a call of the workflow's own URL is a call, and no step", () => {
  const state = { ...runState(url, "wfr_1"), trigger: new Uint8Array(32), watched: true };
  const left = sealMessage(
    { destination: url, headers: OF_CALL, body: "order" },
    { sealer, settings, state },
  );
  expect(left.body).toBe("order");
  expect(left.headers["upstash-callback-forward-stepseal-call"]).toMatch(/^ss1\./);
});

it.each([
  [{ headers: { a: 1, b: "c" } }],
  [{ headers: { a: "c", b: 1 } }],
  [{ headers: null }],
  [{ headers: "a" }],
  [{ body: 1 }],
  [{ queue: 1 }],
  [{ destination: 1 }],
  [{ more: "x" }],
])("a message with %j is refused", (change) => {
  const request = { destination: THIRD, headers: { a: "b" }, body: "x", ...change };
  expect(() => readMessage(request)).toThrow("does not know the shape");
});

it.each([null, "text", 1, [], undefined])("%j is no message", (message) => {
  expect(() => readMessage(message)).toThrow("does not know the shape");
});

import { createSealer, StepsealError } from "stepseal";
import { expect, it } from "vitest";
import { callPlace } from "../../../src/adapters/upstash/message.ts";
import { openRequest } from "../../../src/adapters/upstash/opening.ts";
import { payloadPlace, runState } from "../../../src/adapters/upstash/place.ts";
import { sealText } from "../../../src/adapters/upstash/text.ts";
import { BASE, fromBase64, keyring, settingsWith, toBase64 } from "./harness.ts";

// A request is what its headers say. The platform writes them.

const sealer = createSealer({ keyring: keyring() });
const settings = settingsWith({ thirdPartyCalls: "allow" });
const url = `${BASE}main`;

const PAYLOAD = sealText(sealer, "order", payloadPlace(url));
const JOURNAL = JSON.stringify([{ messageId: "msg_1", body: toBase64(PAYLOAD), callType: "step" }]);
const FAILURE = JSON.stringify({ url, status: 504, sourceBody: toBase64(PAYLOAD) });
const STEP = { stepId: 1, stepName: "ask", stepType: "Call" };
const CALL = {
  "upstash-workflow-stepid": "1",
  "upstash-workflow-stepname": "ask",
  "upstash-workflow-steptype": "Call",
};
/** What travels with a call, of a run or of none. */
const callOf = (trigger: Uint8Array | undefined): string =>
  sealer.seal(undefined, callPlace({ fn: "/workflows/main", trigger }, STEP)).data;

const VERSION = { "upstash-workflow-sdk-version": "1" };
const UNKNOWN = { "upstash-workflow-unknown-sdk": "true" };
const IS_FAILURE = { "upstash-workflow-is-failure": "true" };
const FAILURE_CALLBACK = { "upstash-workflow-failure-callback": "true" };
const CALLBACK = {
  "upstash-workflow-callback": "true",
  ...CALL,
  "stepseal-call": callOf(new Uint8Array(32)),
};

/** What a request opens to, or the code of what refuses it. */
function open(headers: Record<string, string>, body: string): string {
  try {
    const text = openRequest(sealer, new Headers(headers), body, runState(url, "wfr_1"), settings);
    if (text.startsWith("[")) return `state of ${fromBase64(JSON.parse(text)[0].body)}`;
    return text.startsWith("{") ? `failure of ${fromBase64(JSON.parse(text).sourceBody)}` : text;
  } catch (error) {
    return error instanceof StepsealError ? `${error.code}: ${error.message}` : String(error);
  }
}

it.each<[name: string, headers: Record<string, string>, body: string, opens: string]>([
  ["the first of a run", {}, PAYLOAD, "order"],
  ["a later one", VERSION, JOURNAL, "state of order"],
  ["a later one whose state is fetched", VERSION, "", ""],
  ["a later one of a run that no SDK started", UNKNOWN, JOURNAL, "state of order"],
  ["a failure", IS_FAILURE, FAILURE, "failure of order"],
  ["a failure, by its other header", FAILURE_CALLBACK, FAILURE, "failure of order"],
  ["a failure without an answer", IS_FAILURE, FAILURE.replace("{", '{"body":null,'), "failure of order"],
  ["the answer of a third party", CALLBACK, "answer", "answer"],
  ["an answer whose state is fetched", { ...CALLBACK, ...VERSION }, "", ""],
])("a request is %s", (_, headers, body, opens) => {
  expect(open(headers, body)).toBe(opens);
});

it.each<[name: string, headers: Record<string, string>, body: string, says: string]>([
  [
    "a failure by a header that is empty",
    { "upstash-workflow-failure-callback": "" },
    FAILURE,
    "FORMAT: .* upstash-workflow-failure-callback is empty",
  ],
  ["a failure and an answer", { ...IS_FAILURE, ...CALLBACK }, FAILURE, "FORMAT: .* two things"],
  ["a failure and a state", { ...IS_FAILURE, ...UNKNOWN }, FAILURE, "FORMAT: .* two things"],
  ["an answer and a state", { ...CALLBACK, ...UNKNOWN }, JOURNAL, "FORMAT: .* two things"],
  [
    "the answer to a call of no run",
    { ...CALLBACK, "stepseal-call": callOf(undefined) },
    "x",
    "CONTEXT: .* no run",
  ],
  ["the answer to another call", { ...CALLBACK, "upstash-workflow-stepid": "2" }, "x", "CONTEXT: "],
  ["a failure of no workflow", IS_FAILURE, JSON.stringify({ status: 504 }), "CONTEXT: .* another workflow"],
  ["a failure without a payload", IS_FAILURE, JSON.stringify({ url, status: 504 }), "PLAINTEXT_REJECTED: "],
  ["a state without a payload", VERSION, JSON.stringify([{ callType: "step" }]), "PLAINTEXT_REJECTED: "],
  ["an answer that is a state", { ...CALLBACK, ...VERSION }, JOURNAL, "FORMAT: .* state of the run"],
  ["what a header says that is empty", { "upstash-workflow-is-failure": "" }, PAYLOAD, "FORMAT: .* empty"],
  ["what a version says that is empty", { "upstash-workflow-sdk-version": "" }, PAYLOAD, "FORMAT: .* empty"],
  ["of an SDK whose name is empty", { "upstash-workflow-unknown-sdk": "" }, JOURNAL, "FORMAT: .* empty"],
  ["an answer by an empty header", { "upstash-workflow-callback": "" }, PAYLOAD, "FORMAT: .* empty"],
  ["a failure by an empty header", { "upstash-workflow-failure-callback": "" }, FAILURE, "FORMAT: .* empty"],
  ["a failure that is none", IS_FAILURE, "null", "FORMAT: .* no object"],
  ["a failure that is a list", IS_FAILURE, `[${FAILURE}]`, "FORMAT: .* no object"],
  ["a failure that is no JSON", IS_FAILURE, "{", "FORMAT: .* no object"],
  [
    "a failure that was answered by no text",
    IS_FAILURE,
    FAILURE.replace("{", '{"body":1,'),
    "FORMAT: .* no text",
  ],
  ["a state with an entry that is none", VERSION, JOURNAL.replace("]", ",null]"), "FORMAT: .* entries"],
  [
    "a state with an entry in no base64",
    VERSION,
    JOURNAL.replace(/"body":"[^"]*"/, '"body":"*"'),
    "FORMAT: .* no base64",
  ],
])("a request is not %s", (_, headers, body, says) => {
  expect(open(headers, body)).toMatch(new RegExp(`^${says}`));
});

it("a failure that nobody sealed says so, and nothing else", () => {
  const failure = FAILURE.replace("{", `{"body":"${toBase64("Gateway Timeout")}",`);
  const text = openRequest(sealer, new Headers(IS_FAILURE), failure, runState(url, "wfr_1"), settings);
  expect(JSON.parse(fromBase64(JSON.parse(text).body))).toEqual({
    error: "PlatformFailure",
    message: expect.stringMatching(/^\[platform\] The run failed with HTTP status 504\. (?!.*Gateway)/),
  });
});

it("a failure says when its run began, and with what headers it was answered", () => {
  const said = { url, status: 504, sourceBody: toBase64(PAYLOAD), workflowCreatedAt: 17 };
  for (const header of [undefined, null, {}, { a: ["b", "c"], d: [] }]) {
    const failure = JSON.stringify({ ...said, header });
    const text = openRequest(sealer, new Headers(IS_FAILURE), failure, runState(url, "wfr_1"), settings);
    expect(JSON.parse(text)).toMatchObject({
      workflowCreatedAt: 17,
      ...(header !== undefined && { header }),
    });
  }
});

it.each([{ a: ["b", 1] }, { a: [1, "b"] }, { a: "b" }, { a: ["b"], c: [2] }, ["a"], 1])(
  "a failure has no headers like %j",
  (header) => {
    const failure = JSON.stringify({ url, status: 504, sourceBody: toBase64(PAYLOAD), header });
    expect(open(IS_FAILURE, failure)).toMatch(/^FORMAT: .* headers/);
  },
);

it("a failure says nothing but what it is known by, and when its run began as a number", () => {
  const said = {
    url,
    status: 504,
    sourceBody: toBase64(PAYLOAD),
    note: "forged",
    workflowCreatedAt: "forged",
  };
  const failure = JSON.stringify(said);
  const text = openRequest(sealer, new Headers(IS_FAILURE), failure, runState(url, "wfr_1"), settings);
  expect(text).not.toContain("forged");
});

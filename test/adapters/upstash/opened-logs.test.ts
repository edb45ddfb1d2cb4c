import { createSealer, type SealClaims } from "stepseal";
import { describe, expect, it } from "vitest";
import { openDeadLetters, openLogs } from "../../../src/adapters/upstash/logs.ts";
import { resolveOptions } from "../../../src/adapters/upstash/options.ts";
import {
  answerPlace,
  eventPlace,
  failurePlace,
  payloadPlace,
  runState,
  stepPlace,
  triggerOf,
} from "../../../src/adapters/upstash/place.ts";
import { sealText, toBase64 } from "../../../src/adapters/upstash/text.ts";
import { BASE, fromBase64, KEY, keyring, ORIGIN } from "./harness.ts";

// A person reads what is listed, and believes it: each value opens where it was sealed for, and nowhere else.

const sealer = createSealer({ keyring: keyring() });
const settings = resolveOptions({ key: KEY, qstash: { token: "token" }, publicUrl: ORIGIN });
const door = { sealer, settings, state: undefined };

const url = `${BASE}main`;
const SECRET = '"card 4111"';
const seal = (place: SealClaims): string => sealText(sealer, SECRET, place);
const PAYLOAD = sealText(sealer, '"order"', payloadPlace(url));
const STEP = { stepId: 1, stepName: "charge", stepType: "Run" };

const own = { ...runState(url, undefined), trigger: triggerOf("/workflows/main", PAYLOAD) };
/** Another run of the workflow, and a run of another workflow. */
const others = [
  { ...own, trigger: new Uint8Array(32) },
  { ...own, fn: "/workflows/other", url: `${BASE}other` },
];
const { parent: _, ...OUTPUT } = answerPlace(own);
const INITIAL = { stepType: "Initial", out: PAYLOAD };

/** A run in the logs, with one value in it. */
const logOf = (steps: unknown[], more: object = {}): object => ({
  runs: [{ workflowUrl: url, steps: [{ steps: [INITIAL] }, { steps }], ...more }],
});

interface Row {
  readonly name: string;
  readonly put: (value: string) => object;
  /** What the value may be sealed for, and what it may not be. */
  readonly right: readonly SealClaims[];
  readonly wrong: readonly SealClaims[];
}

const failures = { right: [failurePlace(own)], wrong: [...others.map(failurePlace), answerPlace(own)] };

const LOGS: Row[] = [
  {
    name: "a payload",
    put: (out) => ({ runs: [{ workflowUrl: url, steps: [{ steps: [{ stepType: "Initial", out }] }] }] }),
    right: [payloadPlace(url)],
    wrong: [payloadPlace(`${BASE}other`), OUTPUT],
  },
  {
    name: "a result of a step",
    put: (out) => logOf([{ ...STEP, out }]),
    right: [stepPlace(own, STEP)],
    wrong: [
      ...others.map((state) => stepPlace(state, STEP)),
      stepPlace(own, { ...STEP, stepName: "other" }),
      stepPlace(own, { ...STEP, stepId: 2 }),
    ],
  },
  {
    name: "data of an event",
    put: (text) => logOf([{ ...STEP, stepType: "Wait", waitEventId: "paid", out: toBase64(text) }]),
    right: [eventPlace("paid")],
    wrong: [eventPlace("other"), OUTPUT],
  },
  {
    name: "data of an event whose id is not there",
    put: (text) => logOf([{ ...STEP, stepType: "Wait", out: toBase64(text) }]),
    right: [eventPlace("paid"), eventPlace("other")],
    wrong: [OUTPUT],
  },
  {
    name: "a result of an invocation",
    put: (body) => logOf([{ ...STEP, stepType: "Invoke", out: JSON.stringify({ body, isFailed: false }) }]),
    right: [OUTPUT],
    wrong: [failurePlace(own)],
  },
  {
    name: "a result of an invocation, in an object",
    put: (body) => logOf([{ ...STEP, stepType: "Invoke", out: { body, isFailed: false } }]),
    right: [OUTPUT],
    wrong: [failurePlace(own)],
  },
  {
    name: "a payload of an invocation",
    put: (value) => logOf([{ ...STEP, stepType: "Invoke", invokedWorkflowRunBody: value }]),
    right: [payloadPlace(`${BASE}other`, new Uint8Array(32))],
    wrong: [stepPlace(own, STEP)],
  },
  {
    name: "what a run returned",
    put: (value) => logOf([], { workflowRunResponse: value }),
    right: [answerPlace(own), { ...OUTPUT, parent: new Uint8Array(32) }],
    wrong: [{ ...OUTPUT, fn: "/workflows/other" }, failurePlace(own)],
  },
  {
    name: "what a failure function was told",
    put: (value) => logOf([], { failureFunction: { failResponse: value } }),
    ...failures,
  },
  {
    name: "what a failure function returned",
    put: (value) => logOf([], { failureFunction: { responseBody: value } }),
    right: [answerPlace(own)],
    wrong: [...others.map(answerPlace), failurePlace(own)],
  },
  {
    name: "an error of a failure function",
    put: (body) => logOf([], { failureFunction: { errors: [{ body }] } }),
    ...failures,
  },
  { name: "an error of a step", put: (error) => logOf([{ errors: [{ error }] }]), ...failures },
  { name: "an answer of a step that failed", put: (body) => logOf([{ errors: [{ body }] }]), ...failures },
];

const letter = (more: object): object => ({ messages: [{ workflowUrl: url, ...more }] });
const LETTERS: Row[] = [
  {
    name: "a payload in a dead letter",
    put: (body) => letter({ body }),
    right: [payloadPlace(url)],
    wrong: [payloadPlace(`${BASE}other`)],
  },
  {
    name: "a payload in a dead letter that has only its own URL",
    put: (body) => ({ messages: [{ url, body }] }),
    right: [payloadPlace(url)],
    wrong: [payloadPlace(`${BASE}other`)],
  },
  {
    name: "a payload in a dead letter of a failure function elsewhere",
    put: (body) => ({ messages: [{ url: `${BASE}other`, workflowUrl: url, body }] }),
    right: [payloadPlace(url)],
    wrong: [payloadPlace(`${BASE}other`)],
  },
  {
    name: "a step in a dead letter",
    put: (out) => letter({ body: JSON.stringify({ ...STEP, out }) }),
    right: [stepPlace(own, STEP)],
    wrong: [stepPlace(own, { ...STEP, stepName: "other" }), stepPlace(others[1] ?? own, STEP)],
  },
  {
    name: "a state in a dead letter",
    put: (out) =>
      letter({
        body: JSON.stringify([
          { body: toBase64(PAYLOAD) },
          { callType: "step", body: toBase64(JSON.stringify({ ...STEP, out })) },
        ]),
      }),
    right: [stepPlace(own, STEP)],
    wrong: others.map((state) => stepPlace(state, STEP)),
  },
  {
    name: "what a request in a dead letter answered",
    put: (value) => letter({ responseBody: value }),
    right: [failurePlace(own)],
    wrong: [failurePlace(others[1] ?? own), answerPlace(own)],
  },
  {
    name: "what a failure callback answered",
    put: (value) => letter({ failureCallbackInfo: { responseBody: value } }),
    right: [failurePlace(own), answerPlace(own)],
    wrong: [failurePlace(others[1] ?? own), stepPlace(own, STEP)],
  },
];

const CASES = [
  ...LOGS.map((row) => ({ ...row, open: openLogs })),
  ...LETTERS.map((row) => ({ ...row, open: openDeadLetters })),
];

/** Whether the secret is in what is listed, in base64 or not. */
function isOpen(listed: unknown): boolean {
  const text = JSON.stringify(listed);
  return (
    /4111/.test(text) ||
    [...text.matchAll(/[\w+/]{12,}={0,2}/g)].some(([one]) => /4111/.test(fromBase64(one)))
  );
}

describe("what is listed", () => {
  it.each(CASES)(
    "opens where it was sealed for, and stays as it is anywhere else: $name",
    ({ put, right, wrong, open }) => {
      for (const place of right) {
        const opened = open(put(seal(place)), door);
        expect(isOpen(opened)).toBe(true);
        // Nothing but values: no member comes or goes.
        expect(shape(opened)).toEqual(shape(put(seal(place))));
      }
      for (const place of wrong) expect(isOpen(open(put(seal(place)), door))).toBe(false);
    },
  );

  it("opens values that the platform parsed", () => {
    const out = JSON.parse(seal(stepPlace(own, STEP)));
    const payload = { stepType: "Initial", out: JSON.parse(PAYLOAD) };
    const run = { workflowUrl: url, steps: [{ steps: [payload] }, { steps: [{ ...STEP, out }] }] };
    expect(isOpen(openLogs({ runs: [{ ...run, steps: [run.steps[1]] }] }, door))).toBe(true);
    expect(isOpen(openLogs({ runs: [run] }, door))).toBe(true);

    const [other] = others.map((state) => JSON.parse(seal(stepPlace(state, STEP))));
    const moved = { ...run, steps: [{ steps: [payload] }, { steps: [{ ...STEP, out: other }] }] };
    expect(isOpen(openLogs({ runs: [moved] }, door))).toBe(false);
  });

  it("opens what others started with plaintext", () => {
    const state = { ...own, trigger: triggerOf("/workflows/main", "order") };
    const steps = [
      { steps: [{ stepType: "Initial", out: "order" }] },
      { steps: [{ ...STEP, out: seal(stepPlace(state, STEP)) }] },
    ];
    expect(isOpen(openLogs({ runs: [{ workflowUrl: url, steps }] }, door))).toBe(true);
  });

  it("opens what it can of a run whose payload is not there", () => {
    const more = {
      failureFunction: {
        failResponse: seal(failurePlace(own)),
        responseBody: seal(answerPlace(own)),
        errors: [{ error: seal(failurePlace(own)) }],
      },
    };
    const steps = [{ steps: [{ ...STEP, out: seal(stepPlace(own, STEP)) }] }];
    const opened = JSON.stringify(openLogs({ runs: [{ workflowUrl: url, steps, ...more }] }, door));
    expect(opened.match(/4111/g)).toHaveLength(4);
  });

  it.each<[open: typeof openLogs, listed: unknown]>([
    ...[
      null,
      "text",
      [],
      {},
      { runs: 1 },
      { runs: [null, 1] },
      { runs: [{ steps: 1, workflowUrl: url }] },
    ].map((listed) => [openLogs, listed] as [typeof openLogs, unknown]),
    ...[{}, { workflowUrl: 1 }, { workflowUrl: "/main" }].map(
      (run) =>
        [openLogs, { runs: [{ steps: [{ steps: [INITIAL] }], ...run }] }] as [typeof openLogs, unknown],
    ),
    ...[
      null,
      { errors: 1 },
      { errors: [null] },
      { ...STEP, out: 1 },
      { ...STEP, stepId: 1.5, out: "x" },
      { ...STEP, stepId: "1", out: "x" },
      { ...STEP, stepType: 1, out: "x" },
      { stepType: "Run", stepId: 1, out: "x" },
      { ...STEP, stepType: "Wait", out: 1 },
      { ...STEP, stepType: "Wait", out: "*" },
      { ...STEP, stepType: "Wait", out: toBase64("plain") },
      { ...STEP, stepType: "Invoke", out: "no JSON" },
      { ...STEP, stepType: "Invoke", out: "null" },
      { ...STEP, stepType: "Invoke", out: null },
    ].map(
      (step) =>
        [openLogs, logOf([step], { steps: [{ steps: [step] }, { steps: 1 }] })] as [typeof openLogs, unknown],
    ),
    ...[null, "text", {}, { messages: 1 }, { messages: [null, 1, {}, { url: "/main" }, { url: 1 }] }].map(
      (listed) => [openDeadLetters, listed] as [typeof openLogs, unknown],
    ),
    ...[
      { body: 1 },
      { body: "text" },
      { body: "[]" },
      { body: "[1]" },
      { body: '{"order":1}' },
      { failureCallbackInfo: 1 },
    ].map((more) => [openDeadLetters, letter(more)] as [typeof openLogs, unknown]),
    [openDeadLetters, letter({ body: JSON.stringify([{ body: toBase64("plain") }]) })],
  ])("stays as it is where it is something else: %o %j", (open, listed) => {
    expect(open(listed, door)).toEqual(listed);
  });

  it("hides no mistake of ours", () => {
    const broken = { ...sealer, openJson: () => JSON.parse("{") };
    expect(() => openLogs(logOf([]), { ...door, sealer: broken })).toThrow(SyntaxError);
  });
});

/** Names of members, all the way down. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== "object" || value === null) return "value";
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shape(member)]));
}

import { createSealer, StepsealError, type StepsealErrorCode } from "stepseal";
import { describe, expect, it } from "vitest";
import { refuse, sealAnswer, sealThrown } from "../../../src/adapters/upstash/answer.ts";
import { type RunState, runState } from "../../../src/adapters/upstash/place.ts";
import { BASE, keyring } from "./harness.ts";

const sealer = createSealer({ keyring: keyring() });
const SECRET = "card 4111";
/** @upstash/workflow 1, serve/options.ts */
const AUTH_FAIL =
  "Failed to authenticate Workflow request. If this is unexpected, see the caveat https://upstash.com/docs/workflow/basics/caveats#avoid-non-deterministic-code-outside-context-run";
const VERSION = { "upstash-workflow-sdk-version": "1" };

function known(more: Partial<RunState> = {}): RunState {
  return { ...runState(`${BASE}pay`, "wfr_1"), trigger: new Uint8Array(32).fill(1), ...more };
}

async function opened(answer: Response, kind: "fn.output" | "fn.error"): Promise<unknown> {
  const place = { kind, fn: "/workflows/pay", run: "wfr_1", parent: new Uint8Array(32).fill(1) };
  return sealer.openJson(JSON.parse(await answer.text()), place);
}

describe("an answer of the SDK", () => {
  it("keeps its status and the headers that the platform reads, and no others", async () => {
    const headers = {
      "content-type": "application/json",
      "retry-after": "30",
      "upstash-workflow-sdk-version": "1",
      "upstash-workflow-sdk": "@upstash/workflow",
      "upstash-nonretryable-error": "true",
      "upstash-error-step-name": "charge",
      "upstash-workflow-failure-callback-notfound": "true",
    };
    const given = new Response("{}", { status: 418, headers: { ...headers, "x-of-the-app": SECRET } });
    const answer = await sealAnswer(given, sealer, known({ steps: new Set(["charge"]) }));
    expect(answer.status).toBe(418);
    expect(Object.fromEntries(answer.headers)).toEqual(headers);
  });

  it.each([
    "",
    "{}",
    '{"workflowRunId":"wfr_1","finishCondition":"success"}',
    '{"workflowRunId":"no-workflow-id"}',
  ])("stays as it is where it says how it went: %s", async (text) => {
    const answer = await sealAnswer(new Response(text), sealer, known());
    expect(await answer.text()).toBe(text);
  });

  it("stays as it is where the SDK says that nobody may run this", async () => {
    const text = JSON.stringify({ message: AUTH_FAIL });
    expect(await (await sealAnswer(new Response(text, { status: 400 }), sealer, known())).text()).toBe(text);
  });

  it.each([
    SECRET,
    JSON.stringify(SECRET),
    JSON.stringify([SECRET]),
    JSON.stringify({ message: SECRET }),
    JSON.stringify({ message: `${AUTH_FAIL} ${SECRET}` }),
    JSON.stringify({ message: [SECRET] }),
    JSON.stringify({ workflowRunId: { secret: SECRET } }),
    JSON.stringify({ workflowRunId: "wfr_1", result: SECRET }),
    JSON.stringify({ error: "Error", message: SECRET, stack: "" }),
  ])("is sealed where it is anything else: %s", async (text) => {
    for (const [status, kind] of [
      [200, "fn.output"],
      [500, "fn.error"],
    ] as const) {
      const answer = await sealAnswer(new Response(text, { status }), sealer, known());
      expect(await answer.clone().text()).not.toContain(SECRET);
      expect(String(toText(await opened(answer, kind)))).toBe(text);
    }
  });

  it("names the step that failed, in the SDK's spelling: control characters are spaces", async () => {
    const name = "charge\x7f\nthe\tcard";
    const headers = { "upstash-error-step-name": "charge  the card" };
    const given = () => new Response("{}", { status: 500, headers });
    const answer = await sealAnswer(given(), sealer, known({ steps: new Set([name]) }));
    expect(answer.headers.get("upstash-error-step-name")).toBe("charge  the card");
    const other = await sealAnswer(given(), sealer, known({ steps: new Set(["charge them"]) }));
    expect(other.headers.get("upstash-error-step-name")).toBeNull();
  });

  it("keeps status and headers where it is sealed", async () => {
    for (const status of [201, 500]) {
      const given = new Response(SECRET, { status, headers: { ...VERSION, "retry-after": "7" } });
      const answer = await sealAnswer(given, sealer, known());
      expect([answer.status, Object.fromEntries(answer.headers)]).toEqual([
        status,
        expect.objectContaining({ ...VERSION, "retry-after": "7" }),
      ]);
    }
  });

  it.each([
    ["the platform's, alone", "no quota", true],
    ["the platform's, after the SDK's own words", "Failed to send: no quota", true],
    ["the app's", "card declined", false],
    ["the app's, around the platform's", "no quota, says the platform", false],
    ["no text", 7, false],
  ])("says whose failure it is after the platform's API failed: %s", async (_, message, isPlatforms) => {
    const text = JSON.stringify({ error: "Error", message, stack: "" });
    const state = known({ platformErrors: ["no quota"] });
    const answer = await sealAnswer(new Response(text, { status: 500 }), sealer, state);
    const { error } = JSON.parse(String(toText(await opened(answer, "fn.error"))));
    expect(error).toBe(isPlatforms ? "PlatformFailure" : "Error");
  });

  it("says nothing of the platform where its API did not fail", async () => {
    const text = JSON.stringify({ error: "Error", message: "card declined", stack: "" });
    const answer = await sealAnswer(new Response(text, { status: 500 }), sealer, known());
    expect(toText(await opened(answer, "fn.error"))).toBe(text);
  });

  it("is for no step that invoked the run: only what the run returns is", async () => {
    const state = known({ caller: new Uint8Array(32).fill(2) });
    const [good, bad] = [new Response(SECRET), new Response(SECRET, { status: 500 })];
    expect(toText(await opened(await sealAnswer(good, sealer, state), "fn.output"))).toBe(SECRET);
    expect(toText(await opened(await sealAnswer(bad, sealer, state), "fn.error"))).toBe(SECRET);
  });

  it("leaves without its text where it fails before the payload was read, and not at all where it does not", async () => {
    const state = known({ trigger: undefined });
    const failed = await sealAnswer(new Response(SECRET, { status: 500, headers: VERSION }), sealer, state);
    expect([failed.status, await failed.text(), failed.headers.get("upstash-workflow-sdk-version")]).toEqual([
      500,
      "",
      "1",
    ]);
    await expect(sealAnswer(new Response(SECRET), sealer, state)).rejects.toMatchObject({ code: "REFUSED" });
  });
});

describe("what is thrown", () => {
  it("leaves without its text where there is nothing to seal it with, or for", async () => {
    for (const answer of [
      sealThrown(new Error(SECRET), undefined, known()),
      sealThrown(new Error(SECRET), sealer, known({ trigger: undefined })),
      sealThrown(new Error(SECRET), sealer, known({ run: "x".repeat(100_000) })),
    ]) {
      expect([answer.status, await answer.text()]).toEqual([500, "Internal Server Error"]);
    }
  });
});

describe("a refusal", () => {
  const AGAIN: StepsealErrorCode[] = ["UNKNOWN_KEY", "CONFIG"];
  const NEVER: StepsealErrorCode[] = [
    "CORRUPT",
    "CONTEXT",
    "FORMAT",
    "PLAINTEXT_REJECTED",
    "REFUSED",
    "UNSUPPORTED",
  ];

  it.each([...AGAIN.map((code) => [code, 503] as const), ...NEVER.map((code) => [code, 489] as const)])(
    "for %s is answered with %i",
    async (code, status) => {
      const answer = refuse(new StepsealError(code, "why"), sealer, known());
      expect([answer.status, answer.headers.get("stepseal-error")]).toEqual([status, code]);
      expect(answer.headers.get("upstash-nonretryable-error")).toBe(status === 489 ? "true" : null);
      expect(answer.headers.get("upstash-workflow-sdk-version")).toBe("1");
      expect(JSON.parse(toText(await opened(answer, "fn.error")))).toEqual({
        error: "StepsealError",
        message: `StepsealError ${code}: why`,
        stack: "",
      });
    },
  );

  it("says no more than the code where there is nothing to seal it with, or for", async () => {
    const error = new StepsealError("FORMAT", "what onRefused alone is told");
    for (const answer of [
      refuse(error, undefined, known()),
      refuse(error, sealer, known({ trigger: undefined })),
    ]) {
      expect(await answer.text()).toBe("Refused: FORMAT. onRefused was told why.");
    }
  });
});

/** What was sealed: JSON as its text, any other text as bytes. */
function toText(value: unknown): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value);
}

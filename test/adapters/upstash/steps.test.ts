import { createSealer } from "stepseal";
import { describe, expect, it } from "vitest";
import { type RunState, runState } from "../../../src/adapters/upstash/place.ts";
import { openStep } from "../../../src/adapters/upstash/steps.ts";
import { codeOf } from "../../code-of.ts";
import { BASE, keyring, settingsWith, toBase64 } from "./harness.ts";

// What a platform says of steps, in shapes that no SDK makes it say.

const sealer = createSealer({ keyring: keyring() });
const settings = settingsWith({ webhooks: "allow" });
const state = (): RunState => ({ ...runState(`${BASE}main`, "wfr_1"), trigger: new Uint8Array(32) });
const step = (stepType: string, more: object) => ({ stepId: 3, stepName: "step", stepType, ...more });
const open = (stepType: string, more: object) => openStep(sealer, step(stepType, more), state(), settings);

describe("a step comes back", () => {
  it.each([undefined, null, 7, "", "text", "null", "[]", '"text"', "{", {}])(
    "not as a run that was invoked, with the result %j",
    (out) => {
      expect(codeOf(() => open("Invoke", { out }))).toBe("PLAINTEXT_REJECTED");
    },
  );

  it.each([undefined, null, false])(
    "as a run that was invoked, cancelled or not: %j says that it was not",
    (flag) => {
      const out = JSON.stringify({ isCanceled: flag, isFailed: flag, body: "" });
      expect(codeOf(() => open("Invoke", { out }))).toBe("PLAINTEXT_REJECTED");
      const failed = JSON.stringify({ isCanceled: flag, isFailed: true, body: "", note: "forged" });
      const { note: _, ...rest } = JSON.parse(failed);
      expect(JSON.parse(String(open("Invoke", { out: failed }).out))).toEqual(rest);
    },
  );

  it.each([0, 1, "true", {}])("not as a run that was invoked, with the flag %j", (flag) => {
    const out = JSON.stringify({ isFailed: flag, body: "" });
    expect(codeOf(() => open("Invoke", { out }))).toBe("FORMAT");
    expect(codeOf(() => open("Wait", { waitTimeout: flag }))).toBe("FORMAT");
  });

  it.each([undefined, null, false])("as a wait that did not time out: %j", (waitTimeout) => {
    const known = state();
    const opened = openStep(sealer, step("Wait", { waitTimeout, out: toBase64("plain") }), known, settings);
    expect(opened.out).toBe(toBase64("plain"));
    // What nobody sealed is noted, for the code that waits for it to refuse.
    expect(known.events).toEqual(new Map([[3, null]]));
  });

  it.each([undefined, null, ""])("as a wait that timed out without data: %j", (out) => {
    const known = state();
    expect(openStep(sealer, step("Wait", { waitTimeout: true, out }), known, settings).out).toBeUndefined();
    expect(known.events).toEqual(new Map());
    expect(codeOf(() => open("Wait", { waitTimeout: true, out: toBase64("x") }))).toBe("FORMAT");
  });

  it("as the request of a third party as it came, unless that is an envelope", () => {
    for (const out of [undefined, toBase64("a request"), toBase64("{}")]) {
      expect(open("WaitForWebhook", { out })).toEqual(step("WaitForWebhook", { out }));
    }
    const envelope = JSON.stringify(sealer.seal("x", { kind: "custom" }));
    expect(codeOf(() => open("WaitForWebhook", { out: toBase64(envelope) }))).toBe("FORMAT");
  });
});

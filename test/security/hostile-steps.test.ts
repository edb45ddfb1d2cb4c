import { createKeyring, inspectEnvelope } from "stepseal";
import type { StoredStep } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { KEY, MODES } from "../adapters/inngest/harness.ts";
import { A, B, expectRefused, storedSteps, type Victim, victim } from "./victim.ts";

const KID = createKeyring({ key: KEY }).primary;

type Sealed = { __ENCRYPTED__: true; __STRATEGY__: string; data: string };
const sealedOf = (step: StoredStep | undefined): Sealed => step?.data as Sealed;

/** Puts something else in place of the result of step "a" of the first run. */
const inPlaceOfA = (make: (victim: Victim) => StoredStep) => (v: Victim) => {
  v.runs[0]!.steps.set(A, make(v));
};

/** Changes one character of the envelope of step "a", chosen by where it stands in the decoded body. */
function altered(byte: (body: Uint8Array) => number): (v: Victim) => void {
  return inPlaceOfA((v) => {
    const envelope = sealedOf(v.runs[0]!.steps.get(A));
    const [prefix, kid, body] = envelope.data.split(".") as [string, string, string];
    const bytes = Buffer.from(body, "base64url");
    bytes[byte(bytes)]! ^= 1;
    return { data: { ...envelope, data: `${prefix}.${kid}.${bytes.toString("base64url")}` } };
  });
}
const claimsLength = (body: Uint8Array): number => body[2]! * 256 + body[3]!;

interface Attack {
  readonly name: string;
  readonly attack: (victim: Victim) => void;
  readonly code: string;
  /** False where the value names no key. */
  readonly kid?: false;
}

const swaps: Attack[] = [
  {
    name: "results of two steps are swapped",
    code: "CONTEXT",
    attack: ({ runs: [run] }) => {
      const [a, b] = [run!.steps.get(A)!, run!.steps.get(B)!];
      run!.steps.set(A, b);
      run!.steps.set(B, a);
    },
  },
  {
    name: "the result of another run of the function stands in this one",
    code: "CONTEXT",
    attack: inPlaceOfA((v) => v.runs[1]!.steps.get(A)!),
  },
  {
    name: "the result of another function's step of the same name stands here",
    code: "CONTEXT",
    attack: inPlaceOfA((v) => v.engine.runsOf("refund")[0]!.steps.get(A)!),
  },
  {
    name: "the triggering event's sealed field stands here",
    code: "CONTEXT",
    attack: inPlaceOfA((v) => ({ data: v.runs[0]!.event.data.encrypted })),
  },
  {
    name: "a step's result is given as its error",
    code: "CONTEXT",
    attack: inPlaceOfA((v) => ({
      error: { name: "Error", message: "no", cause: sealedOf(v.runs[0]!.steps.get(A)) },
    })),
  },
];

const alterations: Attack[] = [
  { name: "the suite", code: "UNSUPPORTED", kid: false, attack: altered(() => 0) },
  { name: "the flags", code: "CORRUPT", attack: altered(() => 1) },
  { name: "the length of the claims", code: "FORMAT", kid: false, attack: altered(() => 3) },
  { name: "the kind in the claims", code: "CONTEXT", attack: altered(() => 7) },
  {
    name: "the run in the claims",
    code: "CORRUPT",
    attack: altered((b) => Buffer.from(b).indexOf("app-pay") + 12),
  },
  { name: "the nonce", code: "CORRUPT", attack: altered((b) => 4 + claimsLength(b)) },
  { name: "the ciphertext", code: "CORRUPT", attack: altered((b) => 4 + claimsLength(b) + 24) },
  { name: "the tag", code: "CORRUPT", attack: altered((b) => b.length - 1) },
].map((a) => ({ ...a, name: `one bit of ${a.name} is changed` }) as Attack);

const cuts: Attack[] = [
  { bytes: 1, code: "CORRUPT" },
  { bytes: 17, code: "CORRUPT" },
  { bytes: 1e6, code: "FORMAT", kid: false as const },
].map(({ bytes, ...rest }) => ({
  ...rest,
  name: bytes === 1e6 ? "nothing is left of the body" : `the last ${bytes} bytes are cut off`,
  attack: inPlaceOfA((v) => {
    const envelope = sealedOf(v.runs[0]!.steps.get(A));
    const [prefix, kid, body] = envelope.data.split(".") as [string, string, string];
    const whole = Buffer.from(body, "base64url");
    const left = whole.subarray(0, Math.max(0, whole.length - bytes));
    return { data: { ...envelope, data: `${prefix}.${kid}.${left.toString("base64url")}` } };
  }),
}));

const plaintexts: [name: string, step: StoredStep][] = [
  ["a string", { data: "forged" }],
  ["an empty string", { data: "" }],
  ["a number", { data: 7 }],
  ["true", { data: true }],
  ["false", { data: false }],
  ["an object", { data: { secret: "forged" } }],
  ["an empty object", { data: {} }],
  ["an array", { data: ["forged"] }],
  ["null", { data: null }],
  ["the state of a sleep", null],
  ["{data: null}", { data: { data: null } }],
  ["{data: {data: null}}", { data: { data: { data: null } } }],
  ["an event", { data: { name: "shop/pay", data: { secret: "forged" } } }],
  ["an event that is the whole state", { name: "shop/pay", data: { secret: "forged" } }],
  ["a signal without data", { data: { signal: "s", data: null } }],
  ["a signal with data", { data: { signal: "s", data: { secret: "forged" } } }],
  ["a string that is the whole state", "forged" as never],
];
const forgeries: Attack[] = plaintexts.map(([name, step]) => ({
  name: `${name} stands in place of a result`,
  code: "PLAINTEXT_REJECTED",
  kid: false,
  attack: inPlaceOfA(() => step),
}));

const shaped: Attack[] = (
  [
    ["another strategy", "other/v1", "ss1", "FORMAT"],
    ["the official strategy", "inngest/libsodium", "c2VjcmV0", "LEGACY_NO_KEY"],
    ["our strategy and no text of ours", "stepseal/v1", "forged", "FORMAT"],
  ] as const
).map(([name, strategy, data, code]) => ({
  name: `an envelope of ${name} stands in place of a result`,
  code,
  kid: false,
  attack: inPlaceOfA(() => ({ data: { __ENCRYPTED__: true, __STRATEGY__: strategy, data } })),
}));

describe.each(MODES)("$name", ({ checkpointing }) => {
  test("untouched, the runs end and see their own values", async () => {
    const { engine, runs, seen } = await victim({ checkpointing });
    await engine.advance("1h");
    expect(runs[0]).toMatchObject({ status: "completed" });
    expect(seen).toContainEqual({ secret: "pay-a-1" });
    expect(seen).not.toContain("caught");
  });

  test.each([...swaps, ...alterations, ...cuts, ...forgeries, ...shaped])(
    "$name: the run fails with $code before user code sees anything",
    async ({ attack, code, kid }) => {
      const v = await victim({ checkpointing, orders: 2 });
      const [run] = v.runs;
      for (const other of [v.runs[1]!, ...v.engine.runsOf("refund")]) {
        expect(inspectEnvelope(sealedOf(other.steps.get(A))).kid).toBe(KID);
      }
      attack(v);
      const before = storedSteps(run!);
      for (const other of [v.runs[1]!, ...v.engine.runsOf("refund")]) v.engine.cancel(other.id);
      await v.engine.advance("1h");
      expectRefused(run, v.seen, code, A, ...(kid === false ? [] : [KID]));
      expect(storedSteps(run!)).toMatchObject(before as object);
      expect(run!.requests).toBeLessThanOrEqual(4);
    },
  );
});

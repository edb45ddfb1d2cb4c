import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { callerToken, chainDigest } from "../../src/adapters/chain.ts";

// Stored data of runs that are under way is chained to these: other bytes, and nothing of them opens any more.

/** SHA-256 of a label and of texts, each behind its length in four bytes. */
function digest(label: string, first: Uint8Array, texts: readonly string[]): string {
  const hash = createHash("sha256").update(label).update(first);
  for (const text of texts) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(text));
    hash.update(length).update(text);
  }
  return hash.digest("hex");
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const trigger = new Uint8Array(32).fill(7);
const none = new Uint8Array();

it("a run is chained to its name and to the texts that started it", () => {
  expect(hex(chainDigest("fn", ["one", "zwei \u00e4"]))).toBe(
    digest("stepseal/v1/trigger", none, ["fn", "one", "zwei \u00e4"]),
  );
  expect(hex(chainDigest("fn", []))).toBe(digest("stepseal/v1/trigger", none, ["fn"]));
});

it("texts that run into each other are other texts", () => {
  expect(chainDigest("fn", ["ab", "c"])).not.toEqual(chainDigest("fn", ["a", "bc"]));
  expect(chainDigest("fn", ["a"])).not.toEqual(chainDigest("fna", []));
});

it("an invocation is named by function, step, trigger and run, the last two where they are asked for", () => {
  const label = "stepseal/v1/caller";
  expect(hex(callerToken({ fn: "fn", step: "step", trigger, run: "run" }))).toBe(
    digest(label, trigger, ["fn", "step", "run"]),
  );
  expect(hex(callerToken({ fn: "fn", step: "step", trigger }))).toBe(digest(label, trigger, ["fn", "step"]));
  expect(hex(callerToken({ fn: "fn", step: "step", run: "run" }))).toBe(
    digest(label, none, ["fn", "step", "run"]),
  );
});

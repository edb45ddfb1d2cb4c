import { describe, expect, it } from "vitest";
import { type Claims, decodeClaims, encodeClaims, type Kind } from "../src/claims.ts";
import { checkClaims, checkScope, type Expected } from "../src/expected.ts";
import { codeOf } from "./code-of.ts";
import { ALL_KINDS, claimBytes, tlv } from "./vectors/reference.ts";

const parent = new Uint8Array(32).map((_, i) => i);
const all: Claims = {
  kind: "step.output",
  scope: "production",
  fn: "app-fn",
  run: "01J",
  step: "a1b2",
  event: "app/event",
  field: "größe",
  name: "🧾",
  parent,
};
const kind = tlv(1, Uint8Array.of(64));

describe("claims as bytes", () => {
  it("are what the format says, and come back equal", () => {
    const hexParent = Buffer.from(parent).toString("hex");
    expect(Buffer.from(encodeClaims(all))).toEqual(claimBytes({ ...all, parent: hexParent }));
    expect(decodeClaims(encodeClaims(all))).toEqual(all);
  });

  it.each(ALL_KINDS)("kind %s comes back alone", (kind) => {
    const claims = { kind: kind as Kind };
    expect(decodeClaims(encodeClaims(claims))).toEqual(claims);
  });

  it("tell an empty string from one that is absent", () => {
    expect(decodeClaims(encodeClaims({ kind: "custom", name: "" }))).toEqual({ kind: "custom", name: "" });
    expect(decodeClaims(encodeClaims({ kind: "custom" }))).not.toHaveProperty("name");
  });

  it("are written in the order of their tags, whatever the order they are given in", () => {
    const reversed = Object.fromEntries(Object.entries(all).reverse()) as unknown as Claims;
    expect(encodeClaims(reversed)).toEqual(encodeClaims(all));
  });

  it("fit 4096 bytes and not one more", () => {
    const most = { kind: "custom", name: "x".repeat(4096 - 7) } as const;
    expect(encodeClaims(most)).toHaveLength(4096);
    expect(decodeClaims(encodeClaims(most))).toEqual(most);
    expect(codeOf(() => encodeClaims({ ...most, name: `${most.name}x` }))).toBe("FORMAT");
  });

  it("fit as many bytes in wide characters, or beside a parent", () => {
    const wide = { kind: "custom", name: `${"ü".repeat(2044)}x` } as const;
    expect(encodeClaims(wide)).toHaveLength(4096);
    expect(codeOf(() => encodeClaims({ ...wide, name: "ü".repeat(2045) }))).toBe("FORMAT");
    const chained = { kind: "custom", name: "x".repeat(4096 - 7 - 35), parent } as const;
    expect(encodeClaims(chained)).toHaveLength(4096);
    expect(() => encodeClaims({ ...chained, name: `${chained.name}x` })).toThrow(/up to parent/);
  });

  it("hold a parent of their own, not a view of the envelope's memory", () => {
    const bytes = encodeClaims({ kind: "custom", parent });
    const decoded = decodeClaims(bytes);
    bytes.fill(0);
    expect(decoded.parent).toEqual(parent);
  });

  it("a reader's mistake in what it asks is named: no check is left out in silence", () => {
    expect(() => checkClaims(all, { kind: "step.output", setp: "a1b2" } as unknown as Expected)).toThrow(
      /"setp"/,
    );
    expect(() => checkClaims(all, { kind: "step.output", step: undefined } as unknown as Expected)).toThrow(
      /expected\.step is undefined/,
    );
    expect(() => checkClaims(all, { kind: "step.output", parent: new Uint8Array(31) })).toThrow(
      /expected\.parent has 31 bytes/,
    );
  });
});

const unwritable: readonly (readonly [string, unknown, string])[] = [
  ["no claims", undefined, "CONFIG"],
  ["null", null, "CONFIG"],
  ["no kind", { name: "x" }, "CONFIG"],
  ["an unknown kind", { kind: "step.outputs" }, "CONFIG"],
  ["a kind named like a method", { kind: "toString" }, "CONFIG"],
  ["several kinds", { kind: ["custom"] }, "CONFIG"],
  ["an unknown claim", { kind: "custom", nmae: "x" }, "CONFIG"],
  ["an undefined claim", { kind: "custom", name: undefined }, "CONFIG"],
  ["a claim that is a number", { kind: "custom", name: 7 }, "CONFIG"],
  ["a claim that is null", { kind: "custom", run: null }, "CONFIG"],
  ["a parent that is text", { kind: "custom", parent: "x".repeat(32) }, "CONFIG"],
  ["a parent of 31 bytes", { kind: "custom", parent: new Uint8Array(31) }, "CONFIG"],
  ["a lone high surrogate", { kind: "custom", name: "a\ud83d" }, "FORMAT"],
  ["a lone low surrogate", { kind: "custom", step: "\ude00b" }, "FORMAT"],
  ["a string far too long", { kind: "custom", name: "x".repeat(1e6) }, "FORMAT"],
];
const unreadable: readonly (readonly [string, Uint8Array[], string])[] = [
  ["nothing", [], "FORMAT"],
  ["no kind", [tlv(8, "x")], "FORMAT"],
  ["an unknown kind", [tlv(1, Uint8Array.of(12))], "UNSUPPORTED"],
  ["a tag of an engine", [kind, tlv(32, "x")], "UNSUPPORTED"],
  ["tag 0", [tlv(0, "")], "UNSUPPORTED"],
  ["a tag twice", [kind, kind], "FORMAT"],
  ["tags descending", [kind, tlv(4, "x"), tlv(3, "x")], "FORMAT"],
  ["a length beyond the end", [kind, Uint8Array.of(8, 0, 1)], "FORMAT"],
  ["half a header", [kind, Uint8Array.of(8, 0)], "FORMAT"],
  ["UTF-8 in overlong form", [kind, tlv(8, Uint8Array.of(0xc1, 0x81))], "FORMAT"],
  ["a short parent", [kind, tlv(9, new Uint8Array(31))], "FORMAT"],
  ["more than 4 KiB", [kind, tlv(8, "x".repeat(4090))], "FORMAT"],
];

/** What is wrong, where it stands and what was found there. */
const named: readonly (readonly [unknown, string])[] = [
  [undefined, "claims is of type undefined."],
  [null, "claims is null."],
  [{ kind: "step.outputs" }, "claims.kind is no kind"],
  [{ kind: "custom", nmae: "x" }, 'claims has the unknown claim "nmae".'],
  [{ kind: "custom", name: 7 }, "claims.name is of type number."],
  [{ kind: "custom", parent: "x".repeat(32) }, "claims.parent is of type string."],
  [{ kind: "custom", parent: new Uint8Array(31) }, "claims.parent has 31 bytes."],
];

describe("claims that are refused", () => {
  it.each(unwritable)("when written: %s", (_, claims, code) => {
    expect(codeOf(() => encodeClaims(claims as Claims))).toBe(code);
  });

  it.each(named)("when written, by name: %o", (claims, message) => {
    expect(() => encodeClaims(claims as Claims)).toThrow(message);
  });

  it.each(unreadable)("when read: %s", (_, parts, code) => {
    expect(codeOf(() => decodeClaims(Buffer.concat(parts)))).toBe(code);
  });
});

const differing: readonly (readonly [string, Partial<Expected>])[] = [
  ["kind", { kind: "step.error" }],
  ["kind", { kind: ["step.error", "fn.error"] }],
  ["kind", { kind: [] }],
  ["scope", { scope: "staging" }],
  ["fn", { fn: "app-Fn" }],
  ["run", { run: "01J " }],
  ["step", { step: "" }],
  ["event", { event: "app/events" }],
  ["field", { field: "gro\u0308ße" }],
  ["name", { name: "🧾 " }],
  ["parent", { parent: new Uint8Array(32) }],
];

describe("claims against what a reader requires", () => {
  it("pass when all that is required is equal, and nothing else matters", () => {
    expect(() => checkClaims(all, all)).not.toThrow();
    expect(() => checkClaims(all, { kind: ["fn.output", "step.output"] })).not.toThrow();
    expect(() => checkClaims(all, { kind: "step.output", step: "a1b2" })).not.toThrow();
  });

  it.each(differing)("fail on %s, which the message names", (name, change) => {
    expect(codeOf(() => checkClaims(all, { ...all, ...change }))).toBe("CONTEXT");
    expect(() => checkClaims(all, { ...all, ...change })).toThrow(`the claim ${name} `);
  });

  it.each(["scope", "fn", "run", "step", "event", "field", "name", "parent"] as const)(
    "fail when %s is missing",
    (name) => {
      const { [name]: _, ...rest } = all;
      expect(() => checkClaims(rest, all)).toThrow(`the claim ${name} `);
      expect(() => checkClaims(rest, all)).toThrow(/is absent/);
    },
  );

  it("are shown with both values, quoted and cut to 64 characters", () => {
    const long = `line\n${"x".repeat(100)}`;
    expect(() => checkClaims({ kind: "custom", name: long }, { kind: "custom", name: "short" })).toThrow(
      `should be "short" and is "line\\n${"x".repeat(59)}".`,
    );
    expect(() => checkClaims(all, { kind: ["step.error", "fn.error"] })).toThrow(
      'the claim kind should be "step.error or fn.error" and is "step.output".',
    );
  });

  it("are no text where the reader asks for none, and the message says so without it", () => {
    const step = { secret: 1 } as unknown as string;
    expect(() => checkClaims(all, { ...all, step })).toThrow(
      'the claim step should be of type object and is "a1b2".',
    );
  });

  it("must have exactly the sealer's scope, or exactly none", () => {
    const scoped: Claims = { kind: "custom", scope: "a" };
    expect(() => checkScope(scoped, "a")).not.toThrow();
    expect(() => checkScope({ kind: "custom" }, undefined)).not.toThrow();
    expect(codeOf(() => checkScope(scoped, "b"))).toBe("CONTEXT");
    expect(() => checkScope(scoped, "b")).toThrow('the claim scope should be "b" and is "a".');
    expect(codeOf(() => checkScope(scoped, undefined))).toBe("CONTEXT");
    expect(codeOf(() => checkScope({ kind: "custom" }, "a"))).toBe("CONTEXT");
  });
});

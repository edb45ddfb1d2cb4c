import { format, inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { StepsealError } from "../../src/errors.ts";
import { createKeyring, openingKey, sealingKey } from "../../src/keyring/keyring.ts";
import { mustFail, ROOTS } from "./must-fail.ts";
import { expand, key, kid, prk, root } from "./roots.ts";

/** Shorter pieces of a key occur in ordinary text by chance. */
const PIECE = 8;

/** What no output may hold: every 8-character piece of every text form of every secret of a root. */
function piecesOf(name: string): string[] {
  const secrets = [
    Buffer.from(root(name)),
    prk(name),
    expand(name, "stepseal/v1/seal", 32),
    expand(name, "stepseal/v1/run\0run", 32),
  ];
  const texts = secrets.flatMap((secret) => [
    secret.toString("hex"),
    secret.toString("base64"),
    secret.toString("base64url"),
    JSON.stringify(new Uint8Array(secret)),
    [...secret].join(","),
    [...secret].join(", "),
    inspect(new Uint8Array(secret)).replace(/\s+/g, " ").slice(17),
  ]);
  // The key of run "run" as text, without prefix, kid and run, which are no secrets.
  const runKey = createKeyring({ key: key(name) })
    .runKey("run")
    .slice(-49);
  return [key(name).slice(5), runKey, ...texts].flatMap(pieces);
}

function pieces(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - PIECE + 1) }, (_, i) => text.slice(i, i + PIECE));
}

const forbidden = new Set(ROOTS.flatMap(piecesOf));

/** The pieces of a secret that stand in an output, the secret of a test case included. */
function leaks(output: string, secrets: readonly string[] = []): string[] {
  const found = [...forbidden].filter((piece) => output.includes(piece));
  const prefix = /^(["']?ssk1_|hex:|base64:)/;
  const own = secrets.flatMap((secret) => pieces(secret.replace(prefix, "").trim()));
  return [...found, ...own.filter((piece) => output.includes(piece))];
}

/** Everything a value can be turned into without knowing its class. */
function outputsOf(value: object): string[] {
  const all = { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true } as const;
  const own = Reflect.ownKeys(value);
  return [
    inspect(value),
    inspect(value, all),
    inspect(value, { ...all, customInspect: false }),
    inspect(value, { ...all, depth: -1 }),
    inspect({ nested: [value] }, all),
    format("%s %o %O %j", value, value, value, value),
    JSON.stringify(value),
    JSON.stringify({ nested: [value] }),
    String(value),
    `${value}`,
    inspect(structuredClone(value), all),
    inspect(Object.entries(value), all),
    inspect({ ...value }, all),
    inspect(Object.getOwnPropertyDescriptors(value), all),
    ...own.map((name) => inspect(Reflect.get(value, name), all)),
    inspect(Object.getPrototypeOf(value), all),
  ];
}

const ring = createKeyring({
  keys: [
    { key: key("one"), state: "primary" },
    { key: key("two"), state: "decrypt-only" },
    { key: key("three"), state: "disabled" },
  ],
});
// Fills whatever the ring keeps.
sealingKey(ring, undefined);
sealingKey(ring, "run");
openingKey(ring, kid("two"), "run");

test("the leak check finds a secret in every form it looks for", () => {
  for (const name of ROOTS) {
    for (const secret of [Buffer.from(root(name)), prk(name), expand(name, "stepseal/v1/seal", 32)]) {
      expect(leaks(secret.toString("hex"))).not.toEqual([]);
      expect(leaks(`x${secret.toString("base64").slice(5, 20)}x`)).not.toEqual([]);
      expect(leaks(JSON.stringify(new Uint8Array(secret)))).not.toEqual([]);
      expect(leaks(inspect([...secret]).replace(/\s+/g, " "))).not.toEqual([]);
    }
    expect(leaks(key(name).slice(10, 20))).not.toEqual([]);
  }
});

describe("a ring", () => {
  test("shows no key material however it is turned into text", () => {
    for (const output of outputsOf(ring)) expect(leaks(output.replace(/\s+/g, " "))).toEqual([]);
  });

  test("holds no byte array that is reachable from outside", () => {
    const seen = new Set<unknown>();
    const visit = (value: unknown): void => {
      if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value))
        return;
      seen.add(value);
      expect(ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Map).toBe(false);
      for (const name of Reflect.ownKeys(value)) visit(Reflect.get(value, name));
    };
    visit(ring);
    visit(structuredClone(ring));
    expect(seen.size).toBeGreaterThan(4);
  });

  test("shows kids and states, and has no other property", () => {
    const shown = {
      primary: kid("one"),
      keys: [
        { kid: kid("one"), state: "primary" },
        { kid: kid("two"), state: "decrypt-only" },
        { kid: kid("three"), state: "disabled" },
      ],
    };
    expect(Reflect.ownKeys(ring)).toEqual(["primary", "keys"]);
    expect(JSON.parse(JSON.stringify(ring))).toEqual(shown);
    expect(structuredClone(ring)).toEqual(shown);
    expect(inspect(ring)).toBe(`Keyring ${inspect(shown)}`);
    expect(inspect(ring, { depth: 5 })).toContain(`kid: '${kid("two")}', state: 'decrypt-only'`);
  });

  test("thrown, or kept in an error, shows no key material", () => {
    const error = new StepsealError("CONFIG", `with ${ring}`, { cause: ring });
    for (const output of outputsOf(error)) expect(leaks(output.replace(/\s+/g, " "))).toEqual([]);
  });

  test("keeps neither text forms nor bytes where an inspector that ignores its hook would find them", () => {
    const asText = inspect(ring, { depth: Number.POSITIVE_INFINITY, showHidden: true, customInspect: false });
    expect(asText).not.toContain("ssk1_");
    expect(asText).not.toContain("Uint8Array");
  });
});

describe("a ring of run keys", () => {
  const runKeys = ROOTS.map((name) => createKeyring({ key: key(name) }).runKey("run"));
  const reader = createKeyring({ runKeys });
  openingKey(reader, kid("one"), "run");

  test("shows kids and runs, and no key material however it is turned into text", () => {
    for (const output of outputsOf(reader)) expect(leaks(output.replace(/\s+/g, " "))).toEqual([]);
    expect(JSON.parse(JSON.stringify(reader))).toEqual({
      primary: "",
      keys: ROOTS.map((name) => ({ kid: kid(name), state: "decrypt-only", run: "run" })),
    });
  });

  test("shows none in its errors", () => {
    for (const run of [undefined, "other"]) {
      let error: unknown;
      try {
        openingKey(reader, kid("one"), run);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ code: "UNKNOWN_KEY" });
      for (const output of outputsOf(error as StepsealError)) expect(leaks(output)).toEqual([]);
    }
  });
});

describe("an error shows nothing of the value it refuses", () => {
  test.each(mustFail)("$name", async ({ run, secrets }) => {
    const error = await Promise.resolve()
      .then(run)
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(error).toBeInstanceOf(StepsealError);
    for (const output of outputsOf(error as StepsealError)) {
      expect(leaks(output.replace(/\s+/g, " "), secrets)).toEqual([]);
    }
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { parseKey } from "../../src/keyring/key.ts";
import { keyringFromEnv } from "../../src/keyring/load.ts";
import { parseRingJson } from "../../src/keyring/ring-json.ts";
import { parseRunKey } from "../../src/keyring/run-key.ts";
import { key, kid, root } from "../keyring/roots.ts";
import { runKeyText } from "../vectors/reference.ts";
import { fuzz, outcomeOf, TIMEOUT } from "./fuzz.ts";
import { tree } from "./json-trees.ts";
import { changedJson, changedText } from "./mutations.ts";

const NAMES = ["fuzz", "fuzz other", "fuzz third"];
const SECRETS = NAMES.flatMap((name) => {
  const bytes = Buffer.from(root(name));
  return [key(name).slice(5), bytes.toString("hex"), bytes.toString("base64"), bytes.toString("base64url")];
});
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_:-+/= ,\n";

/** Each of these is the key of its name; forms that base64 and hex know for one. */
const forms = (name: string): string[] => {
  const bytes = Buffer.from(root(name));
  const hex = bytes.toString("hex");
  const base64 = bytes.toString("base64");
  return [
    key(name),
    `hex:${hex}`,
    `hex:${hex.toUpperCase()}`,
    `base64:${base64}`,
    `base64:${bytes.toString("base64url")}`,
  ];
};

describe("a key as text", { timeout: TIMEOUT }, () => {
  test("that was changed is no key, or the same: its checksum sees to that", async () => {
    await fuzz(
      fc.property(
        fc.constantFrom(...NAMES),
        fc.constantFrom(...NAMES),
        changedText(ALPHABET),
        (name, other, change) => {
          const changed = change(key(name), key(other));
          const outcome = outcomeOf(() => parseKey(changed, "KEY"), [changed, ...SECRETS]);
          const same = [name, other].find((one) => changed.trim() === key(one));
          expect(outcome).toEqual(same === undefined ? { code: "CONFIG" } : { value: root(same) });
        },
      ),
      500,
    );
  });

  test("in another form is read to the letter, and never shown", async () => {
    const anyForm = fc.constantFrom(...NAMES.flatMap((name) => forms(name).slice(1)));
    await fuzz(
      fc.property(
        fc.oneof(
          fc.tuple(anyForm, changedText(ALPHABET)).map(([one, change]) => change(one)),
          fc.string({ unit: "binary" }),
        ),
        (text) => {
          const [, form, body = ""] = /^(hex|base64):(.*)$/s.exec(text.trim()) ?? [];
          const bytes =
            form === undefined ? Buffer.of() : Buffer.from(body, form === "hex" ? "hex" : "base64");
          const isCanonical =
            form === "hex"
              ? bytes.toString("hex") === body.toLowerCase() && /^[\da-fA-F]*$/.test(body)
              : [bytes.toString("base64"), bytes.toString("base64url")]
                  .flatMap((one) => [one, one.replace(/=$/, "")])
                  .includes(body.replaceAll("-", "+").replaceAll("_", "/")) ||
                bytes.toString("base64url") ===
                  body.replace(/=$/, "").replaceAll("+", "-").replaceAll("/", "_");
          const outcome = outcomeOf(() => parseKey(text, "KEY"), [body, ...SECRETS]);
          const isKey = bytes.length === 32 && isCanonical;
          expect(outcome).toEqual(isKey ? { value: new Uint8Array(bytes) } : { code: "CONFIG" });
        },
      ),
      500,
    );
  });

  test("of a run that was changed is none, or the same", async () => {
    const run = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
      .filter((text) => Buffer.from(text).toString() === text);
    await fuzz(
      fc.property(run, changedText(ALPHABET), (name, change) => {
        const { key: hex, text } = runKeyText("fuzz", name);
        const good = { kid: kid("fuzz"), run: name, key: new Uint8Array(Buffer.from(hex, "hex")) };
        expect(outcomeOf(() => parseRunKey(text, "KEY"))).toEqual({ value: good });
        const changed = change(text);
        const outcome = outcomeOf(() => parseRunKey(changed, "KEY"), [hex, text.slice(-49), ...SECRETS]);
        expect(outcome).toEqual(changed.trim() === text ? { value: good } : { code: "CONFIG" });
      }),
      300,
    );
  });
});

const STATES = ["standby", "decrypt-only", "disabled", "compromised"];

describe("the environment", { timeout: TIMEOUT }, () => {
  const item = fc.record({
    name: fc.constantFrom(...NAMES),
    form: fc.nat({ max: 4 }),
    state: fc.constantFrom(
      "",
      "",
      ...STATES.map((state) => `:${state}`),
      ":primary",
      ":destroyed",
      ":",
      ":Standby",
    ),
    fault: fc.constantFrom("", "", "", "", "x"),
  });
  test("makes the ring that its variables say, or none, and tells no value", async () => {
    const separator = fc.constantFrom(",", " ", "\n", ", ", ",,", "\t");
    await fuzz(
      fc.property(
        fc.constantFrom(...NAMES),
        fc.array(item, { maxLength: 3 }),
        separator,
        (primary, items, between) => {
          const texts = items.map(({ name, form, state, fault }) => forms(name)[form]! + fault + state);
          const env = {
            STEPSEAL_KEY: key(primary),
            STEPSEAL_KEY_FALLBACK: `${between}${texts.join(between)}${between}`,
          };
          const names = [primary, ...items.map(({ name }) => name)];
          const isRing =
            new Set(names).size === names.length &&
            items.every(
              ({ state, fault }) => fault === "" && (state === "" || STATES.includes(state.slice(1))),
            );
          const outcome = outcomeOf(() => keyringFromEnv(env).keys, SECRETS);
          const ring = [{ kid: kid(primary), state: "primary" }].concat(
            items.map(({ name, state }) => ({ kid: kid(name), state: state.slice(1) || "decrypt-only" })),
          );
          expect(outcome).toEqual(isRing ? { value: ring } : { code: "CONFIG" });
        },
      ),
      300,
    );
  });

  test("of any texts makes no ring, and tells no value", async () => {
    const value = fc.option(
      fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...NAMES.flatMap(forms))),
      { nil: undefined },
    );
    const names = ["STEPSEAL_KEY", "STEPSEAL_KEY_FALLBACK", "STEPSEAL_KEYRING_FILE"];
    const env = fc.record(
      Object.fromEntries(names.map((name) => [name, value])) as Record<string, typeof value>,
      { requiredKeys: [] },
    );
    await fuzz(
      fc.property(env, (variables) => {
        const outcome = outcomeOf(() => keyringFromEnv(variables), SECRETS);
        const isKey = NAMES.flatMap(forms).includes(variables.STEPSEAL_KEY ?? "");
        expect("value" in outcome && !isKey).toBe(false);
      }),
      300,
    );
  });
});

describe("a keyring file", { timeout: TIMEOUT }, () => {
  const folder = mkdtempSync(join(tmpdir(), "stepseal-fuzz-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "ring.json");
  const load = (text: string) => {
    writeFileSync(path, text);
    return outcomeOf(() => keyringFromEnv({ STEPSEAL_KEYRING_FILE: path }).keys, SECRETS);
  };
  const ring = {
    keys: [
      { key: key("fuzz"), state: "primary" },
      { key: key("fuzz other"), state: "compromised" },
      { kid: "0123456789abcdef", state: "destroyed", destroyedAt: "2026-01-31" },
    ],
    dangerouslyOpenCompromised: [kid("fuzz other")],
  };

  test("is the JSON that it is, with no member twice", async () => {
    await fuzz(
      fc.property(tree, fc.constantFrom("", "\uFEFF"), ({ text, value, hasTwice }, mark) => {
        const outcome = outcomeOf(() => parseRingJson(mark + text, "FILE"));
        expect(outcome).toEqual(hasTwice ? { code: "CONFIG" } : { value });
      }),
      500,
    );
  });

  test("of any text is read as JSON.parse reads it, or refused", async () => {
    const text = fc
      .tuple(tree, changedText('{}[]":,\\u0e1 \n'))
      .map(([{ text: json }, change]) => change(json));
    await fuzz(
      fc.property(text, (json) => {
        const outcome = outcomeOf(() => parseRingJson(json, "FILE"));
        if ("value" in outcome) expect(JSON.parse(json.replace(/^\uFEFF/, ""))).toEqual(outcome.value);
      }),
      500,
    );
  });

  test("that was changed makes a ring of keys that were in it, or none", async () => {
    const names = [
      "keys",
      "key",
      "kid",
      "state",
      "destroyedAt",
      "dangerouslyOpenCompromised",
      "runKeys",
      "fallbackKeys",
    ];
    const kids = new Set([...NAMES.map(kid), "0123456789abcdef"]);
    await fuzz(
      fc.property(
        fc.oneof(
          changedJson(names).map((change) => JSON.stringify(change(ring))),
          changedText('{}[]":,ek01').map((change) => change(JSON.stringify(ring))),
        ),
        (text) => {
          const outcome = load(text);
          if ("code" in outcome) {
            expect(outcome.code).toBe("CONFIG");
            return;
          }
          const tombstones = new Set([...text.matchAll(/"([0-9a-f]{16})"/g)].map(([, one]) => one));
          expect(outcome.value.filter(({ state }) => state === "primary")).toHaveLength(1);
          for (const one of outcome.value) {
            expect(kids.has(one.kid) || (one.state === "destroyed" && tombstones.has(one.kid))).toBe(true);
            if (one.kid === kid("fuzz") && one.state !== "destroyed")
              expect(text).toContain(`"state":"${one.state}"`);
          }
        },
      ),
      300,
    );
  });
});

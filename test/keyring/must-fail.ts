import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { checkDigits } from "../../src/keyring/checksum.ts";
import { parseKey } from "../../src/keyring/key.ts";
import { createKeyring, openingKey } from "../../src/keyring/keyring.ts";
import { keyringFromEnv, loadKeyring } from "../../src/keyring/load.ts";
import { key, kid, root } from "./roots.ts";

/** Something that must fail, what its message must say, and what, beside the keys of the tests, it must not. */
export type MustFail = {
  name: string;
  run: () => unknown;
  code?: string;
  says: readonly string[];
  secrets?: readonly string[];
};

/** The roots the cases use: whoever checks for leaks looks for these. */
export const ROOTS = ["one", "two", "three"] as const;

const ONE = key("one");
const TWO = key("two");
const RUN_KEY = createKeyring({ key: ONE }).runKey("run");
const ONE_HEX = Buffer.from(root("one")).toString("hex");
const ONE_BASE64 = Buffer.from(root("one")).toString("base64");
const MAKE = "npx stepseal keygen";

/** Texts that are no key, whatever holds them. */
const badTexts: readonly (readonly [name: string, text: string, says: readonly string[], secret?: string])[] =
  [
    ["an empty text", "", ["is empty", MAKE]],
    ["white space", " \t\n", ["is empty", MAKE]],
    [
      "a passphrase",
      "Tr0ub4dor&3-quux",
      ["found 16 characters", "a passphrase is not a key", MAKE],
      "Tr0ub4dor&3-quux",
    ],
    [
      "a passphrase of 32 characters",
      "zebra-violin-cactus-monday-9917!",
      ["found 32 characters"],
      "zebra-violin-cactus-monday-9917!",
    ],
    ["hex without its prefix", ONE_HEX, ["found 64 characters", "ssk1_, hex: and base64:"]],
    ["base64 without its prefix", ONE_BASE64, ["found 44 characters"]],
    ["another version of the prefix", ONE.replace("ssk1_", "ssk2_"), ["found 54 characters", "ssk1_"]],
    ["a prefix in capitals", ONE.replace("ssk1_", "SSK1_"), ["found 54 characters"]],
    ["a key that was cut", ONE.slice(0, 50), ["found 50 characters", "expected 54", "Copy"]],
    ["the prefix alone", "ssk1_", ["found 5 characters", "expected 54"]],
    ["a key with one character more", `${ONE}7`, ["found 55 characters", "expected 54"]],
    ["a key in quotes", `"${ONE}"`, ["found 56 characters", "Remove the quotes"]],
    ["two keys", `${ONE},${TWO}`, ["found 109 characters", "one key here", "STEPSEAL_KEY_FALLBACK"]],
    ["a run key", RUN_KEY, ["is a run key", "createKeyring({ runKeys })"], RUN_KEY],
    ["a key with a state", `${ONE}:standby`, ["found 62 characters", "Remove what follows the colon"]],
    ["a character outside base62", `${ONE.slice(0, 16)}-${ONE.slice(17)}`, ["character 17 of 54"]],
    [
      "a wrong digit",
      `${ONE.slice(0, 20)}${ONE[20] === "a" ? "b" : "a"}${ONE.slice(21)}`,
      ["checksum", "mistyped"],
    ],
    ["a wrong checksum", `${ONE.slice(0, 48)}000000`, ["checksum"]],
    // 2^256 and 62^43 - 1, with right checksums.
    [
      "the first number over 32 bytes",
      "ssk1_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp21LJlqN",
      ["checksum"],
    ],
    ["the greatest number of 43 digits", `ssk1_${"z".repeat(43)}1rWs3z`, ["checksum"]],
    ["short hex", `hex:${ONE_HEX.slice(2)}`, ["found 62 characters after hex:", "expected 64"]],
    ["odd hex", `hex:${ONE_HEX.slice(1)}`, ["found 63 characters after hex:"]],
    ["long hex", `hex:${ONE_HEX}00`, ["found 66 characters after hex:"]],
    [
      "hex with a letter that is none",
      `hex:${ONE_HEX.slice(0, -1)}g`,
      ["found 64 characters after hex:", "64 hex digits"],
    ],
    ["hex with a number prefix", `hex:0x${ONE_HEX.slice(2)}`, ["found 64 characters after hex:"]],
    ["hex with a space after the prefix", `hex: ${ONE_HEX}`, ["found 65 characters after hex:"]],
    ["hex in capitals as prefix", `HEX:${ONE_HEX}`, ["begin with none of"]],
    ["short base64", `base64:${ONE_BASE64.slice(4)}`, ["found 40 characters after base64:"]],
    [
      "31 bytes in base64",
      `base64:${Buffer.from(root("one").subarray(1)).toString("base64")}`,
      ["44 characters, or 43"],
    ],
    [
      "33 bytes in base64",
      `base64:${Buffer.concat([root("one"), root("two").subarray(0, 1)]).toString("base64")}`,
      ["found 44 characters after base64:"],
    ],
    [
      "base64 with stray last bits",
      `base64:${ONE_BASE64.slice(0, 42)}${ONE_BASE64[42] === "8" ? "9" : String.fromCharCode(ONE_BASE64.charCodeAt(42) + 1)}=`,
      ["canonical base64"],
    ],
    [
      "base64 with a line break inside",
      `base64:${ONE_BASE64.slice(0, 20)}\n${ONE_BASE64.slice(20)}`,
      ["found 45 characters"],
    ],
    ["base64 with two pads", `base64:${ONE_BASE64.slice(0, -1)}==`, ["found 45 characters"]],
    ["an empty hex", "hex:", ["found 0 characters after hex:"]],
    ["an empty base64", "base64:", ["found 0 characters after base64:"]],
    ["weak bytes: zeros", `hex:${"00".repeat(32)}`, ["constant, counted or repeated", MAKE]],
    [
      "weak bytes: counting",
      `hex:${Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString("hex")}`,
      ["constant, counted or repeated", MAKE],
    ],
    [
      "weak bytes: few of them",
      `hex:${ONE_HEX.slice(0, 26).padEnd(64, ONE_HEX.slice(4, 22))}`,
      ["distinct bytes of 32", MAKE],
    ],
    [
      "weak bytes: text",
      `base64:${Buffer.from("zebra-violin-cactus-monday-9917!").toString("base64")}`,
      ["printable text", MAKE],
      "zebra-violin-cactus-monday-9917!",
    ],
  ];

const primary = { key: ONE, state: "primary" };

/** Options that make no ring. */
const badOptions: readonly (readonly [name: string, options: unknown, says: readonly string[]])[] = [
  ["undefined", undefined, ["keyring options: found undefined", "expected an object"]],
  ["null", null, ["found null"]],
  ["a key instead of options", ONE, ["found a string of 54 characters", "expected an object with key"]],
  ["an array instead of options", [primary], ["found an array of 1"]],
  ["no key", {}, ["there is no key", "{ key }"]],
  ["fallbackKeys alone", { fallbackKeys: [ONE] }, ["there is no key"]],
  ["a key that is undefined", { key: undefined }, ["key: found undefined", "expected a key as a string"]],
  ["a key that is a number", { key: 5 }, ["key: found a number"]],
  ["a key that is bytes", { key: root("one") }, ["key: found an object"]],
  [
    "an unknown option",
    { key: ONE, fallback: [TWO] },
    ["unknown option fallback", "key, fallbackKeys, keys"],
  ],
  ["a key as the name of an option", { [ONE]: "primary" }, ["unknown option with a name of 54 characters"]],
  ["hex as the name of an option", { [ONE_HEX]: "primary" }, ["unknown option with a name of 64 characters"]],
  ["a prototype as an option", JSON.parse('{"__proto__":{}}'), ["unknown option __proto__"]],
  ["key and keys", { key: ONE, keys: [primary] }, ["keys: given together with key or fallbackKeys"]],
  [
    "fallbackKeys that are a string",
    { key: ONE, fallbackKeys: TWO },
    ["fallbackKeys: found a string of 54 characters", "an array of keys"],
  ],
  ["a fallback that is null", { key: ONE, fallbackKeys: [TWO, null] }, ["fallbackKeys[1]: found null"]],
  [
    "a hole among the fallbacks",
    { key: ONE, fallbackKeys: new Array(1) },
    ["fallbackKeys[0]: found undefined"],
  ],
  [
    "a fallback cut short",
    { key: ONE, fallbackKeys: [TWO.slice(1, 9), TWO] },
    ["fallbackKeys[0]: found 8 characters"],
  ],
  [
    "the primary as a fallback",
    { key: ONE, fallbackKeys: [TWO, ONE] },
    ["fallbackKeys[1]: the same key as key", kid("one"), "Remove one"],
  ],
  [
    "one fallback twice",
    { key: ONE, fallbackKeys: [TWO, TWO] },
    ["fallbackKeys[1]: the same key as fallbackKeys[0]", kid("two")],
  ],
  [
    "keys that are an object",
    { keys: { 0: primary } },
    ["keys: found an object", "an array of { key, state }"],
  ],
  ["no keys", { keys: [] }, ["no key of 0 has the state primary"]],
  ["an entry that is a key", { keys: [ONE] }, ["keys[0]: found a string of 54 characters"]],
  ["an entry that is a hole", { keys: new Array(2) }, ["keys[0]: found undefined"]],
  [
    "an entry without state",
    { keys: [primary, { key: TWO }] },
    ["keys[1].state: found undefined", "expected one of primary, standby"],
  ],
  ["an entry without key", { keys: [{ state: "primary" }] }, ["keys[0].key: found undefined"]],
  [
    "an unknown state",
    { keys: [{ key: ONE, state: "active" }] },
    ["keys[0].state: found a string of 6 characters", "decrypt-only"],
  ],
  [
    "a state in capitals",
    { keys: [{ key: ONE, state: "Primary" }] },
    ["keys[0].state: found a string of 7 characters"],
  ],
  ["a state from the prototype", { keys: [{ key: ONE, state: "constructor" }] }, ["keys[0].state"]],
  [
    "key and state exchanged",
    { keys: [{ key: "primary", state: ONE }] },
    ["keys[0].state: found a string of 54 characters"],
  ],
  ["an unknown member of an entry", { keys: [{ ...primary, note: "x" }] }, ["keys[0]: unknown option note"]],
  [
    "no primary",
    {
      keys: [
        { key: ONE, state: "standby" },
        { key: TWO, state: "disabled" },
      ],
    },
    ["no key of 2 has the state primary", "Exactly one"],
  ],
  [
    "two primaries",
    { keys: [primary, { key: TWO, state: "primary" }] },
    ["2 keys have the state primary", "keys[0].key and keys[1].key", "standby or decrypt-only"],
  ],
  [
    "a kid beside a key",
    { keys: [{ ...primary, kid: kid("one") }] },
    ["keys[0].kid: belongs to the state destroyed alone"],
  ],
  ["a date beside a key", { keys: [{ ...primary, destroyedAt: "2026-01-31" }] }, ["keys[0].destroyedAt"]],
  [
    "a destroyed key with its material",
    { keys: [primary, { key: TWO, state: "destroyed" }] },
    ["keys[1].key: a destroyed key is named and not held"],
  ],
  [
    "a destroyed key without kid",
    { keys: [primary, { state: "destroyed" }] },
    ["keys[1]: found undefined", "16 lower-case hex digits"],
  ],
  [
    "material in the place of a kid",
    { keys: [primary, { kid: TWO, state: "destroyed" }] },
    ["keys[1]: found a string of 54 characters"],
  ],
  [
    "a kid in capitals",
    { keys: [primary, { kid: "ABCDEF0123456789", state: "destroyed" }] },
    ["16 lower-case hex digits"],
  ],
  [
    "a tombstone beside its key",
    { keys: [primary, { kid: kid("one"), state: "destroyed" }] },
    ["keys[1]: the same key as keys[0].key", kid("one")],
  ],
  [
    "an override of a key that is not compromised",
    { keys: [primary], dangerouslyOpenCompromised: [kid("one")] },
    ["dangerouslyOpenCompromised[0]: key", kid("one"), "has the state primary", "remove it"],
  ],
  [
    "an override of a key that is not there",
    { keys: [primary], dangerouslyOpenCompromised: [kid("two")] },
    [kid("two"), "is not in this ring", "remove it"],
  ],
  [
    "an override of everything",
    { keys: [primary, { key: TWO, state: "compromised" }], dangerouslyOpenCompromised: true },
    ["dangerouslyOpenCompromised: found a boolean", "an array of kids"],
  ],
  [
    "an override that names a key and no kid",
    { keys: [primary, { key: TWO, state: "compromised" }], dangerouslyOpenCompromised: [TWO] },
    ["dangerouslyOpenCompromised[0]: found a string of 54 characters", "16 lower-case hex digits"],
  ],
  [
    "an override without states",
    { key: ONE, dangerouslyOpenCompromised: [] },
    ["dangerouslyOpenCompromised: needs keys"],
  ],
  [
    "run keys that are a string",
    { runKeys: RUN_KEY },
    ["runKeys: found a string of", "an array of run keys"],
  ],
  ["no run keys", { runKeys: [] }, ["runKeys: is empty", "ring.runKey(run)"]],
  ["run keys beside a key", { key: ONE, runKeys: [RUN_KEY] }, ["runKeys: given together with key"]],
  ["a run key that is a number", { runKeys: [5] }, ["runKeys[0]: found number, expected a run key"]],
  ["a run key that is null", { runKeys: [RUN_KEY, null] }, ["runKeys[1]: found null"]],
  ["a root key as a run key", { runKeys: [ONE] }, ["runKeys[0]: found a root key", "ssrk1_"]],
  ["another text as a run key", { runKeys: ["Tr0ub4dor"] }, ["9 characters that do not begin with ssrk1_"]],
  ["a run key that was cut", { runKeys: [RUN_KEY.slice(0, -1)] }, ["a checksum", "cut or mistyped"]],
  ["the prefix of a run key", { runKeys: ["ssrk1_"] }, ["a checksum"]],
  ["a run key of another run", { runKeys: [RUN_KEY.replace("_cnVu_", "_cnVv_")] }, ["a checksum"]],
  ["a run key of another kid", { runKeys: [RUN_KEY.replace(kid("one"), kid("two"))] }, ["a checksum"]],
  ...[
    ["without kid", `ssrk1__cnVu_${"1".repeat(43)}`],
    ["with a kid in capitals", `ssrk1_${kid("one").toUpperCase()}_cnVu_${"1".repeat(43)}`],
    ["without run", `ssrk1_${kid("one")}__${"1".repeat(43)}`],
    ["with a run that is no base64url", `ssrk1_${kid("one")}_cnV!_${"1".repeat(43)}`],
    ["with a run that is not canonical", `ssrk1_${kid("one")}_cnV_${"1".repeat(43)}`],
    ["with a run that is no UTF-8", `ssrk1_${kid("one")}__w_${"1".repeat(43)}`],
    ["with a run of 4097 bytes", `ssrk1_${kid("one")}_${"YWFh".repeat(1365)}YWE_${"1".repeat(43)}`],
    ["without separators", `ssrk1_${kid("one")}-cnVu-${"1".repeat(43)}`],
    ["with a key over 32 bytes", `ssrk1_${kid("one")}_cnVu_${"z".repeat(43)}`],
    ["with nothing but a checksum", "ssrk1_"],
  ].map(
    ([what, text = ""]) =>
      [
        `a run key ${what}, and a right checksum`,
        { runKeys: [text + checkDigits(text)] },
        ["runKeys[0]: found", "good checksum", "ssrk1_<kid>_<run>_<key>"],
      ] as const,
  ),
  [
    "one run key twice",
    { runKeys: [RUN_KEY, RUN_KEY] },
    ["runKeys[1]: the same key as runKeys[0]", kid("one")],
  ],
  ...[
    "yesterday",
    "2026-02-30",
    "2026-1-31",
    "31.01.2026",
    "2026-01-31T12:00:00+02:00",
    "",
    20260131,
    null,
  ].map(
    (destroyedAt) =>
      [
        `the date ${JSON.stringify(destroyedAt)}`,
        { keys: [primary, { kid: kid("two"), state: "destroyed", destroyedAt }] },
        ["keys[1]: destroyedAt: found", "2026-01-31"],
      ] as const,
  ),
];

/** Environments that hold no ring. */
const badEnvironments: readonly (readonly [name: string, env: unknown, says: readonly string[]])[] = [
  ["nothing set", {}, ["STEPSEAL_KEY is not set", MAKE]],
  ["null", null, ["env: found null"]],
  [
    "fallback keys alone",
    { STEPSEAL_KEY_FALLBACK: TWO },
    ["STEPSEAL_KEY is not set, though STEPSEAL_KEY_FALLBACK is"],
  ],
  ["an empty key", { STEPSEAL_KEY: "" }, ["STEPSEAL_KEY: is empty", MAKE]],
  ["a blank key", { STEPSEAL_KEY: "  \n" }, ["STEPSEAL_KEY: is empty"]],
  ["a key that is no string", { STEPSEAL_KEY: { get: 1 } }, ["STEPSEAL_KEY: found an object"]],
  [
    "key and file",
    { STEPSEAL_KEY: ONE, STEPSEAL_KEYRING_FILE: "ring.json" },
    ["STEPSEAL_KEY and STEPSEAL_KEYRING_FILE are both set", "Unset one"],
  ],
  [
    "an empty key, and a file",
    { STEPSEAL_KEY: "", STEPSEAL_KEYRING_FILE: "ring.json" },
    ["both set (STEPSEAL_KEY is empty)"],
  ],
  [
    "fallback keys and file",
    { STEPSEAL_KEY_FALLBACK: TWO, STEPSEAL_KEYRING_FILE: "ring.json" },
    ["STEPSEAL_KEY_FALLBACK and STEPSEAL_KEYRING_FILE are both set"],
  ],
  ["an empty file name", { STEPSEAL_KEYRING_FILE: "" }, ["STEPSEAL_KEYRING_FILE: is empty"]],
  [
    "a second fallback cut short",
    { STEPSEAL_KEY: ONE, STEPSEAL_KEY_FALLBACK: `${TWO},${key("three").slice(0, 40)}` },
    ["STEPSEAL_KEY_FALLBACK, key 2 of 2: found 40 characters"],
  ],
  [
    "an unknown state",
    { STEPSEAL_KEY: ONE, STEPSEAL_KEY_FALLBACK: `${TWO}:retired` },
    ["STEPSEAL_KEY_FALLBACK, key 1 of 1, state: found a string of 7 characters", "standby"],
  ],
  [
    "an empty state",
    { STEPSEAL_KEY: ONE, STEPSEAL_KEY_FALLBACK: `${TWO}:` },
    ["state: found an empty string"],
  ],
  [
    "two states",
    { STEPSEAL_KEY: ONE, STEPSEAL_KEY_FALLBACK: `${TWO}:standby:disabled` },
    ["state: found a string of 16 characters"],
  ],
  [
    "two keys joined by a colon",
    { STEPSEAL_KEY: ONE, STEPSEAL_KEY_FALLBACK: `${TWO}:${key("three")}` },
    ["state: found a string of 54 characters"],
  ],
  [
    "a fallback as primary",
    { STEPSEAL_KEY: ONE, STEPSEAL_KEY_FALLBACK: `${TWO}:primary` },
    ["key 1 of 1, state: found primary, which STEPSEAL_KEY is"],
  ],
  [
    "a destroyed key with its material",
    { STEPSEAL_KEY: ONE, STEPSEAL_KEY_FALLBACK: `${TWO}:destroyed` },
    ["key 1 of 1: found a string of 54 characters", "16 lower-case hex digits"],
  ],
  [
    "hex cut by a colon",
    { STEPSEAL_KEY: ONE, STEPSEAL_KEY_FALLBACK: "hex:standby" },
    ["found 7 characters after hex:"],
  ],
  [
    "the primary among the fallbacks",
    { STEPSEAL_KEY: ONE, STEPSEAL_KEY_FALLBACK: `${TWO} hex:${ONE_HEX}` },
    ["STEPSEAL_KEY_FALLBACK, key 2 of 2: the same key as STEPSEAL_KEY", kid("one")],
  ],
  [
    "a key for a path",
    { STEPSEAL_KEYRING_FILE: ONE },
    ["STEPSEAL_KEYRING_FILE: holds a key, not a path", "STEPSEAL_KEY"],
  ],
  ["bare hex for a path", { STEPSEAL_KEYRING_FILE: ONE_HEX }, ["holds a key, not a path"]],
  ["bare base64 for a path", { STEPSEAL_KEYRING_FILE: ONE_BASE64 }, ["holds a key, not a path"]],
  [
    "a ring for a path",
    { STEPSEAL_KEYRING_FILE: JSON.stringify({ keys: [primary] }) },
    ["holds JSON, not a path"],
  ],
];

const folder = mkdtempSync(join(tmpdir(), "stepseal-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a file for a test and returns its path. */
export function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const json = JSON.stringify({ keys: [primary] }, undefined, 2);

/** Files that hold no ring. */
const badFiles: readonly (readonly [name: string, content: string | Uint8Array, says: readonly string[]])[] =
  [
    ["empty", "", ["is not JSON (found 0 characters"]],
    ["a key", ONE, ["is not JSON (found 54 characters"]],
    ["cut short", json.slice(0, -3), ["is not JSON"]],
    [
      "with a trailing comma",
      json.replace('"primary"', '"primary",'),
      ["is not JSON", "wrong from line 6 on", "a trailing comma"],
    ],
    ["with a key that is not quoted", `{ "keys": [ { "key": ${ONE} } ] }`, ["is not JSON"]],
    [
      "with a state twice, of which JSON.parse takes the last",
      json.replace('"primary"', '"disabled",\n"state": "primary"'),
      ["names a member that its object has already", "Remove one"],
    ],
    ["in UTF-16", Buffer.from(json, "utf16le"), ["is not JSON"]],
    ["null", "null", ["keyring options: found null"]],
    ["an array", `[${JSON.stringify(primary)}]`, ["keyring options: found an array of 1"]],
    ["a string", JSON.stringify(ONE), ["keyring options: found a string of 54 characters"]],
    ["an empty object", "{}", ["there is no key", "Give { keys"]],
    ["the short form", JSON.stringify({ key: ONE }), ["unknown option key. The options are keys, "]],
    ["with an unknown member", JSON.stringify({ keys: [primary], version: 1 }), ["unknown option version"]],
    [
      "with a wrong third key",
      JSON.stringify({ keys: [primary, { key: TWO, state: "standby" }, { key: "x", state: "disabled" }] }),
      ["keys[2].key: found 1 character "],
    ],
    [
      "with two primaries",
      JSON.stringify({ keys: [primary, { key: TWO, state: "primary" }] }),
      ["2 keys have the state primary"],
    ],
  ];

class AccessDeniedException extends Error {
  override readonly name = "AccessDeniedException";
  readonly code = "E_KMS_DENIED";
}

/** Calls of `loadKeyring` that load nothing. */
const badLoads: readonly (readonly [name: string, source: unknown, says: readonly string[]])[] = [
  ["null", null, ["loadKeyring options: found null"]],
  ["a key", ONE, ["loadKeyring options: found a string of 54 characters"]],
  ["an unknown option", { path: "ring.json" }, ["unknown option path", "env, file, provider, timeoutMs"]],
  ["ring options", { key: ONE }, ["loadKeyring options: unknown option key"]],
  ["two sources", { env: {}, file: "ring.json" }, ["found env and file", "Give one"]],
  ["a time limit without provider", { file: "ring.json", timeoutMs: 5 }, ["timeoutMs belongs to provider"]],
  ["a file that is undefined", { file: undefined }, ["file: found undefined"]],
  ["a provider that is undefined", { provider: undefined }, ["provider: found undefined"]],
  ["a file that is a number", { file: 3 }, ["file: found a number", "the path of a file"]],
  ["a file that is blank", { file: " " }, ["file: is empty"]],
  [
    "a file that is not there",
    { file: join(folder, "absent.json") },
    ["absent.json", "cannot be read (Error, ENOENT)"],
  ],
  ["a folder", { file: folder }, [folder, "EISDIR"]],
  ["a key for a path", { file: TWO }, ["file: holds a key, not a path"]],
  ["a cut key for a path", { file: ONE_HEX.slice(0, 40) }, ["file: holds a key, not a path"]],
  [
    "a provider that is a ring's options",
    { provider: { key: ONE } },
    ["provider: found an object", "expected a function"],
  ],
  ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "100", null].map(
    (timeoutMs) =>
      [
        `the time limit ${timeoutMs}`,
        { provider: () => ({ key: ONE }), timeoutMs },
        ["timeoutMs: expected a whole number"],
      ] as const,
  ),
  [
    "a provider that never answers",
    { provider: () => new Promise(() => {}), timeoutMs: 5 },
    ["provider: no answer after 5 ms"],
  ],
  [
    "a provider that answers with a key",
    { provider: async () => ONE },
    ["provider: keyring options: found a string of 54 characters"],
  ],
  [
    "a provider that answers with nothing",
    { provider: () => undefined },
    ["provider: keyring options: found undefined"],
  ],
  [
    "a provider whose second key is wrong",
    { provider: () => ({ keys: [primary, { key: TWO.slice(2), state: "standby" }] }) },
    ["provider: keys[1].key: found 52 characters"],
  ],
  [
    "a provider that makes a wrong ring",
    { provider: () => createKeyring({ key: TWO.slice(0, 30) }) },
    ["key: found 30 characters"],
  ],
  [
    "a provider that is denied",
    { provider: async () => Promise.reject(new AccessDeniedException(`no access with ${ONE}`)) },
    ["provider: failed (AccessDeniedException, E_KMS_DENIED)", "log the error inside the provider"],
  ],
  [
    "a provider that throws at once",
    {
      provider: () => {
        throw new TypeError(ONE);
      },
    },
    ["provider: failed (TypeError)"],
  ],
  [
    "a provider that parses its secret as JSON",
    { provider: () => JSON.parse(ONE) },
    ["provider: failed (SyntaxError)"],
  ],
  [
    "a provider that rejects with a key",
    { provider: () => Promise.reject(ONE) },
    ["provider: failed. Catch"],
  ],
  [
    "a provider whose error is named like a key",
    {
      provider: () => Promise.reject(Object.assign(new Error(ONE), { name: ONE, code: ONE_HEX, cause: TWO })),
    },
    ["provider: failed. Catch"],
  ],
];

/** Keys that a good ring does not open with. */
const refusals: readonly MustFail[] = [
  ["disabled", "KEY_DISABLED"],
  ["compromised", "KEY_COMPROMISED"],
  ["unknown", "UNKNOWN_KEY"],
].map(([state, code]) => ({
  name: `opening with a key that is ${state}`,
  code: code!,
  says: [kid("two")],
  run: () => {
    const other = state === "unknown" ? [] : [{ key: TWO, state }];
    return openingKey(createKeyring({ keys: [primary, ...other] } as never), kid("two"), "run");
  },
}));

/** Every case of this folder: each throws, or rejects with, one StepsealError. */
export const mustFail: readonly MustFail[] = [
  ...badTexts.flatMap(([name, text, says, secret = text]): MustFail[] => [
    {
      name: `parseKey: ${name}`,
      run: () => parseKey(text, "MY_KEY"),
      says: ["MY_KEY: ", ...says],
      secrets: [secret, text],
    },
    {
      name: `createKeyring: ${name}`,
      run: () => createKeyring({ key: text }),
      says: ["key: ", ...says],
      secrets: [secret, text],
    },
    {
      name: `keyringFromEnv: ${name}`,
      run: () => keyringFromEnv({ STEPSEAL_KEY: text }),
      says: ["STEPSEAL_KEY: ", ...says],
      secrets: [secret, text],
    },
  ]),
  {
    name: "parseKey: a number",
    run: () => parseKey(5 as never, "MY_KEY"),
    says: ["MY_KEY: found number", MAKE],
  },
  { name: "parseKey: null", run: () => parseKey(null as never, "MY_KEY"), says: ["MY_KEY: found null"] },
  ...badOptions.map(([name, options, says]) => ({
    name: `createKeyring: ${name}`,
    run: () => createKeyring(options as never),
    says,
  })),
  ...badEnvironments.flatMap(([name, env, says]): MustFail[] => [
    { name: `keyringFromEnv: ${name}`, run: () => keyringFromEnv(env as never), says },
    { name: `loadKeyring, environment: ${name}`, run: () => loadKeyring({ env } as never), says },
  ]),
  ...badFiles.flatMap(([name, content, says], i): MustFail[] => {
    const path = file(`bad-${i}.json`, content);
    return [
      {
        name: `loadKeyring: a file ${name}`,
        run: () => loadKeyring({ file: path }),
        says: [`file (${path}): `, ...says],
      },
      {
        name: `keyringFromEnv: a file ${name}`,
        run: () => keyringFromEnv({ STEPSEAL_KEYRING_FILE: path }),
        says: [`STEPSEAL_KEYRING_FILE (${path}): `, ...says],
      },
    ];
  }),
  ...badLoads.map(([name, source, says]) => ({
    name: `loadKeyring: ${name}`,
    run: () => loadKeyring(source as never),
    says,
  })),
  ...refusals,
];

import { type Check, holds, passed, refuses, same } from "./check.ts";
import type { Implementation } from "./conformance.ts";
import {
  derive,
  fromHex,
  hmacSha256,
  lengthPrefixed,
  toBase64,
  toBase64url,
  toHex,
  utf8,
} from "./reference.ts";
import { KEYS, RUN_KEYS, ringsOf } from "./vectors.ts";

/** Texts that are no key, or none to trust. */
const NO_KEYS: readonly (readonly [name: string, key: string])[] = [
  ["no text", ""],
  ["a passphrase", "correct horse battery staple"],
  ["a wrong check digit", `${KEYS.A.text.slice(0, -1)}1`],
  ["two digits that changed places", KEYS.A.text.replace("mk", "km")],
  ["a character that is no digit", KEYS.A.text.replace("_m", "_-")],
  ["a text that is too short", KEYS.A.text.slice(0, -1)],
  ["hex that is too short", `hex:${KEYS.A.root.slice(2)}`],
  ["zeros", `hex:${"00".repeat(32)}`],
  ["a count", `hex:${toHex(Uint8Array.from({ length: 32 }, (_, i) => i))}`],
  ["printable text", `hex:${toHex(utf8("0123456789abcdefghijklmnopqrstuv"))}`],
  ["base64 with stray bits", `base64:${toBase64(fromHex(KEYS.A.root)).replace(/.=$/, "/=")}`],
];

/** Keys, rings, run keys and what is derived from them. */
export function keyChecks({ core }: Implementation, check: Check): void {
  const { createKeyring } = core;
  for (const [name, { root, text, kid }] of Object.entries(KEYS)) {
    check(`reads key ${name} in each of its forms`, () => {
      const base64 = toBase64(fromHex(root));
      for (const key of [text, `hex:${root}`, `hex:${root.toUpperCase()}`, `base64:${base64}`]) {
        same(createKeyring({ key }).primary, kid);
      }
      return passed;
    });
    check(`names key ${name} as Web Crypto derives it`, async () =>
      same(kid, toHex(await derive(fromHex(root), "stepseal/v1/kid", 8))),
    );
  }
  for (const { key, run, text } of RUN_KEYS) {
    check(`derives the run key of ${run.slice(0, 30)} under ${key}`, () =>
      same(ringsOf(core)["B with A"]!.runKey(run, KEYS[key].kid), text),
    );
  }
  for (const [name, key] of NO_KEYS) {
    check(`refuses as a key: ${name}`, () => refuses("CONFIG", () => createKeyring({ key })));
  }
  check("makes keys, each another", () => {
    const made = Array.from({ length: 100 }, () => core.generateKey());
    for (const key of made) {
      holds(/^ssk1_[0-9A-Za-z]{49}$/.test(key), "it is the text of a key");
      holds(/^[0-9a-f]{16}$/.test(createKeyring({ key }).primary), "it has a kid");
    }
    return same(new Set(made).size, 100);
  });
  check("shows kids and states of a ring, and no key", () => {
    const ring = createKeyring({ key: KEYS.B.text, fallbackKeys: [KEYS.A.text] });
    const shown = JSON.stringify(ring) + String(ring) + JSON.stringify({ ...ring });
    for (const { root, text } of Object.values(KEYS)) {
      holds(!shown.includes(text.slice(5)) && !shown.includes(root), "no key is shown");
    }
    return same(JSON.parse(JSON.stringify(ring)), {
      primary: KEYS.B.kid,
      keys: [
        { kid: KEYS.B.kid, state: "primary" },
        { kid: KEYS.A.kid, state: "decrypt-only" },
      ],
    });
  });
  check("loads a ring from an environment", async () => {
    const env = { STEPSEAL_KEY: KEYS.B.text, STEPSEAL_KEY_FALLBACK: `${KEYS.A.text}:disabled` };
    const ring = await core.loadKeyring({ env });
    same(
      ring.keys.map(({ state }) => state),
      ["primary", "disabled"],
    );
    return refuses("CONFIG", () => core.loadKeyring({ env: {} }));
  });
  check("loads a ring from a provider", async () => {
    const source = core.createKeyringSource({ provider: async () => ({ key: KEYS.A.text }) });
    return same((await source.get()).primary, KEYS.A.kid);
  });
}

const INDEXED: readonly (string | number | boolean)[] = [
  "ada@example.com",
  "",
  "größe 🧾",
  42,
  "42",
  -0.5,
  true,
];

/** Tokens by which a platform can match. */
export function blindIndexChecks({ core }: Implementation, check: Check): void {
  for (const scope of [undefined, "tenant-1"]) {
    check(
      `makes the tokens that Web Crypto makes, ${scope === undefined ? "without" : "with"} a scope`,
      async () => {
        const keyring = core.createKeyring({ key: KEYS.A.text });
        const token = core.createBlindIndex(scope === undefined ? { keyring } : { keyring, scope });
        const key = await derive(fromHex(KEYS.A.root), "stepseal/v1/blind-index", 32);
        for (const value of INDEXED) {
          const parts = [
            lengthPrefixed(scope ?? ""),
            lengthPrefixed("customer"),
            utf8(JSON.stringify(value)),
          ];
          const mac = await hmacSha256(key, ...parts);
          same(token(value, "customer"), toBase64url(mac.subarray(0, 16)));
        }
        return passed;
      },
    );
  }
  check("makes no token of half of a surrogate pair", () => {
    const token = core.createBlindIndex({ keyring: core.createKeyring({ key: KEYS.A.text }) });
    return refuses("FORMAT", () => token("\ud83d", "customer"));
  });
}

import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { compat, PLACE } from "./support.ts";

// What stepseal writes in the official format opens with PyNaCl, as the official Python opens it. Where there is no
// Python with PyNaCl (`PYTHON=/path/to/venv/bin/python npm test`), this is skipped; test/vectors/legacy/python.json has
// the other direction.

const PYTHON = process.env.PYTHON ?? "python3";

/** The key is BLAKE2b-256 of the passphrase as it stands; the data, base64 of a secretbox with its nonce in front. */
const READER = `
import base64, json, sys
from hashlib import blake2b
from nacl.secret import SecretBox

def opened(passphrase, sealed):
    key = blake2b(passphrase.encode("utf-8"), digest_size=32).digest()
    try:
        return {"value": json.loads(SecretBox(key).decrypt(base64.b64decode(sealed["data"], validate=True)))}
    except Exception as error:
        return {"error": type(error).__name__}

json.dump([opened(*each) for each in json.load(sys.stdin)], sys.stdout)
`;

const run = (code: string, input = "") => spawnSync(PYTHON, ["-c", code], { input, encoding: "utf8" });
const hasPyNaCl = run("import nacl.secret").status === 0;

describe.skipIf(!hasPyNaCl)("what is written in the official format opens in Python", () => {
  const VALUES: readonly unknown[] = [
    { card: "4111", list: [1, 2.5, null, true], ünïcode: "🔒" },
    "text",
    0,
    false,
    null,
    "",
    [],
  ];
  const open = (under: string, sealed: readonly unknown[]): unknown => {
    const input = JSON.stringify(sealed.map((value) => [under, value]));
    return JSON.parse(run(READER, input).stdout);
  };
  const seal = (passphrase: string): unknown[] =>
    VALUES.map((value) => compat({ passphrases: [passphrase] }).seal(value, PLACE));

  it.each(["correct horse battery staple", "ünïcode 🔑", "x".repeat(200)])("under %j", (passphrase) => {
    expect(open(passphrase, seal(passphrase))).toEqual(VALUES.map((value) => ({ value })));
  });

  it("under a passphrase with white space around it only where Python is given it without", () => {
    const padded = "  padded\t";
    expect(open(padded, seal(padded))).toEqual(VALUES.map(() => ({ error: "CryptoError" })));
    expect(open(padded.trim(), seal(padded))).toEqual(VALUES.map((value) => ({ value })));
  });
});

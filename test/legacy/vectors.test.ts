import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { passphraseKeys } from "../../src/legacy/passphrases.ts";
import type { OpenExpected } from "../../src/sealer.ts";
import { codeOf } from "../code-of.ts";
import { compat, libsodiumValue, v0Value } from "./support.ts";

/** Of the frozen files. A change here is a change of the format, or of what the official packages read. */
const FROZEN = {
  "official.json": "4d878ffe7972439a30f13723c8a9d11acc9aec2d1388468cfc17d5b1ab0d3d04",
  "python.json": "d89b1b38f79ad64235562f6bbd2ec960d48a201ce845ca128c10a893b7ef8679",
};

interface Vector {
  readonly passphrase: string;
  readonly value: unknown;
  readonly data: string;
}
interface BoundVector extends Vector {
  /** BLAKE2b-256 of the passphrase, in hex. */
  readonly key: string;
  readonly binding: { readonly k: string; readonly c: string; readonly t: string };
}

const read = (file: string): string =>
  readFileSync(new URL(`../vectors/legacy/${file}`, import.meta.url), "utf8");
const { claims, libsodium, cryptoJs } = JSON.parse(read("official.json")) as {
  claims: OpenExpected;
  libsodium: BoundVector[];
  cryptoJs: Vector[];
};
const python = JSON.parse(read("python.json")) as Vector[];
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const label = <T extends Vector>(vectors: readonly T[]): [name: string, vector: T][] =>
  vectors.map((vector) => [
    `${JSON.stringify(vector.value).slice(0, 30)} under ${JSON.stringify(vector.passphrase.slice(0, 30))}`,
    vector,
  ]);

it.each(Object.entries(FROZEN))("%s is what it was when it was published", (file, digest) => {
  expect(createHash("sha256").update(read(file)).digest("hex")).toBe(digest);
});

describe("what the official JavaScript wrote opens", () => {
  it.each(label(libsodium))("%s", (_name, { passphrase, key, value, data }) => {
    expect(hex(passphraseKeys([passphrase])[0]!.key)).toBe(key);
    expect(compat({ passphrases: ["another", passphrase] }).open(libsodiumValue(data), claims)).toEqual(
      value,
    );
  });
});

describe("what its versions before 1.0 wrote opens, where it is asked for", () => {
  it.each(label(cryptoJs))("%s", (_name, { passphrase, value, data }) => {
    const passphrases = ["another", passphrase];
    expect(compat({ passphrases, v0: true }).open(v0Value(data), claims)).toEqual(value);
    const named = { ...v0Value(data), __STRATEGY__: "inngest/aes" };
    expect(compat({ passphrases, v0: true }).open(named, claims)).toEqual(value);
    expect(codeOf(() => compat({ passphrases }).open(v0Value(data), claims))).toBe("LEGACY_NO_KEY");
  });
});

describe("what the official Python wrote opens: it does not trim the passphrase", () => {
  it.each(label(python))("%s", (_name, { passphrase, value, data }) => {
    expect(compat({ passphrases: [passphrase] }).open(libsodiumValue(data), claims)).toEqual(value);
  });

  it("which only the passphrase as it stands does", () => {
    const [vector] = python.filter(({ passphrase }) => passphrase !== passphrase.trim());
    const open = (passphrase: string) => () =>
      compat({ passphrases: [passphrase] }).open(libsodiumValue(vector!.data), claims);
    expect(open(vector!.passphrase)()).toEqual(vector!.value);
    expect(codeOf(open(vector!.passphrase.trim()))).toBe("UNKNOWN_KEY");
  });
});

describe("what is bound to a place", () => {
  it.each(label(libsodium))("opens there: %s", (_name, { passphrase, value, data, binding }) => {
    const sealed = { ...libsodiumValue(data), ...binding };
    const sealer = compat({ passphrases: [passphrase], read: "bound" });
    expect(sealer.open(sealed, claims)).toEqual(value);
    expect(sealer.claimsOf(sealed)).toEqual(claims);
    expect(codeOf(() => sealer.open(sealed, { ...claims, step: "another" }))).toBe("CONTEXT");
  });
});

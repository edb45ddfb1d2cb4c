import { blake2b } from "@noble/hashes/blake2.js";
import { encodeUtf8 } from "../internal/utf8.ts";
import { deriveCompatMacKey, deriveKid, derivePrk } from "../keyring/derive.ts";

/** What a passphrase of the official middleware gives. */
export interface PassphraseKey {
  /** Names the key as kids of rings do: 16 lower-case hex digits. */
  readonly kid: string;
  /** The key of XSalsa20-Poly1305, 32 bytes: BLAKE2b-256 of the passphrase. */
  readonly key: Uint8Array;
  /** The key that binds a value to its place, 32 bytes. */
  readonly macKey: Uint8Array;
  /** The passphrase in UTF-8, for the format before 1.0. */
  readonly passphrase: Uint8Array;
}

/**
 * The keys of passphrases, in the order in which they are tried; the first one seals.
 *
 * The official JavaScript trims a passphrase and the official Python does not: each gives the key of the trimmed
 * text, and, where it differs, that of the text as it is.
 */
export function passphraseKeys(passphrases: readonly string[]): readonly PassphraseKey[] {
  const byKid = new Map<string, PassphraseKey>();
  for (const text of passphrases) {
    for (const form of [text.trim(), text]) {
      const key = keyOf(form);
      if (!byKid.has(key.kid)) byKid.set(key.kid, key);
    }
  }
  return [...byKid.values()];
}

function keyOf(text: string): PassphraseKey {
  const passphrase = encodeUtf8(text);
  const key = blake2b(passphrase, { dkLen: 32 });
  const prk = derivePrk(key);
  return { kid: deriveKid(prk), key, macKey: deriveCompatMacKey(prk), passphrase };
}

import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";

/** `PRK = HKDF-Extract(SHA-256, salt, root)` (RFC 5869, section 2.2). Everything else is expanded from it. */
export function derivePrk(root: Uint8Array): Uint8Array {
  return extract(sha256, root, utf8ToBytes("stepseal/v1/extract"));
}

/** The name of a key in every envelope it seals: 8 bytes as 16 lower-case hex digits. Tells nothing of the key. */
export function deriveKid(prk: Uint8Array): string {
  return bytesToHex(expand(sha256, prk, utf8ToBytes("stepseal/v1/kid"), 8));
}

/** The 32-byte key of blind indexes, which seals nothing. */
export function deriveIndexKey(prk: Uint8Array): Uint8Array {
  return expand(sha256, prk, utf8ToBytes("stepseal/v1/blind-index"), 32);
}

/** The 32-byte key that says where a value in the official format belongs. */
export function deriveCompatMacKey(prk: Uint8Array): Uint8Array {
  return expand(sha256, prk, utf8ToBytes("stepseal/v1/compat-mac"), 32);
}

/**
 * The 32-byte key that seals: one for each run, and one for all values that belong to no run.
 * An empty run is a run. `run` must be well-formed Unicode, which the claims see to.
 */
export function deriveSealingKey(prk: Uint8Array, run: string | undefined): Uint8Array {
  const info =
    run === undefined
      ? utf8ToBytes("stepseal/v1/seal")
      : // The zero byte ends the label, so no run can spell another label.
        concatBytes(utf8ToBytes("stepseal/v1/run"), Uint8Array.of(0), utf8ToBytes(run));
  return expand(sha256, prk, info, 32);
}

/** Random keys have 30 distinct bytes on average. */
const MIN_DISTINCT = 14;

/**
 * Says why 32 bytes cannot be a random key, or returns undefined for bytes that can.
 * The reason completes "the key …" and tells nothing of the value but the class it falls in.
 *
 * | rule | catches | refuses a random key with probability |
 * |---|---|---|
 * | fewer than 14 distinct bytes | `00…`, repeated words, hand-made patterns | 2^-68.3 |
 * | every byte differs by one constant, modulo 256, from the byte p places before it, for a p from 1 to 16 | constant bytes, counting up or down, any step, repeated halves and quarters, interleaved counters | 2^-120 |
 * | every byte is printable ASCII, tab or line break | a passphrase, or hex or base64 text, taken for bytes | 2^-44.3 |
 *
 * The last rule is the only likely one. It stays, and covers all printable characters, because a passphrase is
 * the mistake people make: a narrower class would let those with punctuation through. Its price is one refusal
 * in 2 × 10^13 keys made elsewhere, at configuration time, with a message that says to make another; a key made
 * by `generateKey` never meets it.
 */
export function weakness(root: Uint8Array): string | undefined {
  if (isStepped(root)) return "is a constant, counted or repeated sequence of bytes";
  const distinct = new Set(root).size;
  if (distinct < MIN_DISTINCT) return `has ${distinct} distinct bytes of ${root.length}`;
  if (root.every(isPrintable)) return "is printable text, not random bytes";
  return undefined;
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte <= 0x7e) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function isStepped(bytes: Uint8Array): boolean {
  for (let period = 1; period <= bytes.length / 2; period++) {
    const step = (bytes[period]! - bytes[0]!) & 0xff;
    let i = period + 1;
    while (i < bytes.length && ((bytes[i]! - bytes[i - period]!) & 0xff) === step) i++;
    if (i === bytes.length) return true;
  }
  return false;
}

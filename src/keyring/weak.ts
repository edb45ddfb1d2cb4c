/** Random keys have 30 distinct bytes on average. */
const MIN_DISTINCT = 14;

/**
 * Says why 32 bytes cannot be a random key, or returns undefined for bytes that can.
 * The reason completes "the key …" and tells nothing of the value but the class it falls in.
 *
 * | rule | catches | refuses a random key with probability |
 * |---|---|---|
 * | fewer than 14 distinct bytes | `00…`, repeated words, hand-made patterns | 2^-68.3 |
 * | in rows of 1 to 16 bytes, the step from row to row is constant (modulo 256; see `isStepped`) | constant bytes, counting up or down, any step, repeated halves and quarters, counters of 8 to 64 bits | 2^-120 |
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

/**
 * Whether the bytes, laid out in rows of p, change by a constant from row to row: in each column its own constant
 * for rows of up to 8, one constant for all columns of longer rows, of which 32 bytes hold too few.
 */
function isStepped(bytes: Uint8Array): boolean {
  for (let period = 1; period <= bytes.length / 2; period++) {
    const step = (i: number): number => (bytes[i]! - bytes[i - period]!) & 0xff;
    const lag = period <= bytes.length / 4 ? period : 1;
    let i = period + lag;
    while (i < bytes.length && step(i) === step(i - lag)) i++;
    if (i === bytes.length) return true;
  }
  return false;
}

/** Digits in the order of their ASCII codes, so that texts of one length sort like the numbers they stand for. */
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The value of one base62 digit, 0 to 61, or -1 for any other character. */
export function base62Digit(charCode: number): number {
  if (charCode >= 48 && charCode <= 57) return charCode - 48;
  if (charCode >= 65 && charCode <= 90) return charCode - 55;
  if (charCode >= 97 && charCode <= 122) return charCode - 61;
  return -1;
}

/**
 * Writes bytes, read as one big-endian number, in base62, padded on the left with `0` to `length` digits.
 * The caller picks a length that holds every value: 43 digits for 32 bytes, 6 for 4.
 */
export function encodeBase62(bytes: Uint8Array, length: number): string {
  // Long division on a byte array and not a BigInt: the copy can be wiped, a BigInt cannot.
  const rest = Uint8Array.from(bytes);
  let text = "";
  for (let i = 0; i < length; i++) {
    let remainder = 0;
    for (let j = 0; j < rest.length; j++) {
      const value = remainder * 256 + rest[j]!;
      rest[j] = Math.floor(value / 62);
      remainder = value % 62;
    }
    text = DIGITS[remainder]! + text;
  }
  rest.fill(0);
  return text;
}

/**
 * Reads base62 digits as a big-endian number of `size` bytes.
 * Returns undefined, and does not throw, for a character that is no digit or a number that needs more bytes.
 */
export function decodeBase62(text: string, size: number): Uint8Array | undefined {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < text.length; i++) {
    let carry = base62Digit(text.charCodeAt(i));
    if (carry < 0) return undefined;
    for (let j = size - 1; j >= 0; j--) {
      const value = bytes[j]! * 62 + carry;
      bytes[j] = value & 0xff;
      carry = value >> 8;
    }
    if (carry !== 0) return undefined;
  }
  return bytes;
}

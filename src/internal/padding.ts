import { StepsealError } from "../errors.ts";

/** Ends the content; zero bytes follow up to the padded length (ISO/IEC 7816-4). */
const END = 0x80;

/**
 * The Padmé length of `length`: the next one whose binary form has only as many significant bits as its exponent
 * has digits, at most 12 % more. From Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
 * Communication with PURBs", 2019, section 4.2.
 */
export function padmeLength(length: number): number {
  if (length < 2) return length;
  const exponent = Math.floor(Math.log2(length));
  const significant = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** (exponent - significant);
  return Math.ceil(length / step) * step;
}

/** Content, an end byte, and zeros up to the Padmé length of both. */
export function pad(content: Uint8Array): Uint8Array {
  const padded = new Uint8Array(padmeLength(content.length + 1));
  padded.set(content);
  padded[content.length] = END;
  return padded;
}

/**
 * Undoes `pad`.
 *
 * @throws {StepsealError} CORRUPT for anything `pad` would not have made
 */
export function unpad(padded: Uint8Array): Uint8Array {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end--;
  if (end < 0 || padded[end] !== END || padmeLength(end + 1) !== padded.length) {
    throw new StepsealError(
      "CORRUPT",
      "The padding of the opened value is not the one its length calls for.",
    );
  }
  return padded.subarray(0, end);
}

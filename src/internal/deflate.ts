import type * as ZlibModule from "node:zlib";
import { StepsealError } from "../errors.ts";
import { builtin } from "./runtime.ts";

/** The fastest level: the higher ones cost several times the encryption for a few per cent. */
const LEVEL = 1;

type Zlib = Pick<typeof ZlibModule, "deflateRawSync" | "inflateRawSync">;

function zlib(): Zlib | undefined {
  const found = builtin<Zlib>("node:zlib");
  return typeof found?.deflateRawSync === "function" && typeof found.inflateRawSync === "function"
    ? found
    : undefined;
}

/** Whether this runtime can compress at once, without a promise. */
export function canDeflate(): boolean {
  return zlib() !== undefined;
}

/** Bytes in raw deflate form (RFC 1951). */
export function deflate(bytes: Uint8Array): Uint8Array {
  const found = zlib();
  if (found === undefined) throw absent("Compressing");
  return found.deflateRawSync(bytes, { level: LEVEL });
}

/**
 * Undoes `deflate`, and stops at `limit` bytes.
 *
 * @throws {StepsealError} INFLATE_LIMIT past `limit`; CORRUPT for anything but raw deflate; UNSUPPORTED without zlib
 */
export function inflate(bytes: Uint8Array, limit: number): Uint8Array {
  const found = zlib();
  if (found === undefined) throw absent("Opening a compressed value");
  try {
    return found.inflateRawSync(bytes, { maxOutputLength: limit });
  } catch (error) {
    if (isOverLimit(error)) {
      throw new StepsealError(
        "INFLATE_LIMIT",
        `The compressed value grows beyond ${limit} bytes. If values of that size are expected, raise the options maxInflatedBytes and maxPlaintextBytes of createSealer.`,
      );
    }
    throw new StepsealError("CORRUPT", "The opened value is marked as compressed and is not raw deflate.");
  }
}

/** Node gives its error a code; workerd throws a plain RangeError, and other errors for what is no deflate. */
function isOverLimit(error: unknown): boolean {
  return error instanceof RangeError || (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
}

function absent(what: string): StepsealError {
  return new StepsealError(
    "UNSUPPORTED",
    `${what} needs node:zlib through process.getBuiltinModule, which this runtime does not have.`,
  );
}

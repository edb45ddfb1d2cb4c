import { afterEach, describe, expect, it, vi } from "vitest";
import { deflate, inflate } from "../../src/internal/deflate.ts";
import { codeOf } from "../code-of.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const LONG = deflate(new Uint8Array(100_000));

describe("inflating", () => {
  it("stops at the limit, and not before it", () => {
    expect(inflate(LONG, 100_000)).toHaveLength(100_000);
    expect(codeOf(() => inflate(LONG, 99_999))).toBe("INFLATE_LIMIT");
  });

  it("refuses what is no deflate, or is cut", () => {
    expect(codeOf(() => inflate(Uint8Array.of(255, 1, 2, 3), 100_000))).toBe("CORRUPT");
    expect(codeOf(() => inflate(LONG.subarray(0, 20), 100_000))).toBe("CORRUPT");
  });

  it.each([
    ["Memory limit exceeded", RangeError, "INFLATE_LIMIT"],
    ["invalid block type", Error, "CORRUPT"],
    ["unexpected end of file", Error, "CORRUPT"],
  ])("knows what workerd throws, without a code: %s", (message, Thrown, code) => {
    const inflateRawSync = (): never => {
      throw new Thrown(message);
    };
    vi.spyOn(process, "getBuiltinModule").mockReturnValue({ deflateRawSync: () => LONG, inflateRawSync });
    expect(codeOf(() => inflate(LONG, 100_000))).toBe(code);
  });
});

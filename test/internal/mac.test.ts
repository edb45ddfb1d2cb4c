import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { equalInConstantTime, hmacSha256 } from "../../src/internal/mac.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("HMAC-SHA256", () => {
  it("is that of Node, over the parts as one message", () => {
    const secret = Buffer.from("secret");
    const [first, second] = [Buffer.from("one"), Buffer.from("two")];
    const whole = createHmac("sha256", secret).update("onetwo").digest("hex");
    expect(Buffer.from(hmacSha256(secret, first, second)).toString("hex")).toBe(whole);
    expect(Buffer.from(hmacSha256(secret, Buffer.from("onetwo"))).toString("hex")).toBe(whole);
  });
});

describe("a comparison in constant time", () => {
  it("finds equal bytes equal, and none equal to none", () => {
    expect(equalInConstantTime(bytes(1, 2, 3), bytes(1, 2, 3))).toBe(true);
    expect(equalInConstantTime(bytes(), bytes())).toBe(true);
  });

  it("finds every bit that differs, at every place", () => {
    const mac = new Uint8Array(32).fill(0xa5);
    for (let bit = 0; bit < 256; bit++) {
      const other = Uint8Array.from(mac);
      other[bit >> 3]! ^= 1 << (bit & 7);
      expect(equalInConstantTime(mac, other)).toBe(false);
    }
  });

  it("finds a difference that another place seems to undo", () => {
    expect(equalInConstantTime(bytes(1, 2), bytes(2, 1))).toBe(false);
    expect(equalInConstantTime(bytes(1, 1), bytes(0, 0))).toBe(false);
  });

  it("finds bytes and a longer or shorter piece of them different", () => {
    expect(equalInConstantTime(bytes(1, 2), bytes(1, 2, 0))).toBe(false);
    expect(equalInConstantTime(bytes(1, 2, 0), bytes(1, 2))).toBe(false);
    expect(equalInConstantTime(bytes(), bytes(0))).toBe(false);
  });
});

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { equalInConstantTime, hmacSha256 } from "../../src/internal/mac.ts";
import { coveredByRequest } from "../../src/transport/json-body.ts";

const shared = new URL("../../../shared/vectors/", import.meta.url);
const isPresent = existsSync(shared);
const note = isPresent ? "" : " (skipped: the project does not ship them)";
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

interface MacTest {
  readonly tcId: number;
  readonly key: string;
  readonly msg: string;
  readonly tag: string;
  readonly result: "valid" | "invalid";
}

describe.skipIf(!isPresent)(`test data of others${note}`, () => {
  test("Wycheproof's HMAC-SHA256 cases all hold, however the message is cut into parts", () => {
    const file = readFileSync(new URL("wycheproof/hmac_sha256_test.json", shared), "utf8");
    const { testGroups } = JSON.parse(file) as {
      testGroups: { readonly tagSize: number; readonly tests: readonly MacTest[] }[];
    };
    let checked = 0;
    for (const { tagSize, tests } of testGroups) {
      for (const { tcId, key, msg, tag, result } of tests) {
        const message = hex(msg);
        const half = message.length >> 1;
        const mac = hmacSha256(hex(key), message.subarray(0, half), message.subarray(half));
        const isValid = equalInConstantTime(mac.subarray(0, tagSize / 8), hex(tag));
        expect([tcId, isValid]).toEqual([tcId, result === "valid"]);
        checked++;
      }
    }
    expect(checked).toBe(174);
  });

  test("a body is covered in the canonical form of RFC 8785", () => {
    const names = readdirSync(new URL("jcs/input/", shared));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      const [input, output] = ["input", "output"].map((folder) =>
        readFileSync(new URL(`jcs/${folder}/${name}`, shared)),
      );
      const covered = Buffer.from(coveredByRequest(input!)).toString();
      expect([name, covered]).toEqual([name, output!.toString()]);
    }
  });
});

test.each([
  [[], [], true],
  [[1, 2], [1, 2], true],
  [[1, 2], [1, 3], false],
  [[1, 2], [2, 2], false],
  [[1, 2], [1], false],
  [[255], [127], false],
])("%j and %j are equal: %s", (a, b, isEqual) => {
  expect(equalInConstantTime(Uint8Array.from(a), Uint8Array.from(b))).toBe(isEqual);
});

import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { measure, writeEvents } from "../../benchmarks/cli-process.ts";
import { cli, useCli } from "./support.ts";

const { folder } = useCli();

/** A fifth of the input; some 50 MB are Node's own. */
const MOST_BYTES = 200e6;

describe.skipIf(process.env.SLOW === undefined)("a gigabyte", () => {
  test.each([
    ["lines", "\n"],
    ["one line", " "],
  ])(
    "of %s takes less than 200 MB of memory",
    async (_, separator) => {
      const path = join(folder(), "events.jsonl");
      try {
        const { key } = writeEvents(path, 1e9, separator);
        for (const args of [["scan"], ["inspect", "--json"], ["decrypt"]]) {
          const { peakBytes } = await measure(cli, [...args, path], key);
          expect(peakBytes).toBeGreaterThan(20e6);
          expect(peakBytes).toBeLessThan(MOST_BYTES);
        }
      } finally {
        rmSync(path, { force: true });
      }
    },
    900_000,
  );
});

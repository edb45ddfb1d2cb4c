import { afterAll, beforeAll, describe, vi } from "vitest";
import { soakTests } from "./tests.ts";
import { upstashSdk } from "./upstash.ts";

describe("Upstash Workflow's SDK", () => {
  // The SDK logs what fails.
  beforeAll(() => {
    for (const method of ["error", "warn"] as const) vi.spyOn(console, method).mockReturnValue();
  });
  afterAll(() => {
    vi.restoreAllMocks();
  });

  soakTests(upstashSdk, { small: { runs: 80, batch: 30 }, big: { runs: 2_000, batch: 100 } });
});

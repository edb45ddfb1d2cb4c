import { afterAll, beforeAll, describe } from "vitest";
import { soakTests } from "./tests.ts";
import { upstashSdk } from "./upstash.ts";

describe("Upstash Workflow's SDK", () => {
  const { error, warn } = console;
  beforeAll(() => {
    // The SDK logs what fails. A spy would keep all of it.
    console.error = console.warn = () => {};
  });
  afterAll(() => {
    Object.assign(console, { error, warn });
  });

  soakTests(upstashSdk, { small: { runs: 80, batch: 30 }, big: { runs: 2_000, batch: 100 } });
});

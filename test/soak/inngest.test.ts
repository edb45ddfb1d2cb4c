import { describe } from "vitest";
import { inngestSdk } from "./inngest.ts";
import { soakTests } from "./tests.ts";

describe("Inngest's SDK v4", () => {
  soakTests(inngestSdk, { small: { runs: 100, batch: 30 }, big: { runs: 10_000, batch: 100 } });
});

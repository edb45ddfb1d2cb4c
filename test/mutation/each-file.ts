// Runs before each test file; all of them run in one process.
import { beforeEach, onTestFailed } from "vitest";
import { KILLED } from "./parts.ts";

// SDK v3 and v4 keep what they execute under one name of the process, each in its own form.
Reflect.deleteProperty(globalThis, Symbol.for("inngest:als"));

// Once a test has failed, loading the files that are left would take longer than all that was done before.
const found = globalThis as { killed?: true };
if (found.killed) throw new Error(KILLED);
beforeEach(() => {
  onTestFailed(() => {
    found.killed = true;
  });
});

import { afterAll, afterEach, beforeEach } from "vitest";
import { watchBoundaries } from "./boundaries.ts";
import { watchConsole } from "./console.ts";
import { outputs } from "./outputs.ts";

// Set up before each file of tests by `npm run test:secrets`: what its tests put out is searched for what they keep
// secret, and a test that let something out fails.

watchBoundaries(outputs);
watchConsole((...parts) => outputs.add("log", ...parts));

let file = "";
beforeEach(({ task }) => {
  file = task.file.name;
});
afterEach(check);
// What was put out between tests.
afterAll(check);

function check(): void {
  const told = outputs
    .leaks(file)
    .map(({ channel, secret, after }) => `${channel}: ${secret} after ${JSON.stringify(after)}`);
  if (told.length === 0) return;
  throw new Error(`Secrets in what was put out, ${told.length}:\n${told.slice(0, 20).join("\n")}`);
}

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Inngest, InngestFunction } from "inngest";
import * as inngest from "inngest";
import { serve } from "inngest/edge";
import { generateKey, isSealed } from "stepseal";
import * as adapter from "stepseal/inngest";
import { createTestEngine, findPlaintext } from "stepseal/testing";
import { afterEach, expect, test, vi } from "vitest";
import { blocksOf, ROOT } from "./markdown.ts";
import { runExample } from "./run-example.ts";

const blocks = blocksOf("README.md");
afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

test("the app of the README runs, and what it says is sealed is", async () => {
  const engine = createTestEngine();
  const { baseUrl, eventKey, signingKey } = engine.clientOptions;
  vi.stubGlobal("fetch", engine.fetch);
  vi.stubEnv("STEPSEAL_KEY", generateKey());
  vi.stubEnv("INNGEST_BASE_URL", String(baseUrl));
  vi.stubEnv("INNGEST_EVENT_KEY", String(eventKey));
  vi.stubEnv("INNGEST_SIGNING_KEY", String(signingKey));

  const { code } = blocks.find(({ code }) => code.includes("export const place"))!;
  const app = {} as {
    place(order: string, card: string): Promise<unknown>;
    charge: InngestFunction.Any;
  };
  await runExample(code, { inngest, "stepseal/inngest": adapter }, app);
  const client = app.charge["client" as never] as Inngest;
  await engine.serve(serve({ client, functions: [app.charge] }));
  await app.place("order-1001", "4111 1111 1111 1111");
  await engine.idle();

  const [run] = engine.runs;
  expect(run?.status).toBe("completed");
  expect(isSealed(run?.output)).toBe(true);
  expect(findPlaintext(engine.wire, ["4111 1111 1111 1111"])).toEqual([]);
  expect(findPlaintext(engine.wire, ["order-1001"])).not.toEqual([]);
});

test("the demo prints what the README quotes", async () => {
  const { code } = blocks.find(({ code }) => code.startsWith("Act 1."))!;
  const main = fileURLToPath(new URL("examples/demo/main.ts", ROOT));
  const demo = spawn(process.execPath, ["--import", "tsx", main], { cwd: fileURLToPath(ROOT) });
  let printed = "";
  demo.stdout.on("data", (chunk: Buffer) => {
    printed += String(chunk);
  });
  expect(await new Promise((resolve) => demo.on("close", resolve))).toBe(0);
  const quoted = code.trimEnd().split("\n");
  // Keys and times are new each time, and so is the length of what holds them.
  const plain = (line: string): string =>
    line.replaceAll(/ss1\.[0-9a-f]{16}\.[\w-]+…/g, "ss1.…").replaceAll(/\d+ bytes;/g, "bytes;");
  const lines = printed.split("\n").map(plain);
  expect(quoted.length).toBeGreaterThan(5);
  let at = 0;
  for (const line of quoted.map(plain)) {
    const next = lines.indexOf(line, at);
    expect(next, line).toBeGreaterThanOrEqual(0);
    at = next + 1;
  }
});

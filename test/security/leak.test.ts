import { type ClientOptions, Inngest } from "inngest";
import { serve } from "inngest/edge";
import { metadataMiddleware } from "inngest/experimental";
import { serve as serveStreaming } from "inngest/remix";
import { isSealed } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import { createTestEngine, findPlaintext, type TestEngine, type TestEngineOptions } from "stepseal/testing";
import { describe, expect, test } from "vitest";
import { KEY, keyring } from "../adapters/inngest/harness.ts";
import { MARKERS, plant, play } from "./leak-app.ts";

interface Mode {
  readonly name: string;
  readonly checkpointing: NonNullable<ClientOptions["checkpointing"]>;
  readonly streaming?: true;
}

const MODES: Mode[] = [
  { name: "without checkpointing", checkpointing: false },
  { name: "with checkpointing", checkpointing: true },
  { name: "with five buffered steps", checkpointing: { bufferedSteps: 5 } },
  { name: "with streamed responses", checkpointing: false, streaming: true },
  { name: "with checkpointing and streamed responses", checkpointing: true, streaming: true },
];

/** Every marker, by name, that is in what left the app. */
function found(engine: TestEngine): string[] {
  const hits = new Set(findPlaintext(engine.wire, Object.values(MARKERS)).map((hit) => hit.needle));
  return Object.entries(MARKERS)
    .filter(([, marker]) => hits.has(marker))
    .map(([name]) => name);
}

interface World {
  readonly engine: TestEngine;
  readonly log: string[];
}

async function run(sealed: boolean, mode: Mode, options: TestEngineOptions = {}): Promise<World> {
  const log: string[] = [];
  const write = (...parts: unknown[]): void => {
    log.push(
      parts.map((part) => (part instanceof Error ? String(part.stack) : JSON.stringify(part))).join(" "),
    );
  };
  const engine = createTestEngine(options);
  const inngest = new Inngest({
    id: "app",
    ...engine.clientOptions,
    logger: { info: write, warn: write, error: write, debug: write },
    checkpointing: mode.checkpointing,
    middleware: [...(sealed ? [encryptionMiddleware({ keyring: keyring() })] : []), metadataMiddleware()],
  });
  const functions = plant(inngest);
  if (mode.streaming) {
    const handler = serveStreaming({ client: inngest, functions, streaming: true });
    await engine.serve((request) => handler({ request }));
  } else await engine.serve(serve({ client: inngest, functions }));
  await play(inngest, engine);
  return { engine, log };
}

describe.each(MODES)("$name", (mode) => {
  test("without stepseal every marker is found", async () => {
    const { engine } = await run(false, mode);
    expect(found(engine)).toEqual(Object.keys(MARKERS));
  });

  test("with stepseal none is, and every run ends as it does without", async () => {
    const [plain, { engine, log }] = await Promise.all([run(false, mode), run(true, mode)]);
    expect(found(engine)).toEqual([]);
    const ends = (world: TestEngine) => world.runs.map((run) => `${run.functionId} ${run.status}`).sort();
    expect(ends(engine)).toEqual(ends(plain.engine));
    for (const run of engine.runs) {
      if (run.status === "completed") expect(isSealed(run.output), run.functionId).toBe(true);
    }
    expect(engine.wire.some((entry) => entry.status === 201 && entry.channel === "response")).toBe(
      mode.streaming === true,
    );
    expect(engine.wire.some((entry) => entry.url.includes("/v1/checkpoint"))).toBe(
      mode.checkpointing !== false,
    );

    const said = log.filter((line) => line.includes("stepseal"));
    for (const marker of Object.values(MARKERS)) expect(said.join("\n")).not.toContain(marker);
    const key = Buffer.from(KEY.replace("hex:", ""), "hex");
    const left = [...engine.wire.map((entry) => JSON.stringify(entry)), ...log].join("\n");
    for (const form of [
      key.toString("hex"),
      key.toString("base64").slice(0, 42),
      key.toString("base64url"),
      KEY,
    ]) {
      expect(left.includes(form)).toBe(false);
    }
  });
});

/** Two steps, and the platform's API for checkpoints out of order: each is retried with growing pauses. */
test.each([
  { sealed: false, seen: ["bareEvent", "outputText", "stepEvent"] },
  { sealed: true, seen: [] },
])(
  "a checkpoint that fails leaks nothing, sealed $sealed",
  async ({ sealed, seen }) => {
    let failures = 0;
    const engine = createTestEngine({
      intercept: ({ url }) => {
        if (!url.includes("/v1/checkpoint/")) return undefined;
        failures += 1;
        return new Response("{}", { status: 500 });
      },
    });
    const log: string[] = [];
    const write = (...parts: unknown[]): void => {
      log.push(JSON.stringify(parts));
    };
    const inngest = new Inngest({
      id: "app",
      ...engine.clientOptions,
      logger: { info: write, warn: write, error: write, debug: write },
      middleware: sealed ? [encryptionMiddleware({ keyring: keyring() })] : [],
    });
    const fn = inngest.createFunction({ id: "fn", triggers: { event: "leak/go" } }, async ({ step }) => {
      await step.sendEvent("send", { name: "leak/sent", data: { encrypted: MARKERS.stepEvent } });
      await step.run("text", () => MARKERS.outputText);
      await inngest.send({ name: "leak/bare", data: { encrypted: MARKERS.bareEvent } });
    });
    await engine.serve(serve({ client: inngest, functions: [fn] }));
    await inngest.send({ name: "leak/go" });
    await engine.advance("1h");
    expect(failures).toBeGreaterThan(0);
    expect(engine.runs[0]!.status).toBe("completed");
    expect(found(engine).sort()).toEqual(seen);
    if (sealed) for (const marker of Object.values(MARKERS)) expect(log.join("\n")).not.toContain(marker);
  },
  60_000,
);

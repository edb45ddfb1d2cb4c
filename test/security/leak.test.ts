import { readFileSync } from "node:fs";
import { encryptionMiddleware as official } from "@inngest/middleware-encryption";
import { type ClientOptions, Inngest, type Middleware } from "inngest";
import { endpointAdapter, serve } from "inngest/edge";
import { metadataMiddleware, scoreMiddleware } from "inngest/experimental";
import { serve as serveStreaming } from "inngest/remix";
import { isSealed } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import { encryptionMiddleware as dropIn } from "stepseal/inngest/compat";
import { createTestEngine, findPlaintext, type TestEngine, type TestEngineOptions } from "stepseal/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { KEY, keyring, SDK } from "../adapters/inngest/harness.ts";
import { plant, play, playEndpoint } from "./leak-app.ts";
import { MARKERS, markersOf, PATHS } from "./leak-paths.ts";

interface Mode {
  readonly name: string;
  readonly checkpointing: NonNullable<ClientOptions["checkpointing"]>;
  readonly streaming?: true;
  /** The platform's API for checkpoints answers 500. */
  readonly failing?: true;
  /** A development server: nothing is signed. In every other mode all is. */
  readonly unsigned?: true;
}

const DEFAULT: Mode = { name: "with checkpointing", checkpointing: true };
const MODES: Mode[] = [
  { name: "without checkpointing", checkpointing: false },
  DEFAULT,
  { name: "with five buffered steps", checkpointing: { bufferedSteps: 5 } },
  { name: "with streamed responses", checkpointing: false, streaming: true },
  { name: "with checkpointing and streamed responses", checkpointing: true, streaming: true },
  { name: "with a checkpoint API that fails", checkpointing: true, failing: true },
  {
    name: "with buffered steps and a checkpoint API that fails",
    checkpointing: { bufferedSteps: 5 },
    failing: true,
  },
  { name: "unsigned", checkpointing: true, unsigned: true },
];

/** Every marker, by name, that is in what left the app. */
function found(engine: TestEngine): string[] {
  const hits = new Set(findPlaintext(engine.wire, Object.values(MARKERS)).map((hit) => hit.needle));
  return Object.entries(MARKERS)
    .filter(([, marker]) => hits.has(marker))
    .map(([name]) => name)
    .sort();
}

interface World {
  readonly engine: TestEngine;
  readonly log: string[];
}

const PASSPHRASE = "a passphrase of the official middleware";

const SEALERS = {
  nobody: () => [],
  stepseal: () => [encryptionMiddleware({ keyring: keyring() })],
  dropIn: () => [dropIn({ key: PASSPHRASE })],
  official: () => [official({ key: KEY }) as unknown as Middleware.Class],
};

/** How each run ended; not those of the endpoint, which is refused before it is one. */
const ends = ({ runs }: TestEngine): string[] =>
  runs
    .filter(({ event }) => event.name !== "inngest/http.request")
    .map(({ functionId, status }) => `${functionId} ${status}`)
    .sort();

async function run(sealer: keyof typeof SEALERS, mode: Mode): Promise<World> {
  const log: string[] = [];
  const write = (...parts: unknown[]): void => {
    log.push(
      parts.map((part) => (part instanceof Error ? String(part.stack) : JSON.stringify(part))).join(" "),
    );
  };
  const options: TestEngineOptions = {
    gateway: () => ({ body: "{}" }),
    intercept: ({ url }) =>
      mode.failing && url.includes("/v1/checkpoint/") ? new Response("{}", { status: 500 }) : undefined,
  };
  const engine = createTestEngine(mode.unsigned ? { ...options, signingKey: null } : options);
  const inngest = new Inngest({
    id: "app",
    ...engine.clientOptions,
    logger: { info: write, warn: write, error: write, debug: write },
    checkpointing: mode.checkpointing,
    endpointAdapter,
    middleware: [...SEALERS[sealer](), metadataMiddleware(), ...(SDK.scores ? [scoreMiddleware()] : [])],
  });
  const functions = plant(inngest);
  if (mode.streaming) {
    const handler = serveStreaming({ client: inngest, functions, streaming: true });
    await engine.serve((request) => handler({ request }));
  } else await engine.serve(serve({ client: inngest, functions }));
  await play(inngest, engine);
  // v3 takes the signing key where functions are served, which a durable endpoint is not: it needs the environment's.
  if (SDK.v4) await playEndpoint(inngest, engine);
  return { engine, log };
}

// The SDK tries a checkpoint five times, with growing pauses; a hundredth of them will do.
const realTimeout = setTimeout;
beforeEach(() => {
  const hurried = (work: () => void, ms = 0, ...rest: []) =>
    realTimeout(work, ms >= 100 && ms < 5_000 ? ms / 100 : ms, ...rest);
  vi.stubGlobal("setTimeout", Object.assign(hurried, { __promisify__: realTimeout.__promisify__ }));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe.each(MODES)("$name", (mode) => {
  // SDK v3 leaves the metadata of a step out of its checkpoint.
  const lost = !SDK.v4 && mode.checkpointing !== false && (mode.checkpointing !== true || !mode.failing);
  const sent = (...fates: Parameters<typeof markersOf>) =>
    markersOf(...fates)
      .filter((name) => !lost || (name !== "stepMetadata" && name !== "metadataKind"))
      .filter((name) => SDK.v4 || !name.startsWith("endpoint"));

  test("without stepseal every marker is found", async () => {
    const { engine } = await run("nobody", mode);
    const markers = sent("sealed", "visible", "refused");
    // Where nothing is signed, or no checkpoint is taken, the SDK does not get to the end of a durable endpoint.
    const answers = mode.unsigned !== true && mode.failing !== true;
    expect(found(engine)).toEqual(markers.filter((name) => answers || name !== "endpointAnswer"));
  });

  test("with stepseal those are that are visible by design, and every run ends as it does without", async () => {
    const [plain, { engine, log }] = await Promise.all([run("nobody", mode), run("stepseal", mode)]);
    expect(found(engine)).toEqual(sent("visible"));
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
    const signatures = engine.wire.filter((entry) => entry.headers["x-inngest-signature"] !== undefined);
    expect(signatures.length > 0).toBe(mode.unsigned !== true);

    const said = log.filter((line) => line.includes("stepseal: ")).join("\n");
    for (const name of markersOf("sealed")) expect(said).not.toContain(MARKERS[name as keyof typeof MARKERS]);
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

  test.skipIf(!SDK.v4)("with the drop-in for the official middleware, too", async () => {
    const [plain, { engine, log }] = await Promise.all([run("nobody", mode), run("dropIn", mode)]);
    expect(found(engine)).toEqual(markersOf("visible"));
    expect(findPlaintext(engine.wire, [PASSPHRASE])).toEqual([]);
    expect(log.join()).not.toContain(PASSPHRASE);
    expect(ends(engine)).toEqual(ends(plain.engine));
  });
});

test.skipIf(!SDK.sandboxes)(
  "docs/threat-model.md shows what was found: without, with the official middleware, with stepseal",
  async () => {
    const worlds = await Promise.all([
      run("nobody", DEFAULT),
      run("official", DEFAULT),
      run("stepseal", DEFAULT),
    ]);
    const [nobody, theirs, ours] = worlds.map(({ engine }) => new Set(found(engine)));
    const told = (leaks: ReadonlySet<string>, markers: readonly string[], otherwise: string): string => {
      const readable = markers.filter((name) => leaks.has(name)).length;
      if (readable === 0) return otherwise;
      return readable === markers.length ? "readable" : `${readable} of ${markers.length} readable`;
    };
    const rows = PATHS.map(({ path, fate, markers }) => {
      const own = told(ours!, markers, fate === "refused" ? "refused" : "sealed");
      const cells = [
        told(nobody!, markers, "sealed"),
        told(theirs!, markers, "sealed"),
        fate === "visible" ? own : `**${own}**`,
      ];
      return `| ${path} | ${cells.join(" | ")} |`;
    });
    const count = (leaks: ReadonlySet<string>) => `${leaks.size} of ${Object.keys(MARKERS).length}`;
    const table = [
      "| path | without | official 2.0.0 | stepseal |",
      "|---|---|---|---|",
      ...rows,
      `| markers found | ${count(nobody!)} | ${count(theirs!)} | ${count(ours!)} |`,
    ].join("\n");
    console.log(table);
    const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
    expect(read("docs/threat-model.md")).toContain(table);
    expect(read("README.md")).toContain(`| ${count(theirs!)} | ${count(ours!)}`);
  },
);

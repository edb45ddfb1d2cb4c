import { createRequire } from "node:module";
import { Inngest } from "inngest";
import { serve } from "inngest/edge";
import { paired, type Timing } from "./paired.ts";
import { createTestEngine, encryptionMiddleware, generateKey } from "./shipped.ts";

const require = createRequire(new URL("./thirdparty/package.json", import.meta.url));
const STEPS = 300;
const STEP_BYTES = 1024;

/** One request that resumes a run, through the whole SDK. */
export interface ResumeResult {
  readonly steps: number;
  readonly times: Readonly<Record<"none" | "stepseal" | "official", Timing>>;
  /** How many times faster than the official middleware, the SDK's own time in both. */
  readonly ratio: number;
  /** The same without what the request takes with no middleware at all. */
  readonly ratioOfOverhead: number;
}

/** A resumed function opens every earlier step: 300 of 1 KB, on the real SDK, with each middleware and with none. */
export async function measureResume(): Promise<ResumeResult> {
  const { encryptionMiddleware: theirs } = require("@inngest/middleware-encryption") as {
    encryptionMiddleware: (options: { key: string }) => never;
  };
  const key = generateKey();
  const none = await resumed([]);
  const stepseal = await resumed([encryptionMiddleware({ key })] as never);
  const official = await resumed([theirs({ key })] as never);
  const { times, ratio } = await paired({ none, stepseal, official }, { rounds: 15, milliseconds: 60 });
  return {
    steps: STEPS,
    times,
    ratio: ratio("official", "stepseal"),
    ratioOfOverhead:
      (times.official.median - times.none.median) / (times.stepseal.median - times.none.median),
  };
}

/** Runs a function up to its sleep, keeps the request that resumes it, and gives what sends that once more. */
async function resumed(middleware: never[]): Promise<() => Promise<string>> {
  const engine = createTestEngine();
  const quiet = { info() {}, warn() {}, error() {}, debug() {} };
  const client = new Inngest({
    id: "bench",
    ...engine.clientOptions,
    middleware,
    logger: quiet,
    checkpointing: false,
  } as never);
  const value = { text: "x".repeat(STEP_BYTES - 20) };
  let ended = 0;
  const run = client.createFunction({ id: "long", triggers: [{ event: "bench/go" }] }, async ({ step }) => {
    let length = 0;
    const results = await Promise.all(
      Array.from({ length: STEPS }, (_, i) => step.run(`step ${i}`, () => ({ ...value, i }))),
    );
    for (const result of results) length += result.text.length;
    await step.sleep("nap", "1h");
    ended = length;
    return length;
  });
  const handler = serve({ client, functions: [run] });
  let last: { url: string; init: RequestInit } | undefined;
  await engine.serve(async (request) => {
    const body = await request.clone().text();
    last = { url: request.url, init: { method: request.method, headers: request.headers, body } };
    return handler(request);
  });
  await engine.send({ name: "bench/go", data: {} });
  await engine.idle();
  await engine.advance("2h");
  if (ended !== STEPS * (STEP_BYTES - 20)) throw new Error("the run that is measured did not end");
  const request = last;
  if (request === undefined) throw new Error("no request resumed the run");
  return async () => {
    const response = await handler(new Request(request.url, request.init));
    const text = await response.text();
    if (response.status !== 200) throw new Error(`the resumed request was answered with ${response.status}`);
    return text;
  };
}

import { StepsealError } from "../errors.ts";
import { createApi } from "./api.ts";
import { target } from "./apps.ts";
import { sendFromOutside } from "./events.ts";
import { finishRun } from "./finish.ts";
import type { Platform } from "./platform.ts";
import { rerun } from "./runs.ts";
import { handsOf } from "./schedule.ts";
import { isSigningKey } from "./signing.ts";
import type { RunRecord } from "./state.ts";
import { sync } from "./sync.ts";
import type { TestClientOptions, TestEngine, TestEngineOptions } from "./types.ts";
import { performDue } from "./work.ts";

const BASE_URL = "http://inngest.test";
const EVENT_KEY = "test-event-key";
const SIGNING_KEY = "signkey-test-8ee2262a15e8d3c42d6a840db7af3de2aab08ef632b32a37a687f24b34dba3ff";

function createPlatform(options: TestEngineOptions): Platform {
  const signingKey = options.signingKey === null ? undefined : (options.signingKey ?? SIGNING_KEY);
  for (const key of [signingKey, options.signingKeyFallback]) {
    if (key !== undefined && !isSigningKey(key)) {
      throw new StepsealError(
        "CONFIG",
        "createTestEngine: a signing key is hex digits, after an optional signkey-<environment>-",
      );
    }
  }
  if (options.signWith === "fallback" && options.signingKeyFallback === undefined) {
    throw new StepsealError("CONFIG", 'createTestEngine: signWith "fallback" needs a signingKeyFallback');
  }
  const { concurrency = 1 } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new StepsealError("CONFIG", "createTestEngine: concurrency must be a whole number, 1 or more");
  }
  return {
    options,
    signingKey,
    signingKeyFallback: options.signingKeyFallback,
    eventKey: EVENT_KEY,
    baseUrl: BASE_URL,
    now: options.now ?? Date.now(),
    order: 0,
    jobs: new Set(),
    apps: new Map(),
    endpoint: undefined,
    syncs: new Map(),
    runs: new Map(),
    events: [],
    waits: new Set(),
    batches: new Map(),
    started: new Set(),
    wire: [],
  };
}

function findRun(platform: Platform, id: string): RunRecord {
  const run = platform.runs.get(id);
  if (!run) throw new StepsealError("CONFIG", `test engine: there is no run ${JSON.stringify(id)}`);
  return run;
}

/**
 * Creates an in-process Inngest platform for tests: it registers an app through its real serve handler, sends
 * it signed execution requests over the real wire protocol, keeps runs, steps, events and a virtual clock, and
 * records every byte that leaves the app. Nothing goes over a network.
 *
 * Concurrency, throttling, rate limits, debouncing, priorities, singletons, function timeouts and crons are
 * accepted and ignored.
 *
 * @throws StepsealError `CONFIG` when an option is wrong
 *
 * @example
 * ```ts
 * import { Inngest } from "inngest";
 * import { serve } from "inngest/edge";
 * import { createTestEngine, findPlaintext } from "stepseal/testing";
 *
 * const engine = createTestEngine();
 * const inngest = new Inngest({ id: "shop", ...engine.clientOptions });
 * const greet = inngest.createFunction(
 *   { id: "greet", triggers: [{ event: "shop/joined" }] },
 *   async ({ event, step }) => step.run("greet", () => `Hello ${event.data.name}`),
 * );
 * await engine.serve(serve({ client: inngest, functions: [greet] }));
 * await engine.send({ name: "shop/joined", data: { name: "Marguerite" } });
 * await engine.idle();
 * console.log(engine.runs[0]?.output); // "Hello Marguerite"
 * console.log(findPlaintext(engine.wire, ["Marguerite"]).length > 0); // true
 * ```
 */
export function createTestEngine(options: TestEngineOptions = {}): TestEngine {
  const platform = createPlatform(options);
  const api = createApi(platform);
  const { signingKey, signingKeyFallback } = platform;
  const clientOptions: TestClientOptions = {
    fetch: api,
    baseUrl: BASE_URL,
    eventKey: EVENT_KEY,
    isDev: signingKey === undefined,
    ...(signingKey === undefined ? {} : { signingKey }),
    ...(signingKeyFallback === undefined ? {} : { signingKeyFallback }),
  };
  return {
    clientOptions,
    fetch: api,
    serve: (handler) => sync(platform, handler),
    endpoint: (handler) => {
      platform.endpoint = target(handler).send;
    },
    send: async (events) => sendFromOutside(platform, events),
    ...handsOf(platform, () => performDue(platform)),
    get now() {
      return platform.now;
    },
    get runs() {
      return [...platform.runs.values()];
    },
    run: (id) => findRun(platform, id),
    runsOf: (functionId) => {
      const all = [...platform.runs.values()];
      const exact = all.filter((run) => run.functionId === functionId);
      return exact.length > 0 ? exact : all.filter((run) => run.functionId === `${run.appId}-${functionId}`);
    },
    get events() {
      return platform.events;
    },
    rerun: (runId, from = {}) => rerun(platform, findRun(platform, runId), from.fromStep, from.input),
    cancel: (runId) => finishRun(platform, findRun(platform, runId), { status: "cancelled" }),
    get wire() {
      return platform.wire;
    },
  };
}

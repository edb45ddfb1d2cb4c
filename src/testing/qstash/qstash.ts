import { parseUrl } from "../../internal/url.ts";
import { handsOf } from "../schedule.ts";
import type { ServeHandler } from "../types.ts";
import { accept } from "./accept.ts";
import { handle } from "./api.ts";
import { restart, resume } from "./dead-letters.ts";
import { fieldsOf } from "./fields.ts";
import { base64Of } from "./messages.ts";
import { listen } from "./server.ts";
import { ApiError, misused, type Platform, type RunRecord, runOf } from "./state.ts";
import type { QstashPublication, TestQstash, TestQstashOptions } from "./types.ts";
import { notify } from "./waits.ts";
import { performDue } from "./work.ts";

/** As on the platform, base64 of JSON: the SDK reads the user's id for the URLs of webhooks. */
const TOKEN = base64Of(JSON.stringify({ UserID: "test-user", Password: "test-password" }));
const SIGNING_KEYS = { current: "sig_test_current_3fQ7wLr9TnKc", next: "sig_test_next_8hYb2VxDmS5p" };

function createPlatform(options: TestQstashOptions): Platform {
  const { concurrency = 1, retries = 3, lazyFetchAboveBytes = 0 } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw misused("concurrency must be a whole number, 1 or more");
  }
  if (!Number.isInteger(retries) || retries < 0) throw misused("retries must be a whole number, 0 or more");
  if (!(lazyFetchAboveBytes >= 0)) throw misused("lazyFetchAboveBytes must be a number, 0 or more");
  return {
    options,
    token: TOKEN,
    signingKeys: SIGNING_KEYS,
    now: options.now ?? Date.now(),
    order: 0,
    jobs: new Set(),
    routes: new Map(),
    runs: [],
    waits: new Set(),
    notices: new Map(),
    dlq: [],
    duplicates: new Map(),
    wire: [],
    deliveries: [],
    faults: [],
  };
}

const textOf = (body: unknown): string => (typeof body === "string" ? body : (JSON.stringify(body) ?? ""));

/** A refusal of the API, for who calls it without HTTP. */
function outside<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof ApiError ? misused(error.message) : error;
  }
}

/** Takes in a message as the SDK's client publishes it: headers that are not the platform's are forwarded. */
function publish(platform: Platform, { url, body, headers = {} }: QstashPublication): string {
  const fields: Record<string, string> =
    typeof body === "string" ? {} : { "content-type": "application/json" };
  for (const [name, value] of Object.entries(headers)) {
    const isOwn = /^(?:upstash-|content-type$)/i.test(name);
    fields[isOwn ? name.toLowerCase() : `upstash-forward-${name.toLowerCase()}`] = value;
  }
  return outside(() => accept(platform, url, fieldsOf(fields), textOf(body)).messageId);
}

function serve(platform: Platform, url: string, handler: ServeHandler): void {
  if (parseUrl(url) === undefined)
    throw misused("serve needs an absolute URL, such as https://app.example.com");
  platform.routes.set(url, handler);
}

function findRun(platform: Platform, id: string): RunRecord {
  const run = runOf(platform, id);
  if (!run) throw misused(`there is no run ${JSON.stringify(id)}`);
  return run;
}

/**
 * Starts an in-process QStash for tests of Upstash Workflow: it takes the API calls of the real SDK, delivers signed
 * requests to the app's real handlers, keeps runs, journals, waits, a dead letter queue and a virtual clock, and
 * records every byte that leaves the app. Its server listens on 127.0.0.1 alone; deliveries to served URLs are calls
 * of their handlers.
 *
 * Flow control is accepted and ignored. There are no URL groups, queues and schedules.
 *
 * @throws StepsealError `CONFIG` when an option is wrong, `UNSUPPORTED` where there is no `node:http`
 *
 * @example
 * ```ts
 * import { Client, serve } from "@upstash/workflow";
 * import { createTestQstash, findPlaintext } from "stepseal/testing";
 *
 * const qstash = await createTestQstash();
 * const { handler } = serve<{ name: string }>(
 *   async (context) => context.run("greet", () => `Hello ${context.requestPayload.name}`),
 *   { env: qstash.env },
 * );
 * qstash.serve("https://app.example.com/greet", handler);
 *
 * const client = new Client({ baseUrl: qstash.url, token: qstash.token });
 * await client.trigger({ url: "https://app.example.com/greet", body: { name: "Marguerite" } });
 * await qstash.idle();
 * console.log(qstash.runs[0]?.result); // "Hello Marguerite"
 * console.log(findPlaintext(qstash.wire, ["Marguerite"]).length > 0); // true
 * await qstash.close();
 * ```
 */
export async function createTestQstash(options: TestQstashOptions = {}): Promise<TestQstash> {
  const platform = createPlatform(options);
  const server = await listen((request) => handle(platform, request));
  const { token, signingKeys } = platform;
  return {
    url: server.url,
    token,
    signingKeys,
    env: {
      QSTASH_URL: server.url,
      QSTASH_TOKEN: token,
      QSTASH_CURRENT_SIGNING_KEY: signingKeys.current,
      QSTASH_NEXT_SIGNING_KEY: signingKeys.next,
    },
    serve: (url, handler) => serve(platform, url, handler),
    ...handsOf(platform, () => performDue(platform)),
    get now() {
      return platform.now;
    },
    get runs() {
      return platform.runs;
    },
    run: (id) => findRun(platform, id),
    get dlq() {
      return platform.dlq;
    },
    resume: (dlqId) => outside(() => resume(platform, dlqId)),
    restart: (dlqId) => outside(() => restart(platform, dlqId)),
    publish: (publication) => publish(platform, publication),
    notify: (eventId, body, runId) => outside(() => notify(platform, eventId, textOf(body), runId)),
    get wire() {
      return platform.wire;
    },
    get deliveries() {
      return platform.deliveries;
    },
    close: () => server.close(),
  };
}

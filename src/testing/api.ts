import { readOp } from "./answer.ts";
import { checkpointAsync, checkpointNewRun, checkpointSteps } from "./checkpoint.ts";
import { stepsForApi } from "./dispatch.ts";
import { ulid } from "./ids.ts";
import { canonicalJson, isObject, type JsonObject, text } from "./json.ts";
import { type Platform, publish } from "./platform.ts";
import { resumeSignal } from "./resume.ts";
import { apiToken } from "./signing.ts";
import { storedEvent } from "./stored-event.ts";
import { headersOf, jsonResponse, wireEntry } from "./wire.ts";

interface Call {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const fail = (status: number, error: string): Response => jsonResponse(status, { error, status });

/** The body as JSON, or undefined when it is none. */
function json(call: Call): unknown {
  try {
    return JSON.parse(call.body);
  } catch {
    return undefined;
  }
}

/** Id of an event from the seed an SDK sends, so that a repeated call makes no new ids. */
function seededId(seed: string | undefined, index: number): string | undefined {
  const [millis, entropy] = (seed ?? "").split(",");
  if (!millis || !entropy || !/^\d+$/.test(millis)) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(entropy), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
  if (bytes.length !== 10) return undefined;
  const view = new DataView(bytes.buffer);
  view.setUint32(6, view.getUint32(6) + index);
  return ulid(Number(millis), bytes);
}

function receiveEvents(platform: Platform, call: Call): Response {
  const key = decodeURIComponent(call.url.pathname.slice("/e/".length));
  if (platform.signingKey !== undefined && key !== platform.eventKey) {
    return jsonResponse(401, { error: "Event key not found", status: 401 });
  }
  const raw = json(call);
  const list = Array.isArray(raw) ? raw : [raw];
  const events: JsonObject[] = [];
  for (const event of list) {
    const name = isObject(event) ? text(event.name) : undefined;
    if (!isObject(event) || !name)
      return jsonResponse(400, { ids: [], status: 400, error: "event name is empty" });
    if (name.toLowerCase().startsWith("inngest/")) {
      return jsonResponse(400, {
        ids: [],
        status: 400,
        error: `event name is reserved for internal use: ${name}`,
      });
    }
    events.push(event);
  }
  const ids = events.map((event, index) => {
    const id = seededId(call.headers["x-inngest-event-id-seed"], index + 1) ?? ulid(platform.now);
    const { _inngest, ...data } = isObject(event.data) ? event.data : {};
    publish(platform, storedEvent(platform, { ...event, data }, id));
    return id;
  });
  return jsonResponse(200, { ids, status: 200 });
}

function register(platform: Platform, call: Call): Response {
  const sync = platform.syncs.get(call.url.searchParams.get("deployId") ?? "");
  if (!sync) return jsonResponse(200, { ok: true, status: 200, skipped: true, modified: false });
  sync(json(call));
  return jsonResponse(200, { ok: true, status: 200, modified: true });
}

function runState(platform: Platform, runId: string, part: string): Response {
  const run = platform.runs.get(runId);
  if (run?.status !== "running") {
    return fail(410, `runtime state is no longer available for runID: ${runId}`);
  }
  const body = part === "actions" ? stepsForApi(run.steps) : canonicalJson(run.events);
  return new Response(body, { status: 200, headers: { "content-type": "application/json" } });
}

function signal(platform: Platform, call: Call): Response {
  const body = json(call);
  if (!isObject(body)) return fail(400, "Invalid signal data");
  const runId = resumeSignal(platform, text(body.signal) ?? "", body.data ?? null);
  return runId === undefined ? fail(404, "No signal found") : jsonResponse(200, { data: { run_id: runId } });
}

function authorised(platform: Platform, call: Call): boolean {
  const keys = [platform.signingKey, platform.signingKeyFallback].filter((key) => key !== undefined);
  return keys.length === 0 || keys.some((key) => call.headers.authorization === `Bearer ${apiToken(key)}`);
}

async function route(platform: Platform, call: Call): Promise<Response> {
  const path = call.url.pathname;
  const post = call.method === "POST";
  if (post && /^\/e\/[^/]+$/.test(path)) return receiveEvents(platform, call);
  const output = /^\/v1\/http\/runs\/([^/]+)\/output$/.exec(path);
  if (output) return runOutput(platform, output[1]!);
  if (!authorised(platform, call)) return fail(401, "Unauthorized");
  if (post && path === "/fn/register") return register(platform, call);
  const state = /^\/v0\/runs\/([^/]+)\/(actions|batch)$/.exec(path);
  if (state && call.method === "GET") return runState(platform, state[1]!, state[2]!);
  const checkpoint = /^\/v1\/checkpoint\/([^/]+)\/(async|steps)$/.exec(path);
  if (checkpoint || path === "/v1/checkpoint") {
    const body = json(call);
    if (!isObject(body)) return fail(400, "invalid request body");
    const steps = (Array.isArray(body.steps) ? body.steps : []).map(readOp);
    if (!checkpoint) return checkpointNewRun(platform, body, steps);
    const runId = decodeURIComponent(checkpoint[1]!);
    return checkpoint[2] === "async"
      ? checkpointAsync(platform, runId, steps)
      : await checkpointSteps(platform, runId, steps);
  }
  if (post && path === "/v1/signals") return signal(platform, call);
  if (post && path === "/v1/realtime/token") return jsonResponse(201, { jwt: "test.realtime.token" });
  if (post && /^\/v1\/realtime\/publish(\/tee)?$/.test(path)) return jsonResponse(200, {});
  if (post && /^\/v1\/runs\/[^/]+\/metadata$/.test(path)) return jsonResponse(200, {});
  return fail(404, `the test engine has no endpoint ${call.method} ${path}`);
}

function runOutput(platform: Platform, runId: string): Response {
  const run = platform.runs.get(decodeURIComponent(runId));
  if (!run) return fail(404, "no such run");
  if (run.status === "running") return fail(404, "the run goes on");
  return jsonResponse(200, run.status === "completed" ? { data: run.output } : { error: run.error ?? null });
}

/** The run a call is about, from its path or query. */
function runIdOf(url: URL): string | undefined {
  const path = /^\/v[01]\/(?:http\/)?(?:checkpoint|runs)\/([^/]+)/.exec(url.pathname)?.[1];
  return path === undefined ? (url.searchParams.get("run_id") ?? undefined) : decodeURIComponent(path);
}

/** The platform's API as a fetch function. Every call is recorded before it is answered. */
export function createApi(platform: Platform): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const headers = headersOf(request.headers);
    const body = await request.text();
    const runId = runIdOf(url);
    const entry = {
      ...wireEntry({
        channel: url.pathname.startsWith("/e/") ? "event" : "api",
        method: request.method,
        url: request.url,
        status: undefined,
        headers,
        body,
        runId,
        functionId: runId === undefined ? undefined : platform.runs.get(runId)?.functionId,
      }),
      status: 0,
    };
    platform.wire.push(entry);
    const call = { url, method: request.method, headers, body };
    const early = await platform.options.intercept?.({ ...call, url: request.url });
    const response = early ?? (await route(platform, call));
    entry.status = response.status;
    return response;
  };
}

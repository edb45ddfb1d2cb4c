import { StepsealError } from "../errors.ts";
import { type Answer, byteLength, failedAnswer, readAnswer } from "./answer.ts";
import { findFunction } from "./apps.ts";
import { type Fault, sendWith } from "./fault.ts";
import { namedUuid, seededUlid } from "./ids.ts";
import { canonicalJson, isObject } from "./json.ts";
import { type ExecuteJob, type Platform, where } from "./platform.ts";
import { sign, signatureFault } from "./signing.ts";
import { isInputOnly } from "./state.ts";
import type { ExecutionRequest } from "./types.ts";
import { headersOf, wireEntry } from "./wire.ts";

const STATE_LIMIT = 4 * 1024 * 1024;
/** Milliseconds an app may take to answer. */
const TIMEOUT = 20_000;

/** Waits for an answer, but not for ever: an app that hangs is an error that says where. */
async function inTime<T>(answer: Promise<T>, milliseconds: number, place: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `test engine: ${place}: the app did not answer within ${milliseconds} ms (requestTimeout)`;
      reject(new StepsealError("CONFIG", message));
    }, milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A copy of what is stored, which has lost its key order already. */
const copyOf = <T>(stored: T): T => JSON.parse(JSON.stringify(stored)) as T;

const unreachable = (): Answer => failedAnswer("Error", "Unable to reach SDK URL");

/** The body of an execution request. Too large a state is left out, for the app to fetch. */
function requestBody(platform: Platform, job: ExecuteJob, maxAttempts: number): ExecutionRequest {
  const { run } = job;
  const stack = run.stack;
  const jobId = namedUuid(`${run.id} ${job.stepId ?? ""} ${job.after ?? ""}`);
  const events = copyOf(run.events).map((event) => ({ ...event, user: event.user ?? {} }));
  const offered = platform.options.checkpointing !== false;
  const body: ExecutionRequest = {
    event: events[0] ?? {},
    events,
    steps: copyOf(Object.fromEntries(run.steps)),
    defers: Object.fromEntries(
      [...run.defers].map(([id, defer]) => [id, { abortable: defer.status === "after-run" }]),
    ),
    ctx: {
      ...(offered ? { fn_id: namedUuid(run.functionId), qi_id: `test:${jobId}` } : {}),
      run_id: run.id,
      env: "",
      step_id: "step",
      attempt: job.attempt,
      max_attempts: maxAttempts,
      stack: { stack, current: job.after === undefined ? 0 : stack.indexOf(job.after) + 1 },
      request_id: seededUlid(platform.now, `${jobId}:${job.dispatches}`),
      generation_id: job.dispatches,
      job_id: jobId,
      disable_immediate_execution: run.forceStepPlan,
      use_api: false,
    },
    version: run.requestVersion,
    use_api: false,
  };
  const limit = platform.options.stateLimitBytes ?? STATE_LIMIT;
  const leaveOut = (): void => {
    body.steps = {};
    body.ctx.use_api = true;
    body.use_api = true;
  };
  if (byteLength(JSON.stringify(body.steps)) > limit - 1024) leaveOut();
  if (byteLength(JSON.stringify(body)) > limit) {
    leaveOut();
    body.events = [];
  }
  return body;
}

/**
 * Sends one execution request to the app and reads what comes back: two answers to a request that is repeated.
 *
 * @throws StepsealError `CORRUPT` `CONFIG`
 */
export async function dispatch(
  platform: Platform,
  job: ExecuteJob,
  fault?: Exclude<Fault, object>,
): Promise<readonly [Answer, Answer?]> {
  const { run } = job;
  const fn = findFunction(platform, run.functionId);
  const send = run.endpoint ? platform.endpoint : platform.apps.get(run.appId)?.send;
  if (!send || (!fn && !run.endpoint)) {
    const fix = run.endpoint ? "give its handler to engine.endpoint()" : "serve its app";
    throw new StepsealError("CONFIG", `test engine: ${where(run)}: there is nothing to send it to; ${fix}`);
  }
  job.dispatches += 1;
  run.requests += 1;
  let body = requestBody(platform, job, run.maxAttempts ?? fn?.maxAttempts ?? 1);
  const { request_id, generation_id, job_id } = body.ctx;
  const common: Record<string, string> = {
    "x-run-id": run.id,
    "x-request-id": request_id,
    "x-inngest-generation-id": String(generation_id),
    "x-inngest-job-id": job_id,
    "x-inngest-req-version": String(run.requestVersion),
  };
  let request: OutgoingRequest;
  if (fn) {
    const url = new URL(fn.url);
    url.searchParams.set("stepId", job.stepId ?? "step");
    body = platform.options.onExecute?.(body, { run, url: url.href }) ?? body;
    const headers = {
      "content-type": "application/json",
      ...common,
      "x-inngest-step-id": job.stepId ?? "step",
    };
    request = { method: "POST", url: url.href, headers, body: canonicalJson(body) };
  } else request = endpointRequest(job, common);

  const key = platform.options.signWith === "fallback" ? platform.signingKeyFallback : platform.signingKey;
  if (key !== undefined) {
    request.headers["x-inngest-signature"] = sign(request.method === "GET" ? "" : request.body, key);
  }
  const about = { place: where(run, job.stepId), runId: run.id, functionId: run.functionId };
  return sendWith(fault, () => exchange(platform, send, request, key, about), unreachable);
}

interface OutgoingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** The request that enters a durable endpoint again: the first one, with the platform's headers. */
function endpointRequest(job: ExecuteJob, common: Record<string, string>): OutgoingRequest {
  const { run } = job;
  const { url, method } = run.endpoint!;
  const body = typeof run.event.data.body === "string" ? run.event.data.body : "";
  const headers: Record<string, string> = {
    "content-type": typeof run.event.data.content_type === "string" ? run.event.data.content_type : "",
    ...common,
    ...(run.forceStepPlan ? { "x-inngest-force-step-plan": "true" } : {}),
    ...(job.stepId === undefined ? {} : { "x-inngest-step-id": job.stepId }),
  };
  if (headers["content-type"] === "") headers["content-type"] = "application/json";
  return { method, url, headers, body };
}

/** Sends a request, records the answer, checks its signature and reads it. */
async function exchange(
  platform: Platform,
  send: (request: Request) => Promise<Response>,
  request: OutgoingRequest,
  key: string | undefined,
  about: { place: string; runId: string; functionId: string },
): Promise<Answer> {
  const { method, url } = request;
  const exchanged = async (): Promise<{ response: Response; body: string } | undefined> => {
    try {
      const content = method === "GET" ? {} : { body: request.body };
      // As HTTP has it: SDKs before 3.54 read no body without it.
      const length = method === "GET" ? {} : { "content-length": String(byteLength(request.body)) };
      const headers = { ...request.headers, ...length };
      const response = await send(new Request(url, { method, headers, ...content }));
      return { response, body: await response.text() };
    } catch {
      return undefined;
    }
  };
  const result = await inTime(exchanged(), platform.options.requestTimeout ?? TIMEOUT, about.place);
  if (!result) return unreachable();
  const { response } = result;
  let { body } = result;
  let status = response.status;
  let headers = headersOf(response.headers);
  const { place, runId, functionId } = about;
  platform.wire.push(
    wireEntry({
      channel: "response",
      method,
      url,
      status,
      headers,
      body,
      runId,
      functionId,
    }),
  );
  // A streamed answer: 201, spaces while it is worked on, then status, headers and body as JSON.
  if (status === 201) {
    let streamed: unknown;
    try {
      streamed = JSON.parse(body);
    } catch {
      return failedAnswer("Error", "error parsing stream: the body is not JSON");
    }
    if (!isObject(streamed) || typeof streamed.status !== "number") {
      return failedAnswer("Error", "error parsing stream: no status");
    }
    status = streamed.status;
    body = typeof streamed.body === "string" ? streamed.body : JSON.stringify(streamed.body ?? "");
    const late = isObject(streamed.headers) ? Object.entries(streamed.headers) : [];
    headers = { ...headers, ...Object.fromEntries(late.map(([k, v]) => [k.toLowerCase(), String(v)])) };
  }
  if (key !== undefined) checkSignature(place, { status, headers, body }, key);
  return readAnswer(platform.now, { status, headers, body });
}

/**
 * An answer must be signed with the key that signed its request. A 5xx that no SDK made, such as one of a
 * crash or a proxy, cannot be, and goes the way of any failed request.
 */
function checkSignature(
  place: string,
  response: { status: number; headers: Record<string, string>; body: string },
  key: string,
): void {
  const fault = signatureFault(response.headers["x-inngest-signature"], response.body, key);
  if (fault === undefined) return;
  if (response.status >= 500 && response.headers["x-inngest-sdk"] === undefined) return;
  const hint =
    response.status === 401
      ? "; the app refused the request: give its client engine.clientOptions, the signing key included"
      : "";
  throw new StepsealError(
    "CORRUPT",
    `test engine: ${place}: the app's response (status ${response.status}) is not to be trusted: ${fault}${hint}`,
  );
}

/** The steps of a run as the API gives them: what the request body would have held. */
export function stepsForApi(steps: Map<string, unknown>): string {
  return canonicalJson(Object.fromEntries([...steps].filter(([, step]) => !isInputOnly(step as never))));
}

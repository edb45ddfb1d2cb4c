import { StepsealError } from "../../errors.ts";
import type { Sealer } from "../../sealer.ts";
import { openJournal } from "./journal.ts";
import { openDeadLetters, openLogs } from "./logs.ts";
import { readMessage, sealMessage } from "./message.ts";
import type { UpstashSettings } from "./options.ts";
import { eventPlace, type RunState, resultPlace } from "./place.ts";
import { checkStep } from "./steps.ts";
import { isObject, parse, sealText } from "./text.ts";
import { watched } from "./watch.ts";

/** A request as the SDK's http client takes it (@upstash/qstash 2, client/http.ts). */
export interface OutgoingRequest {
  readonly path: readonly string[];
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: HeadersInit;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly parseResponseAsJson?: boolean;
  readonly baseUrl?: string;
}

/** What a request is sealed and its answer opened with. */
export interface Door {
  readonly sealer: Sealer;
  readonly settings: UpstashSettings;
  /** The run that sends; undefined for a client outside of any run. */
  readonly state: RunState | undefined;
}

interface Endpoint {
  /** The beginning of its path. */
  readonly path: string;
  /** Segments that follow, at most. */
  readonly more: number;
  /** The request with what may leave. Left out: a request without a body. */
  readonly seal?: (request: OutgoingRequest, door: Door, rest: readonly string[]) => OutgoingRequest;
  /** What the app gets to see of the answer. Left out: what came. */
  readonly open?: (answer: unknown, door: Door) => unknown;
}

/** Every path of QStash that the SDK calls, by method. One that is not here is refused. */
const ENDPOINTS: Readonly<Record<string, readonly Endpoint[]>> = {
  POST: [
    { path: "v2/batch", more: 0, seal: sealBatch },
    { path: "v2/publish", more: 1, seal: sealPublish },
    { path: "v2/notify", more: 2, seal: sealNotify },
    { path: "v2/wait", more: 1, seal: checkWait },
    { path: "v2/workflows/dlq/resume", more: 0 },
    { path: "v2/workflows/dlq/restart", more: 0 },
    { path: "v2/workflows/dlq/callback", more: 1 },
  ],
  GET: [
    { path: "v2/workflows/runs", more: 1, open: openState },
    { path: "v2/workflows/events", more: 0, open: openLogs },
    { path: "v2/dlq", more: 0, open: openDeadLetters },
    { path: "v2/waiters", more: 1 },
  ],
  DELETE: [
    { path: "v2/workflows/runs", more: 1, seal: sealResult },
    { path: "v2/workflows/dlq", more: 0 },
  ],
};

/** A request that was sealed, and how to read its answer. */
export interface SealedRequest {
  readonly request: OutgoingRequest;
  readonly open: (answer: unknown, door: Door) => unknown;
}

/**
 * Seals a request of the SDK.
 *
 * @throws {StepsealError} REFUSED for a path that is not known, and for what no option allows
 */
export function sealRequest(request: OutgoingRequest, door: Door): SealedRequest {
  const method = request.method ?? "GET";
  const path = request.path.join("/");
  const endpoint =
    request.baseUrl === undefined ? ENDPOINTS[method]?.find((one) => matches(one, request)) : undefined;
  if (endpoint === undefined) {
    throw new StepsealError(
      "REFUSED",
      `A request would leave on a path that this version of stepseal does not know: ${method} ${path.split("?", 1)[0]?.slice(0, 64)}.`,
    );
  }
  const { seal = withoutBody, open = (answer) => answer } = endpoint;
  const rest = request.path.slice(endpoint.path.split("/").length);
  return { request: seal(request, door, rest), open };
}

function matches({ path, more, seal }: Endpoint, request: OutgoingRequest): boolean {
  const length = path.split("/").length;
  const named = request.path.slice(0, length).join("/");
  // The SDK's first versions write the query into the path of what has no body.
  if (named !== path && !(seal === undefined && named.startsWith(`${path}?`))) return false;
  if (request.path.length > length + more) return false;
  // Ids stand in the path as they are: with dots, one would lead to another path.
  return `${new URL(request.path.join("/"), "http://q/").pathname}/`.startsWith(`/${path}/`);
}

function withoutBody(request: OutgoingRequest): OutgoingRequest {
  if (request.body === undefined) return request;
  throw unreadable(request);
}

function sealBatch(request: OutgoingRequest, door: Door): OutgoingRequest {
  const messages = typeof request.body === "string" ? parse(request.body)?.value : undefined;
  if (!Array.isArray(messages)) throw unreadable(request);
  return {
    ...request,
    body: JSON.stringify(messages.map((message) => sealMessage(readMessage(message), door))),
  };
}

function sealPublish(
  request: OutgoingRequest,
  door: Door,
  [destination]: readonly string[],
): OutgoingRequest {
  const headers = Object.fromEntries(new Headers(request.headers));
  const { body, headers: sealed } = sealMessage(
    readMessage({ destination, headers, body: request.body }),
    door,
  );
  return { ...request, body, headers: sealed };
}

function sealNotify(request: OutgoingRequest, { sealer }: Door, rest: readonly string[]): OutgoingRequest {
  const { body } = request;
  if (body !== undefined && typeof body !== "string") throw unreadable(request);
  return { ...request, body: sealText(sealer, body, eventPlace(rest.at(-1) ?? "")) };
}

/** Says what is waited for, and no more than that. */
function checkWait(request: OutgoingRequest, { settings }: Door): OutgoingRequest {
  const wait = typeof request.body === "string" ? parse(request.body)?.value : undefined;
  if (!isObject(wait) || !isObject(wait.step)) throw unreadable(request);
  const { url, timeout, timeoutUrl, timeoutHeaders, step, ...others } = wait;
  if (Object.keys(others).length > 0) throw unreadable(request);
  checkStep(wait.step, settings);
  return request;
}

/** What a run returns, and that it was cancelled. */
function sealResult(
  request: OutgoingRequest,
  { sealer, state }: Door,
  [run]: readonly string[],
): OutgoingRequest {
  if (run === undefined) return checkFilter(request);
  if (run.endsWith("?cancel=true")) return withoutBody(request);
  const { body } = request;
  if (run !== `${state?.run}?cancel=false` || (body !== undefined && typeof body !== "string")) {
    throw unreadable(request);
  }
  return { ...request, body: sealText(sealer, body, resultPlace(watched(state))) };
}

/** Which runs an administrator cancels. The SDK's first versions say it in a body: ids, or how a URL begins. */
function checkFilter(request: OutgoingRequest): OutgoingRequest {
  if (request.body === undefined) return request;
  const filter = typeof request.body === "string" ? parse(request.body)?.value : undefined;
  if (!isObject(filter)) throw unreadable(request);
  const { workflowRunIds, workflowUrl, ...others } = filter;
  if (Object.keys(others).length > 0) throw unreadable(request);
  return request;
}

function openState(answer: unknown, { sealer, settings, state }: Door): unknown {
  return state === undefined ? answer : openJournal(sealer, answer, state, settings);
}

function unreadable({ method = "GET", path }: OutgoingRequest): StepsealError {
  return new StepsealError(
    "REFUSED",
    `A request to ${method} ${path.slice(0, 2).join("/")} would leave in a shape that this version of stepseal does not know.`,
  );
}

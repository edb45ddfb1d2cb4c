import { isObject, text } from "../json.ts";
import type { ApiRequest } from "../types.ts";
import { jsonResponse } from "../wire.ts";
import { accept, type Receipt } from "./accept.ts";
import { cancelMany, deleteLetters, listLetters, rerunMany } from "./bulk.ts";
import { removeLetter, restart, resume, retryFailureCallback } from "./dead-letters.ts";
import { fieldsOf } from "./fields.ts";
import { runLogs } from "./logs.ts";
import { messageLog } from "./message-log.ts";
import { cancelRun, endRun } from "./runs.ts";
import { ApiError, nextId, type Platform, runOf } from "./state.ts";
import { notify, wait, webhookEvent } from "./waits.ts";

/** A call of the API, taken apart. */
export interface Call {
  readonly request: ApiRequest;
  readonly url: URL;
  /** What the parts of an endpoint's path that vary are. */
  readonly parts: readonly string[];
}

/** An endpoint: its method, its path, and what it answers. */
interface Endpoint {
  readonly method: string;
  readonly path: RegExp;
  /** Webhooks are called by third parties, without a token. */
  readonly open?: true;
  readonly answer: (platform: Platform, call: Call) => Response;
}

/** The URL in a path such as `/v2/publish/https://app.example.com/a?b`, as it stands there. */
function destination(call: Call, prefix: string): string {
  const rest = call.request.url.slice(call.url.origin.length + prefix.length);
  return /^https?:\/\//.test(rest) ? rest : decodeURIComponent(rest);
}

const json = (body: unknown, status = 200): Response => jsonResponse(status, body);

/** `POST /v2/batch`: messages, each with its destination, headers and body. */
function batch(platform: Platform, { request }: Call): Response {
  let messages: unknown;
  try {
    messages = JSON.parse(request.body);
  } catch {
    // Told below.
  }
  if (!Array.isArray(messages)) throw new ApiError(400, "a batch must be a JSON array");
  // Not established: what the server does with a batch of which one message is refused. Here those before it are taken.
  const receipts = messages.map((one: unknown): Receipt => {
    const message = isObject(one) ? one : {};
    const fields = fieldsOf(isObject(message.headers) ? message.headers : {});
    if (typeof (message.body ?? "") !== "string")
      throw new ApiError(400, "the body of a message must be a string");
    return accept(platform, text(message.destination) ?? "", fields, text(message.body) ?? "");
  });
  return json(receipts);
}

/** `POST /v2/publish/<url>`: one message, its fields in the headers. */
function publish(platform: Platform, call: Call): Response {
  const { headers, body } = call.request;
  const receipt = accept(platform, destination(call, "/v2/publish/"), fieldsOf(headers), body);
  return json(receipt, receipt.deduplicated ? 202 : 200);
}

/** `POST /v2/trigger/<url>`: a run without an SDK's client. */
function trigger(platform: Platform, call: Call): Response {
  const url = destination(call, "/v2/trigger/");
  const own = fieldsOf(call.request.headers);
  const id = own["upstash-workflow-runid"] ?? nextId(platform, "wfr");
  const fields = {
    // What the SDK's client sends; without the first header the SDK takes the delivery for a direct trigger.
    "upstash-forward-upstash-workflow-sdk-version": "1",
    "upstash-feature-set": "LazyFetch,InitialBody,WF_DetectTrigger,WF_TriggerOnConfig",
    ...own,
    "upstash-workflow-runid": id,
    "upstash-workflow-init": "true",
    "upstash-workflow-url": url,
  };
  accept(platform, url, fields, call.request.body);
  return json({ workflowRunId: id, workflowCreatedAt: runOf(platform, id)?.createdAt });
}

function journal(platform: Platform, { parts: [id = ""] }: Call): Response {
  const run = runOf(platform, id);
  // 404 once the run is over, says the SDK's getSteps.
  if (run?.state !== "RUN_STARTED") throw new ApiError(404, `workflow run ${id} not found`);
  return json(run.journal);
}

/** `DELETE /v2/workflows/runs/<id>`: with `cancel=false` the run has returned, and the body is what. */
function endOrCancel(platform: Platform, { request, url, parts: [id = ""] }: Call): Response {
  if (url.searchParams.get("cancel") !== "false") cancelRun(platform, id);
  else {
    const run = runOf(platform, id);
    if (run?.state !== "RUN_STARTED") throw new ApiError(404, `workflow run ${id} not found`);
    endRun(platform, run, "RUN_SUCCESS", request.body === "" ? undefined : request.body);
  }
  return new Response(null, { status: 200 });
}

/** `/v2/workflows/hooks/<user>/<run>/<event>`: the run that made the webhook finds it whenever it waits. */
function webhook(platform: Platform, { request, url, parts: [, runId = "", eventId = ""] }: Call): Response {
  const { method, headers, body } = request;
  notify(platform, eventId, webhookEvent({ method, url, headers, body }), runId);
  return new Response(null, { status: 200 });
}

/** What a resume or restart may set anew. */
const overrides = (call: Call): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fieldsOf(call.request.headers)).filter(([name]) =>
      /^upstash-(?:retries|delay|retry-delay|label|failure-callback|flow-control-.*)$/.test(name),
    ),
  );

const about = (run: { readonly id: string; readonly createdAt: number }): object => ({
  workflowRunId: run.id,
  workflowCreatedAt: run.createdAt,
});

/** Every endpoint there is here, as the SDK's clients and the API's reference have them. */
export const ENDPOINTS: readonly Endpoint[] = [
  { method: "POST", path: /^\/v2\/batch$/, answer: batch },
  { method: "POST", path: /^\/v2\/publish\//, answer: publish },
  { method: "POST", path: /^\/v2\/trigger\//, answer: trigger },
  { method: "GET", path: /^\/v2\/workflows\/runs\/([^/]+)$/, answer: journal },
  { method: "DELETE", path: /^\/v2\/workflows\/runs\/([^/]+)$/, answer: endOrCancel },
  {
    method: "DELETE",
    path: /^\/v2\/workflows\/runs$/,
    answer: (platform, { url }) => json({ cancelled: cancelMany(platform, url.searchParams) }),
  },
  {
    method: "POST",
    path: /^\/v2\/wait\/([^/]+)$/,
    answer: (platform, { request, parts: [eventId = ""] }) => {
      wait(platform, eventId, fieldsOf(request.headers), request.body);
      return new Response(null, { status: 201 });
    },
  },
  {
    method: "POST",
    path: /^\/v2\/notify\/([^/]+)$/,
    answer: (platform, { request, parts: [eventId = ""] }) =>
      json(notify(platform, eventId, request.body), 201),
  },
  {
    method: "POST",
    path: /^\/v2\/notify\/([^/]+)\/([^/]+)$/,
    answer: (platform, { request, parts: [runId = "", eventId = ""] }) =>
      json(notify(platform, eventId, request.body, runId), 201),
  },
  {
    method: "GET",
    path: /^\/v2\/waiters\/([^/]+)$/,
    answer: (platform, { parts: [eventId] }) =>
      json([...platform.waits].filter((one) => one.eventId === eventId).map((one) => one.waiter)),
  },
  { method: "*", path: /^\/v2\/workflows\/hooks\/([^/]+)\/([^/]+)\/([^/]+)$/, open: true, answer: webhook },
  {
    method: "GET",
    path: /^\/v2\/workflows\/(?:events|logs)$/,
    answer: (platform, { url }) => json(runLogs(platform, url.searchParams)),
  },
  {
    method: "GET",
    path: /^\/v2\/(?:events|logs)$/,
    answer: (platform, { url }) => json(messageLog(platform, url.searchParams)),
  },
  {
    method: "GET",
    path: /^\/v2\/(?:workflows\/)?dlq$/,
    answer: (platform, { url }) => json(listLetters(platform, url.searchParams)),
  },
  {
    method: "DELETE",
    path: /^\/v2\/(?:workflows\/)?dlq$/,
    answer: (platform, { url }) => json(deleteLetters(platform, url.searchParams)),
  },
  {
    method: "DELETE",
    path: /^\/v2\/(?:workflows\/)?dlq\/([^/]+)$/,
    answer: (platform, { parts: [dlqId = ""] }) => {
      if (!removeLetter(platform, dlqId)) throw new ApiError(404, `dlq message ${dlqId} not found`);
      return new Response(null, { status: 200 });
    },
  },
  {
    method: "POST",
    path: /^\/v2\/workflows\/dlq\/(resume|restart)$/,
    answer: (platform, call) => {
      const rerun = call.parts[0] === "resume" ? resume : restart;
      const { runs, cursor } = rerunMany(platform, call.url.searchParams, (id) =>
        rerun(platform, id, overrides(call)),
      );
      return json({ cursor, workflowRuns: runs.map(about) });
    },
  },
  {
    method: "POST",
    path: /^\/v2\/workflows\/dlq\/(resume|restart)\/([^/]+)$/,
    answer: (platform, call) => {
      const [which, dlqId = ""] = call.parts;
      return json(about((which === "resume" ? resume : restart)(platform, dlqId, overrides(call))));
    },
  },
  {
    method: "POST",
    path: /^\/v2\/workflows\/dlq\/callback\/([^/]+)$/,
    answer: (platform, { parts: [dlqId = ""] }) => json(about(retryFailureCallback(platform, dlqId))),
  },
];

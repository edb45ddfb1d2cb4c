import { parseUrl } from "../../internal/url.ts";
import { isObject, text } from "../json.ts";
import { type Fields, fieldsOf, forwardedHeaders } from "./fields.ts";
import { post, postEntry } from "./messages.ts";
import { openRun, startRun } from "./runs.ts";
import { ApiError, type Invoker, type Message, nextId, type Platform, runOf } from "./state.ts";

/** Milliseconds in which a message is a duplicate (upstash.com/docs/qstash/features/deduplication). */
const DEDUPLICATION = 600_000;

/** The answer to something published. */
export interface Receipt {
  readonly messageId: string;
  readonly url?: string;
  readonly deduplicated?: boolean;
}

/** Takes in what was published, by the app or from outside. @throws ApiError 400 */
export function accept(platform: Platform, url: string, fields: Fields, body: string): Receipt {
  if (parseUrl(url) === undefined || !/^https?:\/\//.test(url)) {
    throw new ApiError(400, `invalid destination url: ${JSON.stringify(url)}`);
  }
  const key = duplicateKey(url, fields, body);
  const known = key === undefined ? undefined : platform.duplicates.get(key);
  if (known !== undefined && platform.now - known.at <= DEDUPLICATION) {
    return { messageId: known.messageId, deduplicated: true };
  }
  const receipt = route(platform, url, fields, body);
  if (key !== undefined) platform.duplicates.set(key, { at: platform.now, messageId: receipt.messageId });
  return receipt;
}

/** What a message must not have in common with another: the id it gives, or its content. */
function duplicateKey(url: string, fields: Fields, body: string): string | undefined {
  const id = fields["upstash-deduplication-id"];
  if (id !== undefined) return `id ${id}`;
  if (fields["upstash-content-based-deduplication"] !== "true") return undefined;
  return `content ${JSON.stringify([url, body, Object.entries(forwardedHeaders(fields)).sort()])}`;
}

function route(platform: Platform, url: string, fields: Fields, body: string): Receipt {
  const runId = fields["upstash-workflow-runid"];
  if (runId === undefined) return receipt(post(platform, { kind: "message", url, fields, body }));
  if (fields["upstash-workflow-init"] === "true") return trigger(platform, runId, url, fields, body);
  const run = openRun(platform, runId);
  if (fields["upstash-workflow-calltype"] === "toCallback") {
    return receipt(postEntry(platform, run, "toCallback", { kind: "call", url, fields, body }));
  }
  return receipt(postEntry(platform, run, "step", { kind: "step", url, fields, body }));
}

const receipt = (message: Message): Receipt => ({ messageId: message.id });

function trigger(platform: Platform, id: string, url: string, fields: Fields, body: string): Receipt {
  // The server deduplicates by content, for how long after the run's end was not established. Here a run id is taken
  // while its run goes on.
  if (runOf(platform, id)?.state === "RUN_STARTED") {
    return { messageId: nextId(platform, "msg"), deduplicated: true };
  }
  if (fields["upstash-workflow-invoke"] !== "true") {
    return receipt(startRun(platform, { id, url, fields, payload: body }).message);
  }
  const { invoker, payload } = readInvocation(platform, body);
  const started = startRun(platform, { id, url, fields, payload, invoker });
  invoker.run.invoked.set(text(invoker.step.stepName) ?? "", started.run);
  return receipt(started.message);
}

/** Reads the JSON of a `context.invoke`: who is to be told, and the payload. @throws ApiError 400 */
function readInvocation(
  platform: Platform,
  body: string,
): { readonly invoker: Invoker; readonly payload: string } {
  const request = parseObject(body, "an invocation");
  const runId = text(request.workflowRunId);
  const url = text(request.workflowUrl);
  if (runId === undefined || url === undefined || !isObject(request.step)) {
    throw new ApiError(400, "an invocation needs workflowRunId, workflowUrl and step");
  }
  const run = openRun(platform, runId);
  const fields = fieldsOf(isObject(request.headers) ? request.headers : {});
  return { invoker: { run, url, fields, step: request.step }, payload: text(request.body) ?? "" };
}

/** A JSON object of a request's body. @throws ApiError 400 */
export function parseObject(body: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // Told below, like any other value that is no object.
  }
  if (!isObject(value)) throw new ApiError(400, `${what} must be a JSON object`);
  return value;
}

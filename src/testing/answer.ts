import { retryTime } from "./clock.ts";
import { isObject, type JsonObject, text } from "./json.ts";

/** One op of an answer, as the app reported it. */
export interface Op {
  readonly id: string;
  readonly op: string;
  readonly name: string;
  readonly displayName: string | undefined;
  /** The id the user gave the step. */
  readonly userlandId: string | undefined;
  readonly opts: JsonObject;
  readonly data: unknown;
  readonly error: unknown;
}

/** What the platform makes of an answer to an execution request. */
export interface Answer {
  /** Empty when the answer is the function's own result or error. */
  readonly ops: readonly Op[];
  /** The body; absent when it is empty. */
  readonly output?: unknown;
  /** Why the request failed; a step that fails in the app is no such failure. */
  readonly err: string | undefined;
  readonly noRetry: boolean;
  readonly retryAt: number | undefined;
  /** The execution version the app speaks; 0 when it does not say. */
  readonly requestVersion: number;
}

/** The largest step result and the largest answer, in bytes. */
const STEP_LIMIT = 4 * 1024 * 1024;
const ANSWER_LIMIT = 8 * 1024 * 1024;

/** Size of a text in UTF-8. */
export function byteLength(value: string): number {
  return new TextEncoder().encode(value).length;
}

/** Reads an op. An op that is no object, or has no code, is an empty one, which does nothing. */
export function readOp(raw: unknown): Op {
  const op = isObject(raw) ? raw : {};
  return {
    id: text(op.id) ?? "",
    op: text(op.op) ?? "None",
    name: text(op.name) ?? "",
    displayName: text(op.displayName),
    userlandId: isObject(op.userland) ? text(op.userland.id) : undefined,
    opts: isObject(op.opts) ? op.opts : {},
    data: op.data ?? null,
    error: op.error,
  };
}

const NO_ANSWER = { ops: [], noRetry: false, retryAt: undefined, requestVersion: 0 };

/** The answer of the platform's side when the request itself failed: the output is the error's JSON text. */
export function failedAnswer(name: string, message: string): Answer {
  const error = name === "Error" ? message : `${name}: ${message}`;
  const output = JSON.stringify({ error: { error, name, message } });
  return { ...NO_ANSWER, output, err: name === "Error" ? message : name };
}

function parsed(body: string): unknown {
  try {
    const value: unknown = JSON.parse(body);
    // A text that holds a JSON object counts as that object: the platform undoes double encoding.
    if (typeof value === "string" && /^\{[\s\S]*\}$/.test(value)) {
      try {
        return JSON.parse(value);
      } catch {
        return value;
      }
    }
    return value;
  } catch {
    return body;
  }
}

function upstreamError(status: number, body: string, contentType: string | undefined): JsonObject {
  const message = `Your server returned HTTP ${status} before the SDK responded.`;
  const label = contentType ?? "unknown content-type";
  const stack = body === "" ? "No step output was produced." : `Upstream response (${label}):\n${body}`;
  return { error: message, name: "Server returned a fatal error", message, stack };
}

/** Reads an answer. `now` is the virtual time, for `Retry-After`. */
export function readAnswer(
  now: number,
  response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  },
): Answer {
  const { status, headers, body } = response;
  if (byteLength(body) > ANSWER_LIMIT) {
    return failedAnswer("output_too_large", "Your function's response body exceeds the maximum size limit");
  }
  const fromSdk = headers["x-inngest-sdk"] !== undefined;
  const noRetry = headers["x-inngest-no-retry"] === "true";
  const retryAfter = headers["retry-after"];
  const common = {
    noRetry,
    retryAt: retryAfter === undefined ? undefined : retryTime(now, retryAfter),
    requestVersion: Number.parseInt(headers["x-inngest-req-version"] ?? "0", 10) || 0,
  };
  const notSdk =
    status >= 200 && status <= 299 && !fromSdk
      ? "not_sdk: The response did not come from an Inngest SDK"
      : undefined;
  if (status === 206) {
    const raw = parsed(body);
    if (!Array.isArray(raw) && !isObject(raw)) {
      return failedAnswer("Error", "error reading generator opcode response: expected JSON object or array");
    }
    const ops = (Array.isArray(raw) ? raw : [raw]).map(readOp);
    for (const op of ops) {
      const output =
        op.op === "StepError" || op.op === "StepFailed" ? { error: op.error } : { data: op.data };
      if (byteLength(JSON.stringify(output)) > STEP_LIMIT) {
        const message = `error validating generator opcode ${op.id}: step output size is greater than the limit`;
        return failedAnswer("Error", message);
      }
      if (op.op === "StepError" && !isObject(op.error)) {
        return failedAnswer("Error", "OpcodeStepError received without Error field set");
      }
    }
    return { ...common, ops: ops.length > 0 ? ops : [readOp({})], err: notSdk };
  }
  let err = status < 200 || status > 299 ? `invalid status code: ${status}` : notSdk;
  let output: unknown = body === "" ? undefined : parsed(body);
  if ((status < 200 || status > 299) && !fromSdk)
    output = upstreamError(status, body, headers["content-type"]);
  if (noRetry) err = "NonRetriableError";
  return { ...common, ops: [], err, ...(output === undefined ? {} : { output }) };
}

/** The error object inside an output: under `error` or `body`, as an object or its JSON text, or the output. */
function errorFields(output: JsonObject): JsonObject {
  for (const field of ["error", "body"]) {
    const value = output[field];
    if (isObject(value)) return value;
    if (typeof value !== "string" || value.length > 32 * 1024) continue;
    const inner = parsed(value);
    if (isObject(inner)) return inner;
  }
  return output;
}

/** The error a failed answer is stored as: `{ error, name, message, stack?, cause? }`. */
export function standardError(answer: Pick<Answer, "output" | "err">): JsonObject {
  const { output, err } = answer;
  const fallback = "Function execution error";
  const source = isObject(output)
    ? errorFields(output)
    : typeof output === "string"
      ? { message: output }
      : {};
  const pick = (key: string): string | undefined => text(source[key]) || undefined;
  const stack = pick("stack");
  return {
    error: pick("error") ?? err ?? fallback,
    name: pick("name") ?? "Error",
    message: pick("message") ?? err ?? fallback,
    ...(stack === undefined ? {} : { stack }),
    ...(source.cause === undefined ? {} : { cause: source.cause }),
  };
}

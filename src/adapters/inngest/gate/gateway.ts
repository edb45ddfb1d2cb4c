import { StepsealError } from "../../../errors.ts";
import { isObject } from "./event.ts";

/** What the SDK's `fetch` reads of a step's result to make a `Response`. */
interface GatewayResult {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
  readonly status_code: number;
}

/** Headers about the body as it was on the way, which is not how it is kept. */
const TRANSFER_HEADERS = new Set(["content-encoding", "content-length", "transfer-encoding"]);

/** Answers that have no body; `new Response` refuses one, even an empty one. */
const WITHOUT_BODY = new Set([101, 103, 204, 205, 304]);

/**
 * Makes the request of a `step.fetch` on this server, in the form in which the platform would have kept its response.
 *
 * @param args those of `fetch`
 * @throws an error named `GatewayError`, as the platform reports one, where no response came
 */
export async function requestLocally(args: readonly unknown[]): Promise<GatewayResult> {
  const [input, init] = args as [RequestInfo | URL, RequestInit | undefined];
  try {
    const response = await globalThis.fetch(input, init);
    const text = await response.text();
    const headers = [...response.headers].filter(([name]) => !TRANSFER_HEADERS.has(name));
    return {
      url: input instanceof Request ? input.url : String(input),
      headers: Object.fromEntries(headers),
      body: WITHOUT_BODY.has(response.status) ? null : text,
      status_code: response.status,
    };
  } catch (cause) {
    throw named("GatewayError", `Error making gateway request: ${reason(cause)}`, { cause });
  }
}

/** What `step.ai.infer` is given, as far as it is read here. */
interface InferOptions {
  readonly model: Record<string, unknown> & {
    readonly onCall?: (model: unknown, body: unknown) => void;
  };
  readonly body: unknown;
}

/**
 * Makes the request of a `step.ai.infer` on this server. URL, headers and where the key goes are those of the
 * platform: github.com/inngest/inngest, pkg/util/aigateway/request.go.
 *
 * @param args those of `step.ai.infer` after the step's id
 * @param edited members of the body that an operator set for a rerun, as the platform would merge them in
 * @returns the provider's response, parsed
 * @throws an error named `AIGatewayError`, as the platform reports one; the step is tried again as any other
 */
export async function inferLocally(
  args: readonly unknown[],
  edited: readonly unknown[] = [],
): Promise<unknown> {
  const { model, body: given, ...rest } = args[0] as InferOptions;
  const body = { ...(given as object), ...(edited[0] as object | undefined) };
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw new StepsealError(
      "REFUSED",
      `step.ai.infer with gateway: "local": its option "${unknown}" is for the platform; leave it out`,
    );
  }
  // The SDK lets the model's adapter complete a copy of it and the body.
  const copy: Record<string, unknown> = { ...model };
  model.onCall?.(copy, body);
  const { url, headers } = inferenceRequest(copy);
  let status: number;
  let text: string;
  try {
    const response = await globalThis.fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    throw named("AIGatewayError", `Error making AI request: ${reason(cause)}`, { cause });
  }
  if (status > 299) {
    const error = named("AIGatewayError", `Error making AI request: unsuccessful status code: ${status}`);
    // As the platform does: the provider's own words, where a developer looks for them.
    error.stack = text === "" ? '{"error":"Error making AI request"}' : text;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw named("AIGatewayError", "Error making AI request: the response is not JSON", { cause });
  }
}

function inferenceRequest(model: Record<string, unknown>): { url: URL; headers: Headers } {
  const url = new URL(String(model.url));
  const key = String(model.authKey ?? "");
  const headers = new Headers({ "content-type": "application/json" });
  if (model.format === "gemini") url.searchParams.append("key", key);
  else if (model.format === "bedrock") headers.append("authorization", key);
  else if (model.format === "anthropic") headers.append("x-api-key", key);
  else headers.append("authorization", `Bearer ${key}`);
  if (isObject(model.headers)) {
    for (const [name, value] of Object.entries(model.headers)) headers.append(name, String(value));
  }
  return { url, headers };
}

function named(name: string, message: string, options?: ErrorOptions): Error {
  const error = new Error(message, options);
  error.name = name;
  return error;
}

/** `fetch failed` says nothing; its cause says what did. */
function reason(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "unknown";
  return thrown.cause instanceof Error ? `${thrown.message}: ${thrown.cause.message}` : thrown.message;
}

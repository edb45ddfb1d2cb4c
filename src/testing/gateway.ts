import type { Op } from "./answer.ts";
import { isObject, text } from "./json.ts";
import { type Platform, unsupported, where } from "./platform.ts";
import type { RunRecord } from "./state.ts";
import type { StoredStep } from "./stored.ts";
import type { GatewayResponse } from "./types.ts";

const asText = (body: unknown): string => (typeof body === "string" ? body : (JSON.stringify(body) ?? ""));

function asJson(body: unknown): unknown {
  if (typeof body !== "string") return body ?? null;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/**
 * Makes the request of a `step.fetch` or a `step.ai.infer` through the engine's gateway option, and gives the
 * state the step gets.
 *
 * @throws StepsealError `UNSUPPORTED` without a gateway option
 */
export async function runGateway(
  platform: Platform,
  run: RunRecord,
  op: Op,
): Promise<{ readonly state: StoredStep; readonly failed: boolean }> {
  const ai = op.op === "AIGateway";
  const answer = platform.options.gateway;
  if (!answer) {
    throw unsupported(
      where(run, op.id),
      `it asks the platform to make a request (${ai ? "step.ai.infer" : "step.fetch"}); give createTestEngine a gateway option that answers it`,
    );
  }
  const url = text(op.opts.url) ?? "";
  const headers = isObject(op.opts.headers) ? (op.opts.headers as Record<string, string>) : {};
  const method = text(op.opts.method) || "POST";
  let response: GatewayResponse;
  try {
    response = await answer({
      kind: ai ? "ai" : "fetch",
      url,
      method,
      headers,
      body: op.opts.body,
      opts: op.opts,
      run,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const failure = ai
      ? {
          name: "AIGatewayError",
          message: `Error making AI request: ${why}`,
          stack: '{"error":"Error making AI request"}',
          data: { error: "Error making AI request" },
        }
      : { name: "GatewayError", message: `Error making gateway request: ${why}` };
    return { failed: true, state: { error: failure } };
  }
  const status = response.status ?? 200;
  if (!ai) {
    const result = {
      url,
      headers: { ...response.headers },
      body: asText(response.body),
      status_code: status,
    };
    return { failed: false, state: { data: result } };
  }
  if (status <= 299) return { failed: false, state: { data: asJson(response.body) } };
  const error = {
    name: "AIGatewayError",
    message: `Error making AI request: unsuccessful status code: ${status}`,
    stack: asText(response.body),
    data: asJson(response.body),
  };
  return { failed: true, state: { error } };
}

import { StepsealError } from "../../errors.ts";
import type { ApiRequest } from "../types.ts";
import { jsonResponse, wireEntry } from "../wire.ts";
import { ENDPOINTS } from "./endpoints.ts";
import { ApiError, type Platform } from "./state.ts";

/** The run an API call is about, as far as it says. */
function runIdOf(request: ApiRequest): string | undefined {
  return (
    request.headers["upstash-workflow-runid"] ?? /\/v2\/workflows\/runs\/([^/?]+)/.exec(request.url)?.[1]
  );
}

function answer(platform: Platform, request: ApiRequest): Response {
  const url = new URL(request.url);
  const { method } = request;
  const matching = ENDPOINTS.filter((one) => one.path.test(url.pathname));
  const endpoint = matching.find((one) => one.method === method || one.method === "*");
  if (!endpoint) {
    // The app would go on with an error of which the test might never hear.
    const what = `${method} ${url.pathname.split("/").slice(0, 4).join("/")}`;
    const problem = `test qstash: the app called ${what}, which is not there`;
    platform.faults.push(new StepsealError("UNSUPPORTED", problem));
    return jsonResponse(501, { error: problem });
  }
  const token = request.headers.authorization ?? `Bearer ${url.searchParams.get("qstash_token") ?? ""}`;
  if (!endpoint.open && token !== `Bearer ${platform.token}`) {
    return jsonResponse(401, { error: "unauthorized: invalid token" });
  }
  const parts = (endpoint.path.exec(url.pathname) ?? []).slice(1).map(decodeURIComponent);
  try {
    return endpoint.answer(platform, { request, url, parts });
  } catch (error) {
    if (error instanceof ApiError) return jsonResponse(error.status, { error: error.message });
    throw error;
  }
}

/** Answers a call of the API and records it. */
export async function handle(platform: Platform, request: ApiRequest): Promise<Response> {
  // Recorded before it is looked at: what an intercept hook refuses has left the app too.
  const at = platform.wire.length;
  const entry = (status: number | undefined): void => {
    platform.wire[at] = wireEntry({
      channel: "api",
      method: request.method,
      url: request.url,
      status,
      headers: { ...request.headers },
      body: request.body,
      runId: runIdOf(request),
      functionId: undefined,
    });
  };
  entry(undefined);
  let response: Response;
  try {
    response = (await platform.options.intercept?.(request)) ?? answer(platform, request);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    platform.faults.push(
      error instanceof StepsealError ? error : new StepsealError("CONFIG", why, { cause: error }),
    );
    response = jsonResponse(500, { error: why });
  }
  entry(response.status);
  return response;
}

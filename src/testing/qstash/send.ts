import { parseUrl } from "../../internal/url.ts";
import { headersOf } from "../wire.ts";
import { type Answer, misused, type Platform } from "./state.ts";
import type { QstashDelivery } from "./types.ts";

const TIMEOUT = 20_000;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** What a server makes of a handler that throws. Not established: what the platform notes when it gets no answer. */
export function unanswered(problem: string): Answer {
  return { status: 500, headers: {}, body: new Uint8Array(), problem };
}

/** Waits for an answer, but not for ever: a handler that hangs is an error that says where. */
async function inTime<T>(answer: Promise<T>, milliseconds: number, url: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(misused(`${url} did not answer within ${milliseconds} ms (requestTimeout)`));
    }, milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a URL is under another: the same, or what follows begins a path, a query or a fragment. */
function isUnder(url: string, prefix: string): boolean {
  return url.startsWith(prefix) && (prefix.endsWith("/") || /^[/?#]?$/.test(url.charAt(prefix.length)));
}

/** Makes the request of a delivery: to a served handler, or over the network when that stays on this machine. */
export async function send(platform: Platform, delivery: QstashDelivery): Promise<Answer> {
  const { url, method, headers } = delivery;
  let prefix: string | undefined;
  for (const one of platform.routes.keys()) {
    if (isUnder(url, one) && one.length > (prefix?.length ?? -1)) prefix = one;
  }
  const handler = prefix === undefined ? undefined : platform.routes.get(prefix);
  if (!handler && !LOOPBACK.test(parseUrl(url)?.hostname ?? "")) {
    return { status: 404, headers: {}, body: new Uint8Array(), problem: "no route" };
  }
  const exchange = async (): Promise<Answer> => {
    try {
      const content = method === "GET" || method === "HEAD" ? {} : { body: delivery.body };
      const request = new Request(url, { method, headers, redirect: "manual", ...content });
      // A server's requests have a host header, from which handlers learn their URL.
      if (handler) request.headers.set("host", new URL(url).host);
      const response = handler ? await handler(request) : await fetch(request);
      const body = new Uint8Array(await response.arrayBuffer());
      return { status: response.status, headers: headersOf(response.headers), body, problem: undefined };
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      return unanswered(`no answer: ${problem}`);
    }
  };
  return await inTime(exchange(), platform.options.requestTimeout ?? TIMEOUT, url);
}

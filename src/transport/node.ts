import { StepsealError } from "../errors.ts";
import { isBytes } from "../internal/bytes.ts";
import { members } from "../internal/members.ts";
import { tell } from "../internal/tell.ts";
import { parseUrl } from "../internal/url.ts";
import type { Handler } from "./endpoint.ts";

/** What is used of a request of Node's http module. */
export interface NodeRequest extends AsyncIterable<unknown> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly rawHeaders: readonly string[];
  /** The host in HTTP/2, which needs no `host` header. */
  readonly authority?: string | undefined;
  readonly socket: object;
  readonly readableDidRead: boolean;
}

/** What is used of a response of Node's http module. */
export interface NodeResponse {
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  readonly destroyed: boolean;
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  appendHeader(name: string, value: string): unknown;
  write(chunk: Uint8Array): boolean;
  end(): unknown;
  end(text: string): unknown;
  destroy(): unknown;
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/** What Express adds to a request, and what its body parsers leave there. */
export interface ExpressRequest extends NodeRequest {
  readonly originalUrl?: string;
  readonly body?: unknown;
  /** Where some hosts put the bytes of a body they have parsed. */
  readonly rawBody?: unknown;
}

/** Options of `nodeHandler` and `expressHandler`. */
export interface NodeHandlerOptions {
  /**
   * Scheme, host and port that requests get, `https://app.example.com`. Default: the connection's scheme and the
   * `host` header or, in HTTP/2, `:authority`, which the caller chooses.
   */
  readonly origin?: string;
}

/**
 * Makes a web handler, of `secureEndpoint` or any other, a listener for Node's `http.createServer`.
 *
 * The bytes of a body pass unread and unchanged.
 *
 * @param options `origin`; and `onError`, called with what the handler threw, after which 500 is answered. What it
 * throws itself is ignored. Default: `console.error`
 * @throws {StepsealError} CONFIG for an unknown option
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { createVerifier, nodeHandler, secureEndpoint } from "stepseal/transport";
 *
 * const verifier = createVerifier({ scheme: "inngest", signingKey: "signkey-test-12345678" });
 * const endpoint = secureEndpoint(() => new Response("authentic"), { verifier });
 * const server = createServer(nodeHandler(endpoint));
 * server.listen(0, "127.0.0.1", () => server.close());
 * ```
 */
export function nodeHandler(
  handler: Handler,
  options: NodeHandlerOptions & { readonly onError?: (error: unknown) => void } = {},
): (request: NodeRequest, response: NodeResponse) => void {
  members(options, "nodeHandler options", ["origin", "onError"]);
  const { onError = console.error } = options;
  return (request, response) => {
    serve(handler, request, response, options).catch((error: unknown) => {
      // The caller went away: there is nobody to answer, and nothing is wrong here.
      if (response.destroyed) return;
      tell(onError, error);
      if (response.headersSent) response.destroy();
      else answerText(response, 500, "Internal Server Error");
    });
  };
}

/**
 * The same for Express, with or without `express.raw()` before it. What fails goes to `next`.
 *
 * A body that was parsed before (`express.json()`) is an error, CONFIG: a signature does not survive parsing. Put the
 * endpoint before the parser, or give its path `express.raw({ type: () => true })`.
 *
 * @throws {StepsealError} CONFIG for an unknown option
 * @example
 * ```ts
 * import express from "express";
 * import { createVerifier, expressHandler, secureEndpoint } from "stepseal/transport";
 *
 * const verifier = createVerifier({ scheme: "inngest", signingKey: "signkey-test-12345678" });
 * const endpoint = secureEndpoint(() => new Response("authentic"), { verifier });
 * express().post("/hook", express.raw({ type: () => true }), expressHandler(endpoint));
 * ```
 */
export function expressHandler(
  handler: Handler,
  options: NodeHandlerOptions = {},
): (request: ExpressRequest, response: NodeResponse, next: (error: unknown) => void) => void {
  members(options, "expressHandler options", ["origin"]);
  return (request, response, next) => {
    const raw = [request.rawBody, request.body].find(isBytes);
    serve(handler, request, response, { ...options, raw, url: request.originalUrl }).catch(next);
  };
}

/** What an adapter knows of a request beside what Node does. */
interface ServeOptions extends NodeHandlerOptions {
  /** The body, where it was read before. */
  readonly raw?: Uint8Array | undefined;
  /** The whole path, where a router cut it. */
  readonly url?: string | undefined;
}

async function serve(
  handler: Handler,
  request: NodeRequest,
  response: NodeResponse,
  options: ServeOptions,
): Promise<void> {
  const aborted = new AbortController();
  response.once("close", () => {
    if (!response.writableEnded) aborted.abort();
  });
  if (options.raw === undefined && request.readableDidRead) {
    throw new StepsealError(
      "CONFIG",
      "The body was parsed before it was verified, and its bytes are gone. Put the endpoint before the body parser, or a parser that keeps bytes before it: express.raw({ type: () => true }).",
    );
  }
  const web = webRequest(request, options, aborted.signal);
  if (web === undefined) return answerText(response, 400, "Bad Request");
  const answer = await handler(web);
  // The rest of a body that is too long is not waited for; HTTP/2 has no such header, and ends the stream alone.
  if (answer.status === 413 && request.authority === undefined) response.setHeader("connection", "close");
  await send(answer, response, web.method === "HEAD");
}

/** The request as `fetch` has it, or undefined where HTTP allows what a URL or `Request` does not. */
function webRequest(request: NodeRequest, options: ServeOptions, signal: AbortSignal): Request | undefined {
  const headers = new Headers();
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i]!;
    // HTTP/2 lists method, path and others among the headers, with a colon before.
    if (!name.startsWith(":")) headers.append(name, request.rawHeaders[i + 1]!);
  }
  const method = request.method ?? "GET";
  const url = urlOf(options.url ?? request.url ?? "/", options.origin ?? originOf(request, headers));
  if (url === undefined || ["CONNECT", "TRACE", "TRACK"].includes(method)) return undefined;
  if (method === "GET" || method === "HEAD") return new Request(url, { method, headers, signal });
  const body = options.raw ?? streamOf(request);
  // `duplex` is required of a stream, and unknown to the types of DOM.
  return new Request(url, { method, headers, signal, body, duplex: "half" } as RequestInit);
}

function originOf({ socket, authority }: NodeRequest, headers: Headers): string {
  // RFC 9113, section 8.3.1: where there is an authority, the header says nothing.
  const host = authority ?? headers.get("host") ?? "localhost";
  return `${"encrypted" in socket ? "https" : "http"}://${host}`;
}

/** A path on an origin. Neither may reach into the other: `//host/path` is a path, `host/path` no origin. */
function urlOf(path: string, origin: string): string | undefined {
  const base = parseUrl(origin);
  if (!path.startsWith("/") || base === undefined) return undefined;
  return base.href === `${base.origin}/` ? base.origin + path : undefined;
}

function streamOf(request: NodeRequest): ReadableStream<Uint8Array> {
  const chunks = request[Symbol.asyncIterator]();
  // No `cancel`: ending the iterator would close the connection before the refusal is sent.
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value as Uint8Array);
    },
  });
}

async function send(answer: Response, response: NodeResponse, isHead: boolean): Promise<void> {
  response.statusCode = answer.status;
  answer.headers.forEach((value, name) => {
    // Each cookie comes for itself, and joins those that were set before.
    if (name === "set-cookie") response.appendHeader(name, value);
    else response.setHeader(name, value);
  });
  if (isHead) await answer.body?.cancel();
  const reader = isHead ? undefined : answer.body?.getReader();
  for (;;) {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) break;
    if (response.destroyed) {
      await reader?.cancel();
      return;
    }
    if (!response.write(chunk.value)) await drained(response);
  }
  response.end();
}

function answerText(response: NodeResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader("content-type", "text/plain");
  response.end(text);
}

function drained(response: NodeResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}

import type { IncomingMessage, ServerResponse } from "node:http";
import { StepsealError } from "../../errors.ts";
import type { ApiRequest } from "../types.ts";

/** A server that is listening. */
export interface RunningServer {
  readonly url: string;
  close(): Promise<void>;
}

async function read(incoming: IncomingMessage, origin: string): Promise<ApiRequest> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  const { method = "GET", url = "/" } = incoming;
  return { method, url: origin + url, headers, body: new TextDecoder().decode(bytes) };
}

async function write(outgoing: ServerResponse, response: Response): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer());
  // A connection that clients keep would outlive the server, and the next one may get its port.
  const headers = { ...Object.fromEntries(response.headers), connection: "close" };
  outgoing.writeHead(response.status, headers).end(body);
}

/**
 * Listens on a free port of 127.0.0.1.
 *
 * `node:http` is loaded here and not before, so that what else `stepseal/testing` has runs where it is absent.
 *
 * @throws StepsealError `UNSUPPORTED` where there is no `node:http`
 */
export async function listen(answer: (request: ApiRequest) => Promise<Response>): Promise<RunningServer> {
  let http: typeof import("node:http");
  try {
    http = await import("node:http");
  } catch (cause) {
    throw new StepsealError("UNSUPPORTED", "createTestQstash needs node:http, which this runtime has not", {
      cause,
    });
  }
  let origin = "";
  const server = http.createServer((incoming, outgoing) => {
    read(incoming, origin)
      .then(answer)
      .then((response) => write(outgoing, response))
      .catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  return {
    url: origin,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Clients keep connections open, for which close() would wait.
        server.closeAllConnections();
      }),
  };
}

import { createServer, type RequestListener, type Server, request as send } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { connect } from "node:net";
import express from "express";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  createSigner,
  createVerifier,
  expressHandler,
  nodeHandler,
  secureEndpoint,
} from "../../src/transport/index.ts";
import { at, bytes, INNGEST } from "./support.ts";

const keys = { scheme: "inngest", signingKey: INNGEST.old, now: at() } as const;
const BODY = bytes('{ "spelt":1.0, "oddly":"\\u00e9" }');
const { headers: SIGNED } = await createSigner(keys).sign({ body: BODY });

/** Answers with what it got: its URL and body. */
const endpoint = secureEndpoint(
  async (request) => {
    const headers = new Headers({ "x-url": request.url });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    return new Response(await request.arrayBuffer(), { status: 201, headers });
  },
  { verifier: createVerifier(keys), maxBodyBytes: 100_000 },
);

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

/** Serves on a free port of the loopback interface. */
async function listen(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(started.address() as { port: number }).port}`;
}

const post = (url: string, body: Uint8Array, headers: Readonly<Record<string, string>> = SIGNED) =>
  fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: body as BodyInit,
  });

/** Apps that put the endpoint behind a server in all the ways that keep the bytes. */
const servers: [name: string, listener: () => RequestListener][] = [
  ["Node's http", () => nodeHandler(endpoint)],
  ["Express without a parser", () => express().post("/hook", expressHandler(endpoint))],
  [
    "Express with express.raw",
    () => express().post("/hook", express.raw({ type: () => true }), expressHandler(endpoint)),
  ],
  [
    "a router of Express, mounted on a path",
    () => express().use("/hook", express.Router().use(expressHandler(endpoint))),
  ],
  [
    "a host that keeps rawBody beside the parsed body",
    () =>
      express().post(
        "/hook",
        express.json({
          verify: (request, _response, raw) => {
            Object.assign(request, { rawBody: raw });
          },
        }),
        expressHandler(endpoint),
      ),
  ],
];

describe.each(servers)("behind %s", (_name, listener) => {
  test("an authentic request passes, with the bytes that were sent and the URL", async () => {
    const origin = await listen(listener());
    const response = await post(`${origin}/hook?a=1`, BODY);
    expect(response.status).toBe(201);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(BODY);
    expect(response.headers.get("x-url")).toBe(`${origin}/hook?a=1`);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  test("a forged one does not", async () => {
    const origin = await listen(listener());
    const altered = bytes(new TextDecoder().decode(BODY).replace("1.0", "1.5"));
    expect((await post(`${origin}/hook`, altered)).status).toBe(401);
    expect((await post(`${origin}/hook`, BODY, {})).status).toBe(401);
    expect((await post(`${origin}/hook`, bytes(""))).status).toBe(401);
  });
});

test("two signature headers are refused, as the server joins them", async () => {
  const origin = new URL(await listen(nodeHandler(endpoint)));
  const value = SIGNED["x-inngest-signature"]!;
  const status = await new Promise((resolve, reject) => {
    const request = send(
      {
        host: "127.0.0.1",
        port: origin.port,
        method: "POST",
        path: "/hook",
        headers: { "x-inngest-signature": [value, value] },
      },
      (response) => resolve(response.resume().statusCode),
    );
    request.on("error", reject).end(BODY);
  });
  expect(status).toBe(401);
});

/** Sends text over a socket, and gives what came back until the server closed it or `enough` of it was there. */
function raw(origin: string, text: string, enough: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk;
      if (enough.test(answer)) socket.destroy();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
    socket.write(text);
  });
}

test("a body that is too long is answered before it was sent, and the connection ends", async () => {
  const origin = await listen(nodeHandler(endpoint));
  const announced = await raw(
    origin,
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100001\r\n\r\n",
    /Payload/,
  );
  expect(announced).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i);
  const chunk = `1000\r\n${"x".repeat(4096)}\r\n`;
  const streamed = await raw(
    origin,
    `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(30)}`,
    /Payload/,
  );
  expect(streamed).toMatch(/^HTTP\/1\.1 413 /);
});

describe("neither path nor host reaches into the other", () => {
  const echo = nodeHandler((request) => new Response(request.url));
  test.each([
    ["a path that looks like a host", "//evil.test/x", "app.test", "http://app.test//evil.test/x"],
    ["a whole URL for a path", "http://evil.test/x", "app.test", undefined],
    ["a host with a path", "/x", "app.test/evil?", undefined],
    ["a host with a user", "/x", "user@app.test", undefined],
    ["a host that is none", "/x", "a b", undefined],
  ])("%s", async (_name, path, host, url) => {
    const origin = await listen(echo);
    const answer = await raw(
      origin,
      `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
      /$^/,
    );
    if (url === undefined) expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    else expect(answer).toContain(url);
  });

  test("where there is no host, it is localhost, and the scheme of TLS is https", async () => {
    const origin = await listen((request, response) => {
      // As the socket of an HTTPS server is.
      if (request.url === "/tls") Object.assign(request.socket, { encrypted: true });
      echo(request, response);
    });
    for (const [path, scheme] of [
      ["/x", "http"],
      ["/tls", "https"],
    ]) {
      expect(await raw(origin, `GET ${path} HTTP/1.0\r\n\r\n`, /$^/)).toContain(
        `${scheme}://localhost${path}`,
      );
    }
  });

  test("where an origin is given, the host header says nothing", async () => {
    const fixed = nodeHandler((request) => new Response(request.url), { origin: "https://app.example.com" });
    const origin = await listen(fixed);
    expect(await (await fetch(`${origin}/x`)).text()).toBe("https://app.example.com/x");
  });
});

test("a method that a web request cannot have is a bad request", async () => {
  const origin = await listen(nodeHandler(endpoint));
  const answer = await raw(origin, "TRACE / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", /$^/);
  expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*content-type: text\/plain[\s\S]*Bad Request/i);
});

describe("a server of HTTP/2", () => {
  /** What a server answers to a request, as text. */
  async function ask(listener: Parameters<typeof createHttp2Server>[1] & object, body: string) {
    const http2 = createHttp2Server(listener);
    await new Promise<void>((resolve) => http2.listen(0, "127.0.0.1", resolve));
    const { port } = http2.address() as { port: number };
    const client = connectHttp2(`http://127.0.0.1:${port}`);
    try {
      const pseudo = { ":method": "POST", ":path": "/hook?a=1", ":authority": `127.0.0.1:${port}` };
      const stream = client.request({ ...pseudo, host: "evil.test", "x-mine": "1" });
      const status = new Promise((resolve) =>
        stream.on("response", (headers) => resolve(headers[":status"])),
      );
      stream.setEncoding("utf8").end(body);
      let text = "";
      for await (const chunk of stream) text += chunk;
      return { status: await status, text, port };
    } finally {
      client.destroy();
      await new Promise((resolve) => http2.close(resolve));
    }
  }

  test("says host, headers and body as one of HTTP/1 does", async () => {
    const echo = nodeHandler(async (request) =>
      Response.json([request.url, request.headers.get("x-mine"), await request.text()]),
    );
    const { text, port } = await ask(echo, "body");
    expect(JSON.parse(text)).toEqual([`http://127.0.0.1:${port}/hook?a=1`, "1", "body"]);
  });

  test("refuses a body that is too long, without a header that it cannot have", async () => {
    const warn = vi.spyOn(process, "emitWarning");
    expect(await ask(nodeHandler(endpoint), "x".repeat(100_001))).toMatchObject({ status: 413 });
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });
});

test("a body that was parsed is an error that says what to do, and never verified from its parts", async () => {
  const errors: unknown[] = [];
  const app = express()
    .use(express.json())
    .post("/hook", expressHandler(endpoint))
    .use(((error, _request, response, _next) => {
      errors.push(error);
      response.status(500).end();
    }) satisfies express.ErrorRequestHandler);
  expect((await post(`${await listen(app)}/hook`, BODY)).status).toBe(500);
  expect(errors).toMatchObject([{ code: "CONFIG", message: expect.stringContaining("express.raw(") }]);
});

test("what a handler throws is told to onError and not to the caller", async () => {
  const onError = vi.fn();
  const failing = nodeHandler(
    async (request) => {
      await request.text();
      throw new Error("secret");
    },
    { onError },
  );
  const origin = await listen(failing);
  for (const response of [await fetch(origin), await post(origin, BODY)]) {
    expect([response.status, await response.text()]).toEqual([500, "Internal Server Error"]);
  }
  expect(onError.mock.calls).toEqual([[new Error("secret")], [new Error("secret")]]);
});

test("a caller that goes away is no error, and ends the request that the handler has", async () => {
  const onError = vi.fn();
  const ended = new Promise<void>((resolve) => {
    const waiting = nodeHandler(
      (request) =>
        new Promise((answer) => {
          request.signal.addEventListener("abort", () => {
            answer(new Response("nobody reads this"));
            resolve();
          });
        }),
      { onError },
    );
    void listen(waiting).then((origin) => {
      const socket = connect(Number(new URL(origin).port), "127.0.0.1", () => {
        socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n", () => setImmediate(() => socket.destroy()));
      });
    });
  });
  await ended;
  expect(onError).not.toHaveBeenCalled();
});

test("a caller that goes away in the middle of a body is no error either", async () => {
  const onError = vi.fn();
  const closed = new Promise<void>((resolve) => {
    const listener = nodeHandler(endpoint, { onError });
    const origin = listen((request, response) => {
      request.once("close", () => setImmediate(resolve));
      request.once("data", () => response.socket?.destroy());
      listener(request, response);
    });
    void origin.then((url) =>
      raw(url, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n1234", /never/).catch(() => {}),
    );
  });
  await closed;
  expect(onError).not.toHaveBeenCalled();
});

test("HEAD is answered without a body, which is not read, and a large answer whole", async () => {
  const large = new Uint8Array(3_000_000).fill(7);
  const streamed = vi.fn();
  const cancelled = vi.fn();
  const origin = await listen(
    nodeHandler(({ method }) => {
      if (method !== "HEAD") return new Response(large);
      return new Response(new ReadableStream({ pull: streamed, cancel: cancelled }, { highWaterMark: 0 }));
    }),
  );
  const head = await fetch(origin, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect(streamed).not.toHaveBeenCalled();
  expect(cancelled).toHaveBeenCalledOnce();
  expect(Buffer.from(await (await fetch(origin)).arrayBuffer()).equals(large)).toBe(true);
});

test("an answer without a body is one, and ends neither connection nor request", async () => {
  let signal: AbortSignal | undefined;
  const origin = await listen(
    nodeHandler((request) => {
      ({ signal } = request);
      return new Response(null, { status: 204 });
    }),
  );
  const enough = /\r\n\r\n/;
  expect(await raw(origin, "GET / HTTP/1.1\r\nhost: a\r\n\r\n", enough)).toMatch(/^HTTP\/1\.1 204 /);
  const kept = await raw(origin, "GET / HTTP/1.1\r\nhost: a\r\n\r\n", enough);
  expect(kept).not.toMatch(/connection: close/i);
  expect(signal?.aborted).toBe(false);
  expect(await raw(origin, "HEAD / HTTP/1.1\r\nhost: a\r\n\r\n", enough)).toMatch(/^HTTP\/1\.1 204 /);
});

test("headers of the answer stand in place of those set before, beside whose cookies its own stand", async () => {
  const origin = await listen((request, response) => {
    response.setHeader("x-url", "before");
    response.setHeader("set-cookie", "c=3");
    nodeHandler(endpoint)(request, response);
  });
  const { headers } = await post(`${origin}/hook`, BODY);
  expect(headers.get("x-url")).toBe(`${origin}/hook`);
  expect(headers.getSetCookie()).toEqual(["c=3", "a=1", "b=2"]);
});

test("an answer that fails in the middle is told to onError, and the caller sees that it is not whole", async () => {
  const onError = vi.fn();
  const failing = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes("the first part")),
    pull: () => Promise.reject(new Error("secret")),
  });
  const origin = await listen(nodeHandler(() => new Response(failing, { status: 201 }), { onError }));
  await expect(fetch(origin).then((response) => response.text())).rejects.toThrow(TypeError);
  expect(onError.mock.calls).toEqual([[new Error("secret")]]);
});

test("an endless answer is read as fast as the caller takes it, and no further when the caller is gone", async () => {
  const waiting: boolean[] = [];
  let ended = (): void => {};
  const cancelled = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const listeners: number[] = [];
  const origin = await listen((request, response) => {
    const endless = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          waiting.push(response.writableNeedDrain);
          controller.enqueue(new Uint8Array(100_000));
          listeners.push(response.listenerCount("drain"), response.listenerCount("close"));
        },
        cancel: ended,
      },
      { highWaterMark: 0 },
    );
    nodeHandler(() => new Response(endless))(request, response);
  });
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  let got = 0;
  await new Promise<void>((resolve) => {
    socket.on("data", ({ length }: Uint8Array) => {
      got += length;
      if (got > 5_000_000) resolve();
    });
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  });
  socket.destroy();
  await cancelled;
  expect(waiting).not.toContain(true);
  // One of "close", for the signal of the request; none that waits for what is over.
  expect(Math.max(...listeners)).toBe(1);
});

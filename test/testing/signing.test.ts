import { createHash, createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { Inngest } from "inngest";
import { serve } from "inngest/edge";
import { serve as serveNode } from "inngest/node";
import { expect, test } from "vitest";
import { createTestEngine, type ServeHandler } from "../../src/testing/index.ts";
import { apiToken, sign, signatureFault } from "../../src/testing/signing.ts";
import { app, client, trigger } from "./app.ts";

const KEY = "signkey-prod-12345678";

const echo = (inngest: Inngest) => [
  inngest.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ event, step }) =>
    step.run("a", () => event.data),
  ),
];

test("a signature is the HMAC of body and time under the key without its prefix", () => {
  const mac = createHmac("sha256", "12345678").update("body1700000000").digest("hex");
  expect(sign("body", KEY, 1_700_000_000)).toBe(`t=1700000000&s=${mac}`);
});

test("an API token is the prefix and the hash of the decoded key", () => {
  const hash = createHash("sha256").update(Buffer.from("12345678", "hex")).digest("hex");
  expect(apiToken(KEY)).toBe(`signkey-prod-${hash}`);
});

const now = () => Math.floor(Date.now() / 1000);
test.each([
  { name: "absent", signature: () => null },
  { name: "malformed", signature: () => "t=abc" },
  { name: "without a MAC", signature: () => `t=${now()}` },
  { name: "of another body", signature: () => sign("other", KEY) },
  { name: "of another key", signature: () => sign("body", "87654321") },
  { name: "too old", signature: () => sign("body", KEY, now() - 310) },
  { name: "of the future", signature: () => sign("body", KEY, now() + 310) },
])("a signature is refused when it is $name", ({ signature }) => {
  expect(signatureFault(signature(), "body", KEY)).toBeTypeOf("string");
  expect(signatureFault(sign("body", KEY), "body", KEY)).toBeUndefined();
});

test.each([
  { name: "the default key", options: {} },
  { name: "a key of one's own", options: { signingKey: KEY } },
  { name: "dev mode", options: { signingKey: null } },
  { name: "a fallback key", options: { signingKey: KEY, signingKeyFallback: "abcdef" } },
  {
    name: "signed with the fallback",
    options: { signingKey: KEY, signingKeyFallback: "abcdef", signWith: "fallback" as const },
  },
  { name: "an in-band sync", options: { sync: "in_band" as const } },
])("the SDK accepts the engine and the engine the SDK: $name", async ({ options }) => {
  const { engine } = await app(echo, { engine: options });
  // Keys that sort differently as numbers, and names that objects treat specially.
  await trigger(engine, "go", { "10": 1, "9": 2, b: "é\u2028", __proto: { constructor: 1 } });
  expect(engine.runs[0]?.status).toBe("completed");
  const signed = engine.wire
    .filter((entry) => entry.url.includes("stepId"))
    .map((entry) => entry.headers["x-inngest-signature"] !== undefined);
  expect(signed).toEqual(signed.map(() => options.signingKey !== null));
});

/** The app's handler, with its answers to POST changed. */
function tampered(handler: ServeHandler, change: (answer: Response, body: string) => Response): ServeHandler {
  return async (request) => {
    const answer = await handler(request);
    return request.method === "POST" ? change(answer, await answer.text()) : answer;
  };
}

const strip = (headers: Headers, name: string): Headers => {
  const copy = new Headers(headers);
  copy.delete(name);
  return copy;
};

test.each([
  {
    name: "not signed",
    change: (answer: Response, body: string) =>
      new Response(body, { status: answer.status, headers: strip(answer.headers, "x-inngest-signature") }),
    says: "no x-inngest-signature",
  },
  {
    name: "changed after it was signed",
    change: (answer: Response, body: string) => new Response(`${body} `, answer),
    says: "does not cover its body",
  },
  {
    name: "signed long ago",
    change: (answer: Response, body: string) =>
      new Response(body, {
        status: answer.status,
        headers: { "x-inngest-sdk": "js", "x-inngest-signature": sign(body, KEY, now() - 1000) },
      }),
    says: "five minutes",
  },
])("a response that is $name fails the engine, and says where", async ({ change, says }) => {
  const engine = createTestEngine({ signingKey: KEY });
  const inngest = client(engine);
  await engine.serve(tampered(serve({ client: inngest, functions: echo(inngest) }), change));
  await engine.send({ name: "go", data: {} });
  const failure = await engine.idle().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "CORRUPT", message: expect.stringContaining(says) });
  expect((failure as Error).message).toContain(`run ${engine.runs[0]?.id} of app-fn`);
});

test("an app with another signing key is told so", async () => {
  const engine = createTestEngine({ signingKey: KEY });
  const inngest = client(engine);
  await engine.serve(serve({ client: inngest, functions: echo(inngest) }));
  const other = client(engine, { signingKey: "signkey-prod-ffffffff" });
  await expect(engine.serve(serve({ client: other, functions: echo(other) }))).rejects.toMatchObject({
    code: "CONFIG",
  });
  const half: ServeHandler = (request) =>
    serve({ client: request.method === "POST" ? other : inngest, functions: echo(other) })(request);
  await engine.serve(half);
  await engine.send({ name: "go", data: {} });
  await expect(engine.idle()).rejects.toThrowError(/the app refused the request/);
});

test("a crash that no SDK answered is retried like any failed request", async () => {
  const engine = createTestEngine();
  const inngest = client(engine);
  const handler = serve({ client: inngest, functions: echo(inngest) });
  let crashes = 0;
  await engine.serve((request) => {
    if (request.method !== "POST" || crashes++ > 1) return handler(request);
    if (crashes === 1) throw new Error("socket closed");
    return new Response("<h1>Bad gateway</h1>", { status: 502 });
  });
  await trigger(engine, "go", { n: 1 });
  await engine.advance("1h");
  expect(engine.runs[0]).toMatchObject({ status: "completed", output: { n: 1 }, attempts: 3 });
});

test("a streamed answer is understood", async () => {
  const engine = createTestEngine();
  const inngest = client(engine);
  const cloudflare = await import("inngest/cloudflare");
  const handler = cloudflare.serve({ client: inngest, functions: echo(inngest), streaming: true });
  await engine.serve((request) =>
    (handler as unknown as (request: Request, env: object) => Promise<Response>)(request, {}),
  );
  await trigger(engine, "go", { n: 1 });
  expect(engine.runs[0]).toMatchObject({ status: "completed", output: { n: 1 } });
  expect(engine.wire.some((entry) => entry.status === 201)).toBe(true);
});

test("an app behind a URL is driven over HTTP", async () => {
  const engine = createTestEngine();
  const inngest = client(engine);
  const server: Server = createServer(serveNode({ client: inngest, functions: echo(inngest) }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as { port: number };
    await engine.serve(`http://127.0.0.1:${port}/api/inngest`);
    await trigger(engine, "go", { n: 2 });
    expect(engine.runs[0]).toMatchObject({ status: "completed", output: { n: 2 } });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test.each([
  { signingKey: "not hex" },
  { signingKey: "signkey-prod-" },
  { signingKeyFallback: "xyz" },
  { signWith: "fallback" as const },
  { concurrency: 0 },
  { concurrency: 1.5 },
])("wrong options are refused: %o", (options) => {
  expect(() => createTestEngine(options)).toThrowError(expect.objectContaining({ code: "CONFIG" }));
});

test.each([
  { name: "an answer that registers nothing", handler: () => new Response("{}") },
  { name: "an error", handler: () => new Response("no", { status: 500 }) },
  { name: "text that is no URL", handler: "not a url" },
])("serve refuses $name", async ({ handler }) => {
  await expect(createTestEngine().serve(handler)).rejects.toMatchObject({ code: "CONFIG" });
});

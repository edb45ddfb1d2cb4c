import { describe, expect, test } from "vitest";
import {
  createSigner,
  createVerifier,
  type EndpointOptions,
  memoryReplayStore,
  SignatureError,
  secureEndpoint,
} from "../../src/transport/index.ts";
import { at, bytes, INNGEST, QSTASH, URL_OF_APP } from "./support.ts";

const inngest = { scheme: "inngest", signingKey: INNGEST.old, now: at() } as const;
const qstash = { scheme: "qstash", currentSigningKey: QSTASH.old, url: URL_OF_APP, now: at() } as const;
const verifier = createVerifier(inngest);
const signer = createSigner(inngest);

const post = (body: BodyInit | null, headers: HeadersInit = {}, url = URL_OF_APP): Request =>
  new Request(url, { method: "POST", headers, body, duplex: "half" } as RequestInit);

/** A handler that records what it was given. */
function recording(): { handler: (request: Request) => Promise<Response>; seen: Uint8Array[] } {
  const seen: Uint8Array[] = [];
  const handler = async (request: Request): Promise<Response> => {
    seen.push(new Uint8Array(await request.arrayBuffer()));
    return new Response("handled", { status: 201, headers: { "x-answer": "1" } });
  };
  return { handler, seen };
}

test("the handler is given the very bytes that were checked, with method, URL and headers", async () => {
  const body = bytes('{ "b":1.0,\n"a":"\\u00e9" }');
  const { headers } = await signer.sign({ body });
  const seen: { request: Request; body: Uint8Array }[] = [];
  const endpoint = secureEndpoint(
    async (request) => {
      seen.push({ request, body: new Uint8Array(await request.arrayBuffer()) });
      return new Response("ok");
    },
    { verifier },
  );
  const response = await endpoint(
    post(body as BodyInit, { ...headers, "x-other": "1" }, `${URL_OF_APP}?a=1`),
  );
  expect(await response.text()).toBe("ok");
  const [{ request, body: received }] = seen as [(typeof seen)[0]];
  expect(received).toEqual(body);
  expect([request.method, request.url, request.headers.get("x-other")]).toEqual([
    "POST",
    `${URL_OF_APP}?a=1`,
    "1",
  ]);
});

test("a request without a body passes when it is signed", async () => {
  const { headers } = await signer.sign({ body: bytes("") });
  const { handler, seen } = recording();
  const endpoint = secureEndpoint(handler, { verifier });
  expect((await endpoint(new Request(URL_OF_APP, { headers }))).status).toBe(201);
  expect((await endpoint(new Request(URL_OF_APP))).status).toBe(401);
  expect((await endpoint(post("", headers))).status).toBe(201);
  expect(seen).toEqual([new Uint8Array(), new Uint8Array()]);
});

describe("whatever is wrong with a signature", () => {
  const body = bytes('{"n":1}');
  const inngestHeaders = async (options: object = {}): Promise<Record<string, string>> => ({
    ...(await createSigner({ ...inngest, ...options }).sign({ body })).headers,
  });
  const qstashHeaders = async (options: object = {}): Promise<Record<string, string>> => ({
    ...(await createSigner({ ...qstash, ...options }).sign({ body })).headers,
  });
  const noKeys = createVerifier({ scheme: "inngest", env: {} });
  const cases: [code: string, verifier: EndpointOptions["verifier"], headers: () => Promise<HeadersInit>][] =
    [
      ["MISSING", verifier, async () => ({})],
      ["MALFORMED", verifier, async () => ({ "x-inngest-signature": "t=1&s=2" })],
      ["EXPIRED", verifier, () => inngestHeaders({ now: at(-301) })],
      ["FROM_FUTURE", verifier, () => inngestHeaders({ now: at(301) })],
      ["MISMATCH", verifier, () => inngestHeaders({ signingKey: INNGEST.other })],
      ["NO_KEYS", noKeys, () => inngestHeaders()],
      ["MISSING", createVerifier(qstash), async () => ({})],
      ["EXPIRED", createVerifier(qstash), () => qstashHeaders({ now: at(-300) })],
      ["WRONG_DESTINATION", createVerifier(qstash), () => qstashHeaders({ url: "https://other.test/" })],
      [
        "BODY_ALTERED",
        createVerifier(qstash),
        async () => ({ ...(await createSigner(qstash).sign({ body: bytes("other") })).headers }),
      ],
      ["UNSUPPORTED_ALGORITHM", createVerifier(qstash), async () => ({ "upstash-signature": "e30.e30." })],
    ];

  test("the caller is answered the same, and the reason is told on this side alone", async () => {
    const answers = new Set<string>();
    for (const [code, check, headers] of cases) {
      const { handler, seen } = recording();
      const reasons: unknown[] = [];
      const endpoint = secureEndpoint(handler, {
        verifier: check as NonNullable<typeof check>,
        onRefused: (reason) => reasons.push(reason),
      });
      const response = await endpoint(post(body as BodyInit, await headers()));
      answers.add(JSON.stringify([response.status, [...response.headers], await response.text()]));
      expect(seen).toEqual([]);
      expect(reasons).toEqual([expect.any(SignatureError)]);
      expect(reasons).toMatchObject([{ code }]);
    }
    expect([...answers]).toEqual([
      JSON.stringify([
        401,
        [
          ["cache-control", "no-store"],
          ["content-type", "application/json"],
        ],
        '{"message":"Unauthorized"}',
      ]),
    ]);
  });

  test("a replay is answered like the others, and a store that fails with 503, so that it is tried again", async () => {
    const headers = await inngestHeaders();
    const statuses = async (replay: Parameters<typeof createVerifier>[0]["replay"]): Promise<number[]> => {
      const endpoint = secureEndpoint(recording().handler, {
        verifier: createVerifier({ ...inngest, ...(replay && { replay }) }),
      });
      const first = await endpoint(post(body as BodyInit, headers));
      const second = await endpoint(post(body as BodyInit, headers));
      // A stranger cannot tell whether the store works.
      const stranger = await endpoint(post(body as BodyInit));
      return [first.status, second.status, stranger.status];
    };
    expect(await statuses(memoryReplayStore({ now: at() }))).toEqual([201, 401, 401]);
    expect(await statuses({ claim: () => Promise.reject(new Error("down")) })).toEqual([503, 503, 401]);
  });
});

describe("a body that is too long", () => {
  const endpoint = (maxBodyBytes: number) => {
    const { handler, seen } = recording();
    return { seen, endpoint: secureEndpoint(handler, { authorize: () => true, maxBodyBytes }) };
  };

  test.each([
    [7, 201],
    [6, 413],
  ])("of 7 bytes at a limit of %i is answered %i", async (limit, status) => {
    const { endpoint: it, seen } = endpoint(limit);
    expect((await it(post("1234567"))).status).toBe(status);
    expect((await it(post("1234567", { "content-length": "3" }))).status).toBe(status);
    expect(seen).toHaveLength(status === 201 ? 2 : 0);
  });

  test("is not read at all when its length is announced", async () => {
    let pulled = 0;
    const body = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
    const { endpoint: it } = endpoint(10);
    expect((await it(post(body, { "content-length": "11" }))).status).toBe(413);
    expect(pulled).toBe(0);
  });

  test("is read no further than its limit when it is not", async () => {
    let sent = 0;
    let isCancelled = false;
    const endless = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          sent += 1000;
          controller.enqueue(new Uint8Array(1000));
        },
        // Never settles: the answer does not wait for it.
        cancel: () => {
          isCancelled = true;
          return new Promise(() => {});
        },
      },
      { highWaterMark: 0 },
    );
    const { endpoint: it } = endpoint(10_000);
    expect((await it(post(endless))).status).toBe(413);
    expect(sent).toBe(11_000);
    expect(isCancelled).toBe(true);
  });
});

test("a body that was decoded to text before is an error: its length is not counted in bytes", async () => {
  const { handler, seen } = recording();
  const text = new ReadableStream({ pull: (controller) => controller.enqueue("x".repeat(1000)) });
  const endpoint = secureEndpoint(handler, { authorize: () => true, maxBodyBytes: 10_000 });
  await expect(endpoint(post(text))).rejects.toMatchObject({ code: "CONFIG" });
  expect(seen).toEqual([]);
});

describe("an authorisation of one's own", () => {
  test("guards every path and method, a failure callback too", async () => {
    const { handler, seen } = recording();
    const asked: string[] = [];
    const endpoint = secureEndpoint(handler, {
      authorize: (request) => {
        asked.push(`${request.method} ${new URL(request.url).pathname}`);
        return request.headers.get("authorization") === "Bearer secret";
      },
    });
    const requests = [
      () => post("{}"),
      () => post("{}", { "upstash-workflow-is-failure": "true" }, `${URL_OF_APP}/failure`),
      () => post("{}", { "upstash-failure-callback": "true" }),
      () => new Request(URL_OF_APP),
      () => new Request(URL_OF_APP, { method: "DELETE" }),
    ];
    for (const request of requests) {
      expect((await endpoint(request())).status).toBe(401);
      const authorised = request();
      authorised.headers.set("authorization", "Bearer secret");
      expect((await endpoint(authorised)).status).toBe(201);
    }
    expect(asked).toHaveLength(2 * requests.length);
    expect(seen).toHaveLength(requests.length);
  });

  test("may read the body, and leaves it to the handler", async () => {
    const { handler, seen } = recording();
    const endpoint = secureEndpoint(handler, {
      authorize: async (request) => (await request.text()) === "let me in",
    });
    expect((await endpoint(post("let me in"))).status).toBe(201);
    expect((await endpoint(post("let me out"))).status).toBe(401);
    expect(seen).toEqual([bytes("let me in")]);
  });

  test.each([
    ["false", () => false],
    ["undefined", () => undefined],
    ["a text", () => "yes"],
    ["1", () => 1],
    ["a promise of false", async () => false],
    [
      "a throw",
      () => {
        throw new Error("secret reason");
      },
    ],
    ["a rejection", () => Promise.reject(new Error("secret reason"))],
  ])("that answers %s refuses", async (_name, authorize) => {
    const { handler, seen } = recording();
    const response = await secureEndpoint(handler, { authorize: authorize as () => boolean })(post("{}"));
    expect([response.status, await response.text()]).toEqual([401, '{"message":"Unauthorized"}']);
    expect(seen).toEqual([]);
  });
});

test("a body that comes in pieces is put together, up to the very limit", async () => {
  const pieces = ["ab", "", "cde", "f"].map((text) => bytes(text));
  const inPieces = (length?: string): Request => {
    const body = new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    const headers: Record<string, string> = length === undefined ? {} : { "content-length": length };
    return new Request("http://localhost/", { method: "POST", body, headers, duplex: "half" } as RequestInit);
  };
  const { handler, seen } = recording();
  const upTo = (maxBodyBytes: number) => secureEndpoint(handler, { authorize: () => true, maxBodyBytes });
  expect((await upTo(6)(inPieces())).status).toBe(201);
  expect((await upTo(6)(inPieces("6"))).status).toBe(201);
  expect(seen.map((each) => Buffer.from(each).toString())).toEqual(["abcdef", "abcdef"]);
  for (const length of [undefined, "6"]) expect((await upTo(5)(inPieces(length))).status).toBe(413);
  expect(seen).toHaveLength(2);
});

test("what an authorize threw is told on this side alone", async () => {
  const reasons: unknown[] = [];
  const failure = new Error("the session store is down");
  for (const authorize of [() => Promise.reject(failure), () => false]) {
    const endpoint = secureEndpoint(recording().handler, {
      authorize,
      onRefused: (reason) => reasons.push(reason),
    });
    expect(await (await endpoint(post("{}"))).text()).toBe('{"message":"Unauthorized"}');
  }
  expect(reasons).toEqual([failure, undefined]);
});

test.each(["GET", "HEAD"])("a request by %s has no body, and may be authentic", async (method) => {
  const { handler, seen } = recording();
  const endpoint = secureEndpoint(handler, { authorize: () => true, maxBodyBytes: 0 });
  expect((await endpoint(new Request("http://localhost/", { method }))).status).toBe(201);
  expect(seen).toEqual([new Uint8Array(0)]);
});

test("in dev mode an authorize is asked all the same", async () => {
  const { handler, seen } = recording();
  const endpoint = secureEndpoint(handler, {
    mode: "dev",
    authorize: (request) => request.headers.get("x-secret") === "right",
  });
  expect((await endpoint(post("{}"))).status).toBe(401);
  expect(seen).toEqual([]);
  const allowed = new Request("http://localhost/", { method: "POST", headers: { "x-secret": "right" } });
  expect((await endpoint(allowed)).status).toBe(201);
});

test("in dev mode requests pass unsigned, and their size is limited all the same", async () => {
  const endpoint = secureEndpoint(recording().handler, { verifier, mode: "dev", maxBodyBytes: 3 });
  expect((await endpoint(post("{}"))).status).toBe(201);
  expect((await endpoint(post("{   }"))).status).toBe(413);
});

test("what the handler throws is the caller's to handle, and so is a malformed key of the environment", async () => {
  const failing = secureEndpoint(() => Promise.reject(new TypeError("mine")), { authorize: () => true });
  await expect(failing(post("{}"))).rejects.toThrow("mine");
  const env = { INNGEST_SIGNING_KEY: "signkey-prod-" };
  const misconfigured = secureEndpoint(recording().handler, {
    verifier: createVerifier({ scheme: "inngest", env }),
  });
  await expect(misconfigured(post("{}"))).rejects.toMatchObject({ code: "CONFIG" });
});

test.each([
  ["nothing", {}],
  ["both", { verifier, authorize: () => true }],
  ["an authorize that is no function", { authorize: true }],
  ["an unknown mode", { verifier, mode: "development" }],
  ["a limit below zero", { verifier, maxBodyBytes: -1 }],
  ["a limit that is no number", { verifier, maxBodyBytes: "1mb" }],
])("options with %s are an error", (_name, options) => {
  expect(() => secureEndpoint(() => new Response(), options as never)).toThrow(
    expect.objectContaining({ code: "CONFIG" }),
  );
});

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { inspect } from "node:util";
import { Inngest } from "inngest";
import { describe, expect, test } from "vitest";
import { type SignedFetchOptions, signedFetch } from "../../src/transport/index.ts";
import { INNGEST } from "./support.ts";

const API = "https://api.inngest.com/v1/events";

const token = (key: string): string => {
  const [, prefix = "", hex = ""] = /^(signkey-\w+-)?(\w+)$/.exec(key) ?? [];
  return `Bearer ${prefix}${createHash("sha256").update(Buffer.from(hex, "hex")).digest("hex")}`;
};

interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A server that answers in turn, and what it was sent. */
function serverOf(...answers: Response[]): { sent: Sent[]; fetch: typeof globalThis.fetch } {
  const sent: Sent[] = [];
  return {
    sent,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      sent.push({
        url: request.url,
        method: request.method,
        headers: request.headers,
        body: await request.text(),
      });
      return answers.shift() ?? new Response("done");
    },
  };
}

const both = { signingKey: INNGEST.old, signingKeyFallback: INNGEST.new, env: {} };

test("a call carries the hash of the key, never the key", async () => {
  const { sent, fetch } = serverOf();
  const response = await signedFetch({ ...both, fetch })(API, { method: "POST", body: "{}" });
  expect(await response.text()).toBe("done");
  expect(sent).toMatchObject([{ url: API, method: "POST", body: "{}" }]);
  expect(sent[0]?.headers.get("authorization")).toBe(token(INNGEST.old));
  expect(inspect([...(sent[0]?.headers ?? [])])).not.toContain(INNGEST.old.slice(-32));
});

test("a call with a key without prefix carries its hash alone", async () => {
  const { sent, fetch } = serverOf();
  const signingKey = INNGEST.old.slice("signkey-prod-".length);
  await signedFetch({ signingKey, env: {}, fetch })(API);
  expect(sent[0]?.headers.get("authorization")).toBe(token(signingKey));
  expect(sent[0]?.headers.get("authorization")).toMatch(/^Bearer [0-9a-f]{64}$/);
});

describe("the fallback key is tried", () => {
  test.each([
    [401, true],
    [403, true],
    [200, false],
    [400, false],
    [404, false],
    [500, false],
  ])("after an answer of %i: %s", async (status, isTried) => {
    const { sent, fetch } = serverOf(new Response("first", { status }), new Response("second"));
    const response = await signedFetch({ ...both, fetch })(API, { method: "PUT", body: "{}" });
    expect(await response.text()).toBe(isTried ? "second" : "first");
    const tokens = [token(INNGEST.old), token(INNGEST.new)].slice(0, isTried ? 2 : 1);
    expect(sent.map(({ headers }) => headers.get("authorization"))).toEqual(tokens);
    expect(sent.map(({ method, body }) => [method, body])).toEqual(tokens.map(() => ["PUT", "{}"]));
  });

  test("once, and its refusal is the answer", async () => {
    const { sent, fetch } = serverOf(
      ...[401, 403, 200].map((status) => new Response(`${status}`, { status })),
    );
    expect((await signedFetch({ ...both, fetch })(API)).status).toBe(403);
    expect(sent).toHaveLength(2);
  });

  test("not at all where there is none", async () => {
    const { sent, fetch } = serverOf(new Response("", { status: 401 }));
    expect((await signedFetch({ signingKey: INNGEST.old, fetch })(API)).status).toBe(401);
    expect(sent).toHaveLength(1);
  });

  const form = new FormData();
  form.set("a", "b");
  test.each<[string, () => [string | URL | Request, RequestInit?], RegExp]>([
    ["a text", () => [API, { method: "POST", body: "same" }], /^same$/],
    [
      "bytes",
      () => [new URL(API), { method: "POST", body: new TextEncoder().encode("same") as BodyInit }],
      /^same$/,
    ],
    ["a form", () => [API, { method: "POST", body: form }], /name="a"/],
    [
      "a stream",
      () => [API, { method: "POST", body: new Response("same").body, duplex: "half" } as RequestInit],
      /^same$/,
    ],
    ["a Request", () => [new Request(API, { method: "POST", body: "same" })], /^same$/],
  ])("with the same body when that is %s", async (_name, args, body) => {
    const { sent, fetch } = serverOf(new Response("", { status: 401 }));
    await signedFetch({ ...both, fetch })(...args());
    expect(sent).toHaveLength(2);
    expect(sent[0]?.body).toMatch(body);
    expect(sent[1]?.body).toBe(sent[0]?.body);
    expect(sent[1]?.headers.get("content-type")).toBe(sent[0]?.headers.get("content-type"));
  });
});

describe("the environment header", () => {
  test.each<[string, SignedFetchOptions, string | null]>([
    ["is absent where nothing names one", { env: {} }, null],
    ["is the option", { environment: "branch", env: { INNGEST_ENV: "other" } }, "branch"],
    ["is INNGEST_ENV before all", { env: { INNGEST_ENV: "first", BRANCH_NAME: "second" } }, "first"],
    ["is the branch of a host", { env: { VERCEL_GIT_COMMIT_REF: "feature/x" } }, "feature/x"],
  ])("%s", async (_name, options, value) => {
    const { sent, fetch } = serverOf();
    await signedFetch({ signingKey: INNGEST.old, ...options, fetch })(API);
    expect(sent[0]?.headers.get("x-inngest-env")).toBe(value);
  });
});

test("token, fallback and environment are those of the real SDK", async () => {
  const env = {
    INNGEST_SIGNING_KEY: INNGEST.old,
    INNGEST_SIGNING_KEY_FALLBACK: INNGEST.new,
    RAILWAY_GIT_BRANCH: "railway",
    BRANCH: "netlify",
  };
  const headersOf = (sent: readonly Sent[]) =>
    sent.map(({ headers }) => [headers.get("authorization"), headers.get("x-inngest-env")]);
  const theirs = serverOf(...[401, 401].map((status) => new Response("{}", { status })));
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const client = new Inngest({
    id: "app",
    isDev: false,
    eventKey: "test",
    fetch: theirs.fetch,
    logger: silent,
  });
  client.setEnvVars(env);
  // A call of the SDK to the API, which authenticates and falls back.
  // biome-ignore lint/complexity/useLiteralKeys: private to TypeScript
  await client["inngestApi"].getRunSteps("run").catch(() => undefined);
  const ours = serverOf(new Response("{}", { status: 401 }));
  await signedFetch({ env, fetch: ours.fetch })(API);
  expect(headersOf(ours.sent)).toEqual([
    [token(INNGEST.old), "netlify"],
    [token(INNGEST.new), "netlify"],
  ]);
  expect(theirs.sent.map(({ headers }) => headers.get("authorization"))).toEqual(
    ours.sent.map(({ headers }) => headers.get("authorization")),
  );
  expect(client.headers["x-inngest-env"]).toBe("netlify");
});

describe("a redirect", () => {
  const to = (status: number, location: string): Response =>
    new Response("", { status, headers: { location } });

  test.each([301, 302, 303, 307, 308])(
    "of status %i to another origin is an error, and nothing is sent",
    async (status) => {
      for (const location of [
        "https://evil.test/",
        "http://api.inngest.com/",
        "https://api.inngest.com:444/",
        "//evil.test/x",
        "https://api.inngest.com@evil.test/",
      ]) {
        const { sent, fetch } = serverOf(to(status, location));
        const call = signedFetch({ ...both, fetch })(API, { method: "POST", body: "data" });
        await expect(call).rejects.toMatchObject({ code: "REFUSED" });
        expect(sent).toHaveLength(1);
      }
    },
  );

  test.each([
    [301, "POST", "GET", ""],
    [302, "POST", "GET", ""],
    [303, "PUT", "GET", ""],
    [307, "POST", "POST", "data"],
    [308, "PUT", "PUT", "data"],
    [301, "PUT", "PUT", "data"],
    [302, "PUT", "PUT", "data"],
    [303, "HEAD", "HEAD", ""],
  ])(
    "of status %i on the same origin turns %s into %s, as fetch does",
    async (status, method, next, body) => {
      const { sent, fetch } = serverOf(to(status, "/v2/events"));
      await signedFetch({ ...both, fetch })(API, { method, ...(method !== "HEAD" && { body: "data" }) });
      expect(sent[1]).toMatchObject({ url: "https://api.inngest.com/v2/events", method: next, body });
      expect(sent[1]?.headers.get("authorization")).toBe(token(INNGEST.old));
      expect(sent[1]?.headers.has("content-type")).toBe(sent[1]?.body !== "");
    },
  );

  test.each([401, 307])("or a refusal without a body, of status %i, is followed as well", async (status) => {
    const { sent, fetch } = serverOf(new Response(null, { status, headers: { location: "/v2/events" } }));
    expect((await signedFetch({ ...both, fetch })(API)).status).toBe(200);
    expect(sent).toHaveLength(2);
  });

  test("that does not say where to is the answer", async () => {
    const { sent, fetch } = serverOf(new Response("lost", { status: 307 }));
    expect(await (await signedFetch({ ...both, fetch })(API)).text()).toBe("lost");
    expect(sent).toHaveLength(1);
  });

  test("is not followed without end, nor where the caller does not want it", async () => {
    const loop = serverOf(...Array.from({ length: 10 }, () => to(307, API)));
    await expect(signedFetch({ ...both, fetch: loop.fetch })(API)).rejects.toMatchObject({ code: "REFUSED" });
    expect(loop.sent).toHaveLength(6);
    const manual = serverOf(to(307, "https://evil.test/"));
    const response = await signedFetch({ ...both, fetch: manual.fetch })(API, { redirect: "manual" });
    expect([response.status, manual.sent.length]).toEqual([307, 1]);
  });

  test("of a real server to another is never followed with the token", async () => {
    const got: unknown[] = [];
    const other = createServer((request, response) => {
      got.push(request.headers);
      response.end();
    });
    let calls = 0;
    const first = createServer((_request, response) => {
      calls++;
      const { port } = other.address() as { port: number };
      response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end();
    });
    for (const server of [other, first]) {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    }
    try {
      const { port } = first.address() as { port: number };
      await expect(signedFetch(both)(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: "REFUSED" });
      await expect(
        signedFetch(both)(`http://127.0.0.1:${port}/`, { redirect: "error" }),
      ).rejects.toBeInstanceOf(TypeError);
      expect(got).toEqual([]);
      expect(calls).toBe(2);
    } finally {
      for (const server of [other, first]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    }
  });
});

test("without a key nothing is sent, and in dev mode no key is", async () => {
  const { sent, fetch } = serverOf();
  await expect(signedFetch({ env: {}, fetch })(API)).rejects.toMatchObject({ code: "NO_KEYS" });
  expect(sent).toEqual([]);
  await signedFetch({ ...both, mode: "dev", fetch })(API);
  expect(sent[0]?.headers.has("authorization")).toBe(false);
});

test.each(["not hex", "signkey-prod-", "signkey-prod-abc", "signkey-prod-abcg"])(
  "a key that cannot be hashed (%s) is an error that does not show it",
  async (signingKey) => {
    const { sent, fetch } = serverOf();
    const call = signedFetch({ signingKey, env: {}, fetch })(API);
    const message = expect.not.stringContaining(signingKey);
    await expect(call).rejects.toMatchObject({ code: "CONFIG", message });
    expect(sent).toEqual([]);
  },
);

test("no error of a call that fails holds a key or a token", async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const failures = await Promise.all(
    [`http://127.0.0.1:${port}/`, "no-scheme://x/", "not a url"].map((url) =>
      signedFetch(both)(url).then(
        () => "accepted",
        (error: unknown) => error,
      ),
    ),
  );
  for (const failure of failures) {
    expect(failure).toBeInstanceOf(Error);
    const shown = inspect(failure, { depth: 10, showHidden: true });
    for (const key of [INNGEST.old, INNGEST.new]) {
      expect(shown).not.toContain(key.slice(-32));
      expect(shown).not.toContain(token(key).slice(-64));
    }
  }
});

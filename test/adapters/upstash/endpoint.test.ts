import { Client as QstashClient, Receiver } from "@upstash/qstash";
import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow, serve } from "@upstash/workflow/nextjs";
import { createSealer } from "stepseal";
import { findPlaintext, type TestQstash } from "stepseal/testing";
import { createSigner, memoryReplayStore, type ReplayStore, SignatureError } from "stepseal/transport";
import { secureWorkflow } from "stepseal/upstash";
import { describe, expect, it, vi } from "vitest";
import { createApp, keyring, ORIGIN, secure_ } from "./harness.ts";

/** The public development keys of QStash (@upstash/qstash 2, client/dev-server): whoever knows them is nobody. */
const PUBLIC_DEV_KEY = "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r";
/** The SDK came to know regions after its oldest version here. */
const KNOWS_REGIONS = process.env.UPSTASH !== "oldest";
const URL_ = `${ORIGIN}/pay`;
const sealer = createSealer({ keyring: keyring() });

/** A first invocation, which the SDK answers with a run that it starts. */
async function post(
  key: string | undefined,
  {
    url = URL_,
    signedFor = url,
    headers = {},
  }: { url?: string; signedFor?: string; headers?: Record<string, string> } = {},
): Promise<Request> {
  const body = new TextEncoder().encode('{"card":"4111"}');
  const signed =
    key === undefined
      ? {}
      : (await createSigner({ scheme: "qstash", currentSigningKey: key, url: signedFor }).sign({ body }))
          .headers;
  return new Request(url, { method: "POST", headers: { ...headers, ...signed }, body });
}

/** A request whose state the SDK has to fetch. */
async function later({ signingKeys: { current } }: TestQstash): Promise<Request> {
  const signer = createSigner({ scheme: "qstash", currentSigningKey: current, url: URL_ });
  const { headers } = await signer.sign({ body: new Uint8Array() });
  const all = { ...headers, "upstash-workflow-sdk-version": "1", "upstash-workflow-runid": "wfr_1" };
  return new Request(URL_, { method: "POST", headers: all, body: "" });
}

/** The SDK alone and with stepseal: whether a request got to run code of the app. */
async function endpoints(env: Record<string, string> = {}, sdk: object = {}, seal: object = {}) {
  const { qstash } = await createApp({});
  const ran = { alone: 0, sealed: 0 };
  const qstashClient = new QstashClient({ baseUrl: qstash.url, token: qstash.token, devMode: false });
  const alone = serve(
    async (context) => {
      ran.alone++;
      await context.run("charge", () => 1);
    },
    { env: { ...qstash.env, ...env }, qstashClient, ...sdk },
  ).POST;
  const refused: unknown[] = [];
  const sealed = secure_(qstash, {
    plaintextTrigger: "accept",
    env: { ...qstash.env, ...env },
    onRefused: (reason) => void refused.push(reason instanceof SignatureError ? reason.code : reason),
    ...seal,
  }).serve(async (context) => {
    ran.sealed++;
    await context.run("charge", () => 1);
  }).POST;
  return { alone, sealed, ran, refused, qstash };
}

describe("an endpoint", () => {
  it("runs an authentic request, as the SDK alone does", async () => {
    const { alone, sealed, ran, qstash } = await endpoints();
    expect((await alone(await post(qstash.signingKeys.current))).status).toBe(200);
    expect((await sealed(await post(qstash.signingKeys.current))).status).toBe(200);
    expect((await sealed(await post(qstash.signingKeys.next))).status).toBe(200);
    expect(ran).toEqual({ alone: 1, sealed: 2 });
  });

  it("refuses a request for another URL, which the SDK runs", async () => {
    const { alone, sealed, ran, refused, qstash } = await endpoints();
    const signedFor = `${ORIGIN}/other`;
    expect((await alone(await post(qstash.signingKeys.current, { signedFor }))).status).toBe(200);
    expect((await sealed(await post(qstash.signingKeys.current, { signedFor }))).status).toBe(401);
    expect([ran, refused]).toEqual([{ alone: 1, sealed: 0 }, ["WRONG_DESTINATION"]]);
  });

  it("knows its URL from publicUrl, not from what a proxy made of the request", async () => {
    const { sealed, ran, refused, qstash } = await endpoints();
    const url = "http://10.0.0.1:3000/pay";
    const { current } = qstash.signingKeys;
    expect((await sealed(await post(current, { url, signedFor: URL_ }))).status).toBe(200);
    expect((await sealed(await post(current, { url }))).status).toBe(401);
    expect([ran.sealed, refused]).toEqual([1, ["WRONG_DESTINATION"]]);
  });

  it("has the URL of its option url, where it is elsewhere", async () => {
    const { qstash } = await createApp({});
    const elsewhere = "https://gateway.example.com/elsewhere";
    const secure = secure_(qstash, { plaintextTrigger: "accept" });
    const served = secure.serve(async (context) => context.run("charge", () => 1), { url: elsewhere }).POST;
    const wrapped = secure.wrap(
      async (_, { options }) => Response.json(options.qstashClient && {}),
      elsewhere,
    );
    for (const endpoint of [served, wrapped]) {
      const { current } = qstash.signingKeys;
      expect((await endpoint(await post(current, { signedFor: elsewhere }))).status).toBe(200);
      expect((await endpoint(await post(current))).status).toBe(401);
    }
  });

  it("refuses a second use of a signature, which the SDK runs", async () => {
    const { alone, sealed, ran, refused, qstash } = await endpoints();
    const request = await post(qstash.signingKeys.current);
    for (const status of [200, 200]) expect((await alone(request.clone())).status).toBe(status);
    for (const status of [200, 401]) expect((await sealed(request.clone())).status).toBe(status);
    expect([ran, refused]).toEqual([{ alone: 2, sealed: 1 }, ["REPLAYED"]]);
  });

  it("refuses a request that is not signed, which the SDK runs where no keys are set", async () => {
    const none = { QSTASH_CURRENT_SIGNING_KEY: "", QSTASH_NEXT_SIGNING_KEY: "" };
    const { alone, sealed, ran, refused } = await endpoints(none, {}, { signingKeys: undefined });
    expect((await alone(await post(undefined))).status).toBe(200);
    expect((await sealed(await post(undefined))).status).toBe(401);
    expect([ran, refused]).toEqual([{ alone: 1, sealed: 0 }, ["NO_KEYS"]]);
  });

  it("refuses the public development key, which the SDK accepts while QSTASH_DEV is set", async () => {
    vi.stubEnv("QSTASH_DEV", "1");
    const { alone, sealed, ran, refused } = await endpoints(
      { QSTASH_DEV: "1" },
      { receiver: new Receiver({ devMode: true }) },
    );
    expect((await alone(await post(PUBLIC_DEV_KEY))).status).toBe(200);
    expect((await sealed(await post(PUBLIC_DEV_KEY))).status).toBe(401);
    vi.unstubAllEnvs();
    expect([ran, refused]).toEqual([{ alone: 1, sealed: 0 }, ["MISMATCH"]]);
  });

  it("refuses a request of a region without keys, which the SDK runs unsigned", async () => {
    const { qstash } = await createApp({});
    const env = {
      QSTASH_REGION: "US_EAST_1",
      US_EAST_1_QSTASH_URL: qstash.url,
      US_EAST_1_QSTASH_TOKEN: qstash.token,
      US_EAST_1_QSTASH_CURRENT_SIGNING_KEY: "sig_us_current",
      US_EAST_1_QSTASH_NEXT_SIGNING_KEY: "sig_us_next",
      EU_CENTRAL_1_QSTASH_URL: qstash.url,
      EU_CENTRAL_1_QSTASH_TOKEN: qstash.token,
    };
    const { alone, sealed, ran, refused } = await endpoints(
      env,
      { qstashClient: undefined },
      { signingKeys: undefined, qstash: undefined },
    );
    const headers = { "upstash-region": "EU_CENTRAL_1" };
    if (KNOWS_REGIONS) expect((await alone(await post(undefined, { headers }))).status).toBe(200);
    expect((await sealed(await post(undefined, { headers }))).status).toBe(401);
    expect((await sealed(await post("sig_us_current", { headers }))).status).toBe(401);
    expect([ran, refused]).toEqual([{ alone: KNOWS_REGIONS ? 1 : 0, sealed: 0 }, ["NO_KEYS", "NO_KEYS"]]);
    expect(
      (await sealed(await post("sig_us_current", { headers: { "upstash-region": "us-east-1" } }))).status,
    ).toBe(200);
  });

  it("refuses a request whose body was changed, and one that is too long", async () => {
    const { sealed, ran, qstash } = await endpoints({}, {}, { maxBodyBytes: 100 });
    const { headers } = await post(qstash.signingKeys.current);
    expect(
      (await sealed(new Request(URL_, { method: "POST", headers, body: '{"card":"4112"}' }))).status,
    ).toBe(401);
    expect((await sealed(new Request(URL_, { method: "POST", headers, body: "x".repeat(101) }))).status).toBe(
      413,
    );
    expect(ran.sealed).toBe(0);
  });

  it.each(["https://App.Example.com", "https://app.example.com:443", "https://bücher.example.com/"])(
    "has the public URL as it is spelt, and nothing leaves for another one: %s",
    async (publicUrl) => {
      const { qstash } = await createApp({});
      const result = "planted-in-a-result-0123456789";
      // The option lets messages to others pass: a step must not be taken for one.
      const secure = secure_(qstash, { publicUrl, thirdPartyCalls: "allow" });
      const urls = new Set<string>();
      const pay = createWorkflow(async (context) => {
        urls.add(context.url);
        await context.run("charge", () => result);
      });
      qstash.serve(publicUrl, secure.serveMany({ pay }).POST);
      const url = `${publicUrl.replace(/\/$/, "")}/pay`;
      const { workflowRunId } = await secure.client().trigger({ url, retries: 0 });
      await qstash.idle();
      expect(findPlaintext(qstash.wire, [result])).toEqual([]);
      expect(qstash.run(workflowRunId).state).toBe("RUN_SUCCESS");
      expect(urls).toEqual(new Set([url]));
    },
  );

  it("sends nothing where `wrap` is given a client of its own after that which seals", async () => {
    const { qstash } = await createApp({});
    const secret = "planted-in-a-payload-0123456789";
    const ran: unknown[] = [];
    const qstashClient = new QstashClient({ baseUrl: qstash.url, token: qstash.token, devMode: false });
    const refused: unknown[] = [];
    const secure = secure_(qstash, { onRefused: (reason) => void refused.push(reason) });
    const endpoint = secure.wrap((request, { route, options }) =>
      serve(
        route(async (context) => {
          ran.push(context.requestPayload);
          await context.run("charge", () => secret);
        }),
        { ...options, qstashClient },
      ).POST(request as never),
    );
    qstash.serve(ORIGIN, endpoint);
    await secure.client().trigger({ url: URL_, body: secret, retries: 0 });
    await qstash.idle();
    expect(findPlaintext(qstash.wire, [secret])).toEqual([]);
    expect(refused).toEqual([expect.objectContaining({ code: "CONFIG" })]);
    // The dry run up to the first step, which sends nothing.
    expect(ran).toEqual([secret]);
  });

  it("takes the store of used signatures that it is given", async () => {
    const store = memoryReplayStore();
    const claim = vi.fn(store.claim);
    const replay: ReplayStore = { claim };
    const { sealed, qstash } = await endpoints({}, {}, { replay });
    await sealed(await post(qstash.signingKeys.current));
    expect(claim).toHaveBeenCalledOnce();
  });

  it("answers with nothing of a run whose payload it has not read", async () => {
    const { qstash } = await createApp({});
    const endpoint = secure_(qstash).wrap((_, { options }) => {
      expect(options.qstashClient).toBeDefined();
      return new Response("what nobody may know");
    });
    const answer = await endpoint(await later(qstash));
    expect([answer.status, answer.headers.get("stepseal-error")]).toEqual([489, "REFUSED"]);
    expect(await answer.text()).not.toContain("nobody");
  });

  it("answers with the refusal, whatever its handler throws after it", async () => {
    const { qstash } = await createApp({});
    const endpoint = secure_(qstash, { plaintextTrigger: "accept" }).wrap(async (_, { options }) => {
      await (options.qstashClient as QstashClient).publishJSON({ url: URL_, body: 1 }).catch(() => {});
      throw new Error("something else");
    });
    const answer = await endpoint(await post(qstash.signingKeys.current));
    expect([answer.status, answer.headers.get("stepseal-error")]).toEqual([489, "REFUSED"]);
  });

  it.each<[thrown: unknown, told: object]>([
    [new TypeError("card 4111"), { error: "TypeError", message: "card 4111" }],
    ["card 4111", { error: "Error", message: "card 4111" }],
  ])("seals what its handler throws: %s", async (thrown, told) => {
    const { qstash } = await createApp({});
    const endpoint = secure_(qstash, { plaintextTrigger: "accept" }).wrap(() => {
      throw thrown;
    });
    const answer = await endpoint(await post(qstash.signingKeys.current));
    expect([answer.status, answer.headers.get("upstash-workflow-sdk-version")]).toEqual([500, "1"]);
    const sealed = await answer.text();
    expect(sealed).not.toContain("4111");
    const text = sealer.openJson(JSON.parse(sealed), { kind: "fn.error", fn: "/pay" });
    expect(JSON.parse(String(text))).toEqual({ ...told, stack: expect.stringContaining("4111") });
  });

  it("keeps to itself what its handler throws before the payload was read", async () => {
    const { qstash } = await createApp({});
    const endpoint = secure_(qstash).wrap(() => {
      throw new Error("card 4111");
    });
    const answer = await endpoint(await later(qstash));
    expect([answer.status, await answer.text()]).toEqual([500, "Internal Server Error"]);
  });

  it("refuses, whatever onRefused throws", async () => {
    const { sealed, qstash } = await endpoints(
      {},
      {},
      {
        plaintextTrigger: "reject",
        onRefused: () => {
          throw new Error("the log is full");
        },
      },
    );
    expect((await sealed(await post(qstash.signingKeys.current))).status).toBe(489);
  });

  it("does not run for a region that it has keys of, and no token", async () => {
    const { qstash } = await createApp({});
    const env = {
      QSTASH_REGION: "US_EAST_1",
      US_EAST_1_QSTASH_URL: qstash.url,
      US_EAST_1_QSTASH_TOKEN: qstash.token,
      US_EAST_1_QSTASH_CURRENT_SIGNING_KEY: "sig_us",
      EU_CENTRAL_1_QSTASH_CURRENT_SIGNING_KEY: "sig_eu",
    };
    const given = { signingKeys: undefined, qstash: undefined };
    const { sealed, ran, refused } = await endpoints(env, {}, given);
    const headers = { "upstash-region": "eu-central-1" };
    expect((await sealed(await post("sig_eu", { headers }))).status).toBe(503);
    expect(String(refused)).toContain("EU_CENTRAL_1_QSTASH_TOKEN");
    expect((await sealed(await post("sig_us"))).status).toBe(401);
    expect(ran.sealed).toBe(0);
  });

  it("says no more than the code where it refuses what it has read nothing of", async () => {
    const { sealed, qstash } = await endpoints();
    const headers = { "upstash-workflow-callback": "true", "upstash-workflow-is-failure": "true" };
    const answer = await sealed(await post(qstash.signingKeys.current, { headers }));
    expect([answer.status, answer.headers.get("content-type")]).toEqual([489, "text/plain;charset=UTF-8"]);
    expect(await answer.text()).toBe("Refused: FORMAT. onRefused was told why.");
  });

  it("answers a request without a body", async () => {
    const { qstash } = await createApp({});
    const endpoint = secure_(qstash, { plaintextTrigger: "accept" }).wrap(async (request, { options }) => {
      return options.qstashClient && new Response(null, { status: request.method === "GET" ? 202 : 500 });
    });
    const { headers } = await later(qstash);
    headers.delete("upstash-workflow-sdk-version");
    const answer = await endpoint(new Request(URL_, { method: "GET", headers }));
    expect([answer.status, await answer.text()]).toEqual([202, ""]);
  });

  it("sends to the platform of the region that a request is from", async () => {
    const { qstash } = await createApp({});
    const env = {
      QSTASH_REGION: "US_EAST_1",
      US_EAST_1_QSTASH_URL: "http://127.0.0.1:1",
      US_EAST_1_QSTASH_TOKEN: "another token",
      US_EAST_1_QSTASH_CURRENT_SIGNING_KEY: "sig_us",
      EU_CENTRAL_1_QSTASH_URL: qstash.url,
      EU_CENTRAL_1_QSTASH_TOKEN: qstash.token,
      EU_CENTRAL_1_QSTASH_CURRENT_SIGNING_KEY: "sig_eu",
    };
    const given = { signingKeys: undefined, qstash: undefined };
    const { sealed, ran, refused } = await endpoints(env, {}, given);
    const from = async (key: string, region: string) =>
      (await sealed(await post(key, { headers: { "upstash-region": region } }))).status;
    expect(await from("sig_eu", "eu-central-1")).toBe(200);
    expect([ran.sealed, refused]).toEqual([1, []]);
  });

  it("gives its handler a request that the SDK may believe, and no other", async () => {
    const { qstash } = await createApp({});
    const signatures = new Set<string>();
    const endpoint = secure_(qstash, { plaintextTrigger: "accept" }).wrap(async (request, { options }) => {
      const { receiver, qstashClient } = options;
      const body = await request.text();
      const signature = request.headers.get("upstash-signature") ?? "";
      signatures.add(signature);
      const asked = [
        { signature, body },
        { signature: "signature", body },
        { signature: "", body },
        { signature, body: `${body} ` },
      ];
      expect(await Promise.all(asked.map((one) => receiver.verify(one)))).toEqual([
        true,
        false,
        false,
        false,
      ]);
      for (const name of ["content-length", "content-encoding", "stepseal-call"]) {
        expect([name, request.headers.get(name)]).toEqual([name, null]);
      }
      expect([request.url, options.url, options.baseUrl]).toEqual([URL_, URL_, ORIGIN]);
      return Response.json(qstashClient && {});
    });
    const headers = { "content-length": "15", "content-encoding": "identity", "stepseal-call": "ss1.x" };
    const url = "http://10.0.0.1:3000/pay";
    for (let i = 0; i < 2; i++) {
      const answer = await endpoint(
        await post(qstash.signingKeys.current, { url, signedFor: URL_, headers }),
      );
      expect(answer.status).toBe(200);
    }
    expect(signatures.size).toBe(2);
  });

  it("keeps its own client and receiver, whatever becomes of the options it was given", async () => {
    const { qstash } = await createApp({});
    const options: Record<string, unknown> = {};
    const { POST } = secure_(qstash, { plaintextTrigger: "accept" }).serve(async (context) => {
      await context.run("charge", () => "card 4111");
    }, options);
    options.qstashClient = new QstashClient({ baseUrl: "http://127.0.0.1:1", token: "x", devMode: false });
    options.receiver = new Receiver({ currentSigningKey: "x", nextSigningKey: "y", devMode: false });
    expect((await POST(await post(qstash.signingKeys.current))).status).toBe(200);
  });

  it.each(["nobody", "%E0%A4%A"])("of many workflows has none that is named %s", async (name) => {
    const { qstash } = await createApp({});
    const { POST } = secure_(qstash).serveMany({ pay: createWorkflow(async () => {}) });
    expect((await POST(new Request(`${ORIGIN}/workflows/${name}`, { method: "POST" }))).status).toBe(404);
  });

  it("of many workflows takes options for all, and before them each one's own", async () => {
    const { qstash } = await createApp({});
    const saw: unknown[] = [];
    const route = async (context: WorkflowContext<unknown>) => void saw.push(context.requestPayload);
    const { POST } = secure_(qstash, { plaintextTrigger: "accept" }).serveMany(
      {
        all: createWorkflow(route),
        own: createWorkflow(route, { initialPayloadParser: () => "its own" }),
      },
      { initialPayloadParser: () => "of all" },
    );
    for (const name of ["all", "own"]) {
      await POST(await post(qstash.signingKeys.current, { url: `${ORIGIN}/workflows/${name}` }));
    }
    expect(saw).toEqual(["of all", "its own"]);
  });
});

it("answers 503 where a signing key of the environment is none, and tells why", async () => {
  const { qstash } = await createApp({});
  const reasons: unknown[] = [];
  const env = { ...qstash.env, QSTASH_CURRENT_SIGNING_KEY: "sig \n", QSTASH_NEXT_SIGNING_KEY: "sig \n" };
  const { POST } = secureWorkflow({
    ...{ keyring: keyring(), publicUrl: ORIGIN, env },
    onRefused: (reason) => void reasons.push(reason),
  }).serve(async () => {});
  const answer = await POST(await post("sig_current"));
  expect([answer.status, answer.headers.get("stepseal-error")]).toEqual([503, "CONFIG"]);
  expect(await answer.text()).not.toContain("sig ");
  expect(reasons).toEqual([expect.objectContaining({ code: "CONFIG" })]);
});

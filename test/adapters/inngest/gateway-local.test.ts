import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { fetch as sdkFetch } from "inngest";
import { isSealed } from "stepseal";
import { findPlaintext } from "stepseal/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inferLocally, requestLocally } from "../../../src/adapters/inngest/gate/gateway.ts";
import { createApp, MODES, SDK } from "./harness.ts";

const SECRETS = ["mk-prompt", "mk-provider-key", "mk-answer", "mk-header", "mk-path"];

/** What came to the provider, a server of the test's own. */
interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let server: Server;
let origin: string;
let asked: Asked[];
let answer: (response: ServerResponse, asked: Asked) => void;

beforeEach(async () => {
  asked = [];
  answer = (response) => response.setHeader("x-answer", "1").end('{"text":"mk-answer"}');
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { method = "", url = "", headers } = request;
    asked.push({ method, url, headers, body });
    answer(response, asked.at(-1)!);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

type Step = {
  fetch(url: string, init: object): Promise<Response>;
  ai: { infer(id: string, options: object): Promise<unknown> };
};

/** Runs one function to its end; a result that is thrown is kept as its name and message. */
async function play(
  act: (step: Step) => Promise<unknown>,
  { checkpointing, local = true, retries = 0 }: { checkpointing: boolean; local?: boolean; retries?: 0 | 1 },
) {
  const got: unknown[] = [];
  const { engine, inngest } = await createApp(
    (client) => [
      client.createFunction({ id: "fn", retries, triggers: { event: "go" } }, async ({ step }) => {
        try {
          got.push(await act(step as unknown as Step));
        } catch (error) {
          const { name, message, stack } = error as Error;
          got.push({ name, message, stack });
        }
        await step.sleep("nap", "1h");
        got.push("awake");
      }),
    ],
    {
      checkpointing,
      seal: local ? { gateway: "local" } : { allowPlaintext: ["fetch", "ai-infer"] },
      engineOptions: {
        // The platform's own way to make the request.
        gateway: async ({ url, method, headers, body }) => {
          const text = typeof body === "string" ? body : JSON.stringify(body);
          const response = await fetch(url, { method, headers, body: text });
          return {
            status: response.status,
            headers: { "x-answer": response.headers.get("x-answer") ?? "" },
            body: await response.text(),
          };
        },
      },
    },
  );
  await inngest.send({ name: "go" });
  await engine.advance("2h");
  return { engine, got };
}

const infer = (step: Step) =>
  step.ai.infer("ask", {
    model: {
      url: `${origin}/v1/mk-path`,
      authKey: "mk-provider-key",
      format: "openai-chat",
      headers: { "x-own": "mk-header" },
      onCall: (_model: unknown, body: { model?: string }) => {
        body.model = "m-1";
      },
    },
    body: { messages: ["mk-prompt"] },
  });

const request = async (step: Step) => {
  const response = await step.fetch(`${origin}/mk-path`, {
    method: "POST",
    body: "mk-prompt",
    headers: { authorization: "mk-provider-key", "x-own": "mk-header" },
  });
  return [response.status, response.headers.get("x-answer"), await response.json()];
};

describe.each(MODES)("$name", ({ checkpointing }) => {
  test.each([
    ["step.ai.infer", infer],
    ["step.fetch", request],
  ] as const)(
    "%s is made on this server: the platform learns nothing, and the answer is the same",
    async (_name, act) => {
      const through = await play(act, { checkpointing, local: false });
      expect(findPlaintext(through.engine.wire, SECRETS).length).toBeGreaterThan(0);
      const [toPlatform] = asked;

      asked.length = 0;
      const local = await play(act, { checkpointing });
      expect(local.got).toEqual(through.got);
      expect(findPlaintext(local.engine.wire, SECRETS)).toEqual([]);
      expect(asked).toHaveLength(1);
      expect(asked[0]).toMatchObject({ method: toPlatform!.method, url: toPlatform!.url });
      expect(asked[0]!.headers).toMatchObject({ "x-own": "mk-header" });
      expect(asked[0]!.headers.authorization).toContain("mk-provider-key");
      expect(asked[0]!.body).toBe(toPlatform!.body);
      const results = [...local.engine.runs[0]!.steps.values()].flatMap((step) =>
        step === null ? [] : [step],
      );
      expect(results.map((step) => isSealed(step.data))).toEqual([true]);
    },
  );

  test("the SDK's own fetch, called in a function, is made here, too", async () => {
    const act = async () => {
      const response = await sdkFetch(`${origin}/mk-path`, { method: "POST", body: "mk-prompt" });
      return response.text();
    };
    const { engine, got } = await play(act, { checkpointing });
    expect([...new Set(got)]).toEqual(['{"text":"mk-answer"}', "awake"]);
    expect(asked).toHaveLength(1);
    expect(findPlaintext(engine.wire, SECRETS)).toEqual([]);
  });

  test("a provider that answers with an error fails the step as on the platform, and is asked again", async () => {
    answer = (response) => response.writeHead(429).end('{"error":"mk-answer"}');
    const through = await play(infer, { checkpointing, local: false, retries: 1 });
    const calls = asked.length;
    asked.length = 0;
    const local = await play(infer, { checkpointing, retries: 1 });
    const told = ({ name, message }: { name: string; message: string }) => [SDK.keepsNames && name, message];
    expect(told(local.got[0] as Error)).toEqual(told(through.got[0] as Error));
    expect(asked).toHaveLength(calls);
    expect(findPlaintext(local.engine.wire, SECRETS)).toEqual([]);
  });
});

test("a response without a body is one", async () => {
  answer = (response) => response.writeHead(204).end();
  const act = async (step: Step) => {
    const response = await step.fetch(`${origin}/`, { method: "POST", body: "x" });
    return [response.status, response.body];
  };
  const { got } = await play(act, { checkpointing: true });
  expect(got[0]).toEqual([204, null]);
});

test("a server that is not there fails the step with the reason", async () => {
  const act = (step: Step) => step.fetch("http://127.0.0.1:1/", { method: "POST", body: "x" });
  const { got } = await play(act, { checkpointing: true });
  expect(got[0]).toMatchObject({
    message: expect.stringMatching(/^Error making gateway request: fetch failed/),
  });
});

test.each([
  ["openai-chat", "authorization", "Bearer mk-provider-key"],
  ["anthropic", "x-api-key", "mk-provider-key"],
  ["bedrock", "authorization", "mk-provider-key"],
])("the key of a model of format %s stands in %s", async (format, header, value) => {
  const model = { url: `${origin}/v1`, authKey: "mk-provider-key", format, headers: {} };
  await play((step) => step.ai.infer("ask", { model, body: {} }), { checkpointing: true });
  expect(asked[0]!.headers[header]).toBe(value);
});

test("the key of a model of format gemini stands in the query", async () => {
  const model = { url: `${origin}/v1?alt=json`, authKey: "mk-provider-key", format: "gemini", headers: {} };
  await play((step) => step.ai.infer("ask", { model, body: {} }), { checkpointing: true });
  expect(new URL(asked[0]!.url, origin).searchParams.get("key")).toBe("mk-provider-key");
  expect(asked[0]!.headers.authorization).toBeUndefined();
});

test("a model without headers of its own is asked with those that every request has", async () => {
  const model = { url: `${origin}/v1`, authKey: "mk-provider-key", format: "openai-chat" };
  await play((step) => step.ai.infer("ask", { model, body: { n: 1 } }), { checkpointing: true });
  expect(asked).toMatchObject([{ method: "POST", headers: { "content-type": "application/json" } }]);
  expect(JSON.parse(asked[0]!.body)).toEqual({ n: 1 });
});

describe("step.ai.infer fails as on the platform", () => {
  const model = { url: "", authKey: "mk-provider-key", format: "openai-chat", headers: {} };
  const failure = async (url: string) => {
    const asking = inferLocally([{ model: { ...model, url }, body: {} }]);
    return (await asking.catch((error: unknown) => error)) as Error;
  };

  test("where no server is, with the reason", async () => {
    const error = await failure("http://127.0.0.1:1/");
    expect(error).toMatchObject({ name: "AIGatewayError", cause: expect.any(TypeError) });
    expect(error.message).toMatch(/^Error making AI request: fetch failed: ./);
  });

  test.each([
    ["of an error, which says why", 400, '{"error":"mk-answer"}', '{"error":"mk-answer"}'],
    ["of an error, which says nothing", 500, "", '{"error":"Error making AI request"}'],
    ["of the first status that is none of success", 300, "moved", "moved"],
  ])("at an answer %s", async (_name, status, body, stack) => {
    answer = (response) => response.writeHead(status).end(body);
    expect(await failure(origin)).toMatchObject({
      name: "AIGatewayError",
      message: `Error making AI request: unsuccessful status code: ${status}`,
      stack,
    });
  });

  test("at an answer that is no JSON", async () => {
    answer = (response) => response.end("mk-answer");
    const error = await failure(origin);
    expect(error).toMatchObject({
      name: "AIGatewayError",
      message: "Error making AI request: the response is not JSON",
      cause: expect.any(SyntaxError),
    });
  });

  test("and not at the last status of success", async () => {
    answer = (response) => response.writeHead(299).end("{}");
    expect(await inferLocally([{ model: { ...model, url: origin }, body: {} }])).toEqual({});
  });
});

describe("what step.fetch keeps of a response", () => {
  test("is neither its length nor how it was packed on the way", async () => {
    const body = '{"text":"mk-answer"}';
    answer = (response) =>
      response.writeHead(200, { "content-encoding": "gzip", "x-answer": "1" }).end(gzipSync(body));
    const kept = await requestLocally([origin]);
    expect(kept).toMatchObject({ url: origin, body, status_code: 200, headers: { "x-answer": "1" } });
    for (const name of ["content-encoding", "content-length", "transfer-encoding"]) {
      expect(kept.headers).not.toHaveProperty(name);
    }
  });

  test("has the URL of a Request", async () => {
    expect((await requestLocally([new Request(`${origin}/x`)])).url).toBe(`${origin}/x`);
  });

  test("where there is none, is an error with a name, a reason and a cause", async () => {
    const kept = await requestLocally(["http://127.0.0.1:1/"]).catch((error: unknown) => error);
    expect(kept).toMatchObject({ name: "GatewayError", cause: expect.any(TypeError) });
  });

  test("where what was thrown is no error, says so", async () => {
    const aborted = AbortSignal.abort("mk-answer");
    await expect(requestLocally([origin, { signal: aborted }])).rejects.toThrow(
      "Error making gateway request: unknown",
    );
  });
});

test("an option of the platform's own is refused rather than left out", async () => {
  const model = { url: `${origin}/v1`, authKey: "", format: "openai-chat", headers: {} };
  const act = (step: Step) => step.ai.infer("ask", { model, body: {}, cache: true });
  const { got } = await play(act, { checkpointing: true });
  expect(got[0]).toMatchObject({ message: expect.stringContaining('option "cache"') });
  expect(await inferLocally([{ model, body: {}, cache: true }]).catch((error) => error)).toMatchObject({
    code: "REFUSED",
  });
  expect(asked).toEqual([]);
});

test("new members of a request's body, typed in for a rerun, are merged as the platform would", async () => {
  const { engine, inngest } = await createApp(
    (client) => [
      client.createFunction({ id: "fn", retries: 0, triggers: { event: "go" } }, async ({ step }) =>
        infer(step as unknown as Step),
      ),
    ],
    { seal: { gateway: "local", plaintextFrom: { editedInputs: true } } },
  );
  await inngest.send({ name: "go" });
  await engine.idle();
  engine.rerun(engine.runs[0]!.id, { fromStep: "ask", input: [{ temperature: 1 }] });
  await engine.idle();
  expect(asked.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
    { messages: ["mk-prompt"], model: "m-1" },
    { messages: ["mk-prompt"], temperature: 1, model: "m-1" },
  ]);
});

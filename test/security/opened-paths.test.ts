import { Inngest, step } from "inngest";
import { endpointAdapter } from "inngest/edge";
import { metadataMiddleware, sandboxMiddleware } from "inngest/experimental";
import { stream } from "inngest/experimental/durable-endpoints";
import { inspectEnvelope, isSealed, StepsealError } from "stepseal";
import { type EncryptionMiddlewareOptions, encryptionMiddleware } from "stepseal/inngest";
import { createTestEngine, findPlaintext, type TestEngine } from "stepseal/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createApp, keyring, MODES, quiet, SDK } from "../adapters/inngest/harness.ts";

// Paths that leave in plaintext once they are named, and that are refused, or sealed, until then.

const QUERY = "mk80-query-of-the-request";
const STEP = "mk81-step-of-an-endpoint";
const FAILURE = "mk82-error-of-an-endpoints-step";
const ANSWER = "mk83-answer-to-the-end-user";
const PUSHED = "mk84-pushed-into-a-stream";

const found = (engine: TestEngine, ...needles: string[]): string[] =>
  [...new Set(findPlaintext(engine.wire, needles).map((hit) => hit.needle))].sort();

describe("a durable endpoint", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  /** An endpoint that fails a step, sleeps, and answers. */
  function endpointApp(seal: EncryptionMiddlewareOptions | null) {
    const engine = createTestEngine();
    // v3 takes the signing key of an endpoint from the environment alone.
    if (!SDK.v4) vi.stubEnv("INNGEST_SIGNING_KEY", engine.clientOptions.signingKey);
    const seen: unknown[] = [];
    const inngest = new Inngest({
      id: "app",
      ...engine.clientOptions,
      logger: quiet,
      endpointAdapter: endpointAdapter.withOptions({ asyncRedirectUrl: "/poll" }),
      middleware: seal === null ? [] : [encryptionMiddleware({ keyring: keyring(), ...seal })],
    });
    const endpoint = inngest.endpoint(async (request: Request) => {
      seen.push(await step.run("a", () => ({ text: STEP })));
      if (new URL(request.url).searchParams.has("quick")) return new Response(ANSWER);
      await step
        .run("b", () => {
          throw Object.assign(new TypeError(FAILURE), { name: "NonRetriableError" });
        })
        .catch((error: Error) => seen.push(error.message));
      await step.sleep("nap", "1h");
      seen.push(await step.run("c", () => [STEP]));
      return new Response(ANSWER, { status: 201 });
    }) as (request: Request) => Promise<Response>;
    engine.endpoint(endpoint);
    const ask = (query: string, method = "POST") =>
      endpoint(
        new Request(`http://shop.test/?q=${QUERY}${query}`, { method, headers: { host: "shop.test" } }),
      );
    const poll = inngest.endpointProxy() as (request: Request) => Promise<Response>;
    return { engine, seen, ask, poll };
  }

  test("leaks its request, its steps, its errors and its answer without stepseal", async () => {
    const { engine, ask } = endpointApp(null);
    await ask("");
    await engine.advance("2h");
    expect(found(engine, QUERY, STEP, FAILURE, ANSWER)).toEqual([QUERY, STEP, FAILURE, ANSWER]);
  });

  test("where it is allowed, its steps and their errors are sealed, and its request and answer are not", async () => {
    const [plain, sealed] = [endpointApp(null), endpointApp({ allowPlaintext: ["durable-endpoint"] })];
    const answers = [];
    for (const { engine, ask, poll } of [plain, sealed]) {
      const redirect = await ask("");
      expect(redirect.status).toBe(302);
      await engine.advance("2h");
      expect(engine.runs[0]!.status).toBe("completed");
      const url = new URL(redirect.headers.get("location") ?? "", "http://shop.test");
      const polled = await poll(new Request(url, { headers: { host: "shop.test" } }));
      const quick = await ask("&quick=1");
      answers.push([polled.status, await polled.text(), quick.status, await quick.text()]);
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[1]).toContain(ANSWER);
    expect(sealed.seen).toEqual(plain.seen);
    expect(sealed.seen).toContain(FAILURE);
    expect(found(sealed.engine, QUERY, STEP, FAILURE, ANSWER)).toEqual([QUERY, ANSWER]);
    const stored = [...sealed.engine.runs[0]!.steps.values()].filter((kept) => kept?.data !== undefined);
    expect(stored.length).toBeGreaterThan(0);
    for (const kept of stored) expect(isSealed(kept!.data)).toBe(true);
  });

  test.skipIf(SDK.v4)("by GET is sealed as by POST", async () => {
    const { engine, ask } = endpointApp({ allowPlaintext: ["durable-endpoint"] });
    await ask("", "GET");
    await engine.advance("2h");
    expect(engine.runs[0]!.status).toBe("completed");
    expect(found(engine, STEP, FAILURE)).toEqual([]);
  });

  test.skipIf(!SDK.v4)(
    "by GET leaks its steps past every middleware, so it is refused though it is allowed",
    async () => {
      const { engine, ask } = endpointApp(null);
      await ask("", "GET");
      await engine.advance("2h");
      expect(found(engine, STEP)).toEqual([STEP]);
      const sealed = endpointApp({ allowPlaintext: ["durable-endpoint"] });
      const answer = await sealed.ask("", "GET");
      expect(answer.status).toBe(400);
      const told = await answer.text();
      expect(told).toContain("REFUSED");
      expect(told).toContain("only a durable endpoint that is called with POST");
      expect(sealed.seen).toEqual([]);
      expect(sealed.engine.wire).toEqual([]);
    },
  );

  test("opens no other run's step", async () => {
    const { engine, ask, seen } = endpointApp({ allowPlaintext: ["durable-endpoint"] });
    await ask("");
    await ask("");
    const [one, two] = engine.runs;
    const [id, stolen] = [...two!.steps].find(([, kept]) => isSealed(kept?.data))!;
    expect(inspectEnvelope(stolen!.data).claims).toMatchObject({ kind: "step.output", run: two!.id });
    one!.steps.set(id, stolen);
    engine.cancel(two!.id);
    seen.length = 0;
    await engine.advance("2h");
    expect(one!.status).toBe("failed");
    expect(seen).toEqual([]);
    expect(JSON.stringify(one!.error)).toMatch(/CONTEXT|another place/);
  });

  test("a request that claims to be the SDK's proxy opens nothing", async () => {
    const seen: unknown[] = [];
    let claims = false;
    const { engine, inngest } = await createApp(
      (client) => {
        // Of a function that is invoked only, the SDK does not check the event's name.
        const child = client.createFunction(
          { id: "child", retries: 0, triggers: [] },
          async ({ step: tools }) => {
            seen.push(await tools.run("a", () => "honest"));
            await tools.sleep("nap", "1h");
          },
        );
        const fn = client.createFunction(
          { id: "fn", retries: 0, triggers: { event: "go" } },
          ({ step: tools }) => tools.invoke("child", { function: child }),
        );
        return [fn, child];
      },
      {
        seal: { allowPlaintext: ["durable-endpoint"] },
        engineOptions: {
          onExecute: (body, { run }) => {
            if (!claims || run.functionId !== "app-child") return;
            body.ctx.run_id = "__proxy__";
            for (const event of [body.event, ...body.events]) Object.assign(event, { name: "__proxy__" });
            for (const kept of Object.keys(body.steps)) body.steps[kept] = { data: "forged" };
          },
        },
      },
    );
    await inngest.send({ name: "go" });
    await engine.idle();
    expect(seen).toContain("honest");
    claims = true;
    seen.length = 0;
    await engine.advance("1h");
    expect(engine.runsOf("child")[0]!.status).toBe("failed");
    expect(seen).toEqual([]);
  });
});

describe.skipIf(!SDK.streams).each(MODES)("$name, a stream", ({ checkpointing }) => {
  async function push(seal: EncryptionMiddlewareOptions | null) {
    const got: unknown[] = [];
    const { engine, inngest } = await createApp(
      (client) => [
        client.createFunction(
          { id: "fn", retries: 0, triggers: { event: "go" } },
          async ({ step: tools }) => {
            await tools.run("a", async () => {
              try {
                stream.push(PUSHED);
              } catch (error) {
                got.push((error as Error).message);
              }
              await stream.pipe([PUSHED] as never).catch((error: Error) => got.push(error.message));
              return 1;
            });
            return "went on";
          },
        ),
      ],
      { checkpointing, seal },
    );
    await inngest.send({ name: "go" });
    await engine.idle();
    expect(engine.runs[0]!.status).toBe("completed");
    return { engine, got };
  }

  test("is refused in push and pipe, where user code can catch it, and opened by its name", async () => {
    // Without checkpoints the answer comes first, and the stream goes on past the end of the request.
    const seen = checkpointing ? [PUSHED] : [];
    expect(found((await push(null)).engine, PUSHED)).toEqual(seen);
    const refused = await push({});
    const why = expect.stringMatching(/path "stream" cannot be sealed.*allowPlaintext: \["stream"\]/);
    expect(refused.got).toEqual([why, why]);
    expect(found(refused.engine, PUSHED)).toEqual([]);
    const opened = await push({ allowPlaintext: ["stream"] });
    expect(opened.got).toEqual([]);
    expect(found(opened.engine, PUSHED)).toEqual(seen);
  });
});

describe.skipIf(!SDK.sandboxes)("sandboxes", () => {
  const COMMAND = "mk85-sandbox-command";
  const answered = createTestEngine({
    intercept: ({ url }) => (url.includes("/v2/") ? new Response("{}", { status: 403 }) : undefined),
  });
  const client = (seal: EncryptionMiddlewareOptions | null, ...more: object[]) =>
    new Inngest({
      id: "app",
      ...answered.clientOptions,
      logger: quiet,
      middleware: [
        ...(seal === null ? [] : [encryptionMiddleware({ keyring: keyring(), ...seal })]),
        ...(more as never[]),
      ],
    });
  const create = (inngest: Inngest): Promise<unknown> =>
    (inngest as unknown as { sandboxes: { create(o: object): Promise<unknown> } }).sandboxes.create({
      name: "box",
      vcpu: 1,
      memoryMb: 512,
      environment: { TOKEN: COMMAND },
    });

  test("leak what they are told without stepseal", async () => {
    await expect(create(client(null))).rejects.toThrow();
    expect(found(answered, COMMAND)).toEqual([COMMAND]);
  });

  test("are refused in the call, at any depth, without a request", async () => {
    const before = answered.wire.length;
    const sandboxes = (client({}) as unknown as { sandboxes: Record<string, never> }).sandboxes;
    const nested = sandboxes as unknown as { snapshots: { list(): Promise<unknown> } };
    for (const call of [create(client({})), nested.snapshots.list()]) {
      const error = await call.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StepsealError);
      expect(String(error)).toContain('allowPlaintext: ["sandbox"]');
    }
    expect(await sandboxes).toBe(sandboxes);
    expect(answered.wire.length).toBe(before);
  });

  test("reach the platform where they are allowed, and unknown calls of its second API do not", async () => {
    const inngest = client({ allowPlaintext: ["sandbox"] }, sandboxMiddleware());
    const before = answered.wire.length;
    await expect(create(inngest)).rejects.not.toBeInstanceOf(StepsealError);
    expect(answered.wire.slice(before).map(({ url }) => new URL(url).pathname)).toEqual(["/v2/sandboxes"]);
    await expect(inngest.fetch("http://inngest.test/v2/other", { method: "POST" })).rejects.toThrow(
      /unknown/,
    );
  });
});

describe.each(MODES)("$name, metadata", ({ checkpointing }) => {
  test("is sealed until it is allowed, and the SDK's own kinds never are", async () => {
    const NOTE = "mk86-metadata";
    for (const allowed of [false, true]) {
      const engine = createTestEngine();
      const { inngest } = await createApp(
        (client) => [
          client.createFunction({ id: "fn", triggers: { event: "go" } }, async ({ step: tools }) => {
            await tools.run("a", () => client.metadata.update({ note: NOTE }));
          }),
        ],
        {
          engine,
          checkpointing,
          seal: allowed ? { allowPlaintext: ["metadata"] } : {},
          middleware: [metadataMiddleware()],
        },
      );
      await inngest.send({ name: "go" });
      await engine.idle();
      const leaves = allowed && (SDK.v4 || !checkpointing);
      expect(found(engine, NOTE)).toEqual(leaves ? [NOTE] : []);
      const updates = engine.wire.filter(({ body }) => body.includes("userland.default"));
      // SDK v3 leaves the metadata of a step out of its checkpoint.
      if (SDK.v4 || !checkpointing) expect(updates.length).toBeGreaterThan(0);
    }
  });
});

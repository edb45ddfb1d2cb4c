import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
import { describe, expect, test } from "vitest";
import { createRunRegistry, endpointContext } from "../../../../src/adapters/inngest/gate/context.ts";
import { sealRequest } from "../../../../src/adapters/inngest/gate/requests.ts";
import { opened, RUN, scopeOf, sealer, TRIGGER } from "./scope.ts";

const API = "https://api.test";
const OP = { id: "x", op: "StepRun", displayName: "a", data: 4111 };

/** What leaves of a request, or the error. */
async function send(
  method: string,
  path: string,
  body?: unknown,
  options: EncryptionMiddlewareOptions = {},
  change: object = {},
): Promise<unknown> {
  const { context, ...scope } = scopeOf(options);
  const runs = createRunRegistry();
  runs.enter(context);
  return sealRequest(method, new URL(path, API), body, { ...scope, runs, clientId: "app", ...change });
}

/** The body that leaves, parsed. */
async function sent(...args: Parameters<typeof send>): Promise<Record<string, unknown>> {
  const [method, path, body, ...rest] = args;
  return JSON.parse(String(await send(method, path, JSON.stringify(body), ...rest))) as Record<
    string,
    unknown
  >;
}

const refusal = (...args: Parameters<typeof send>) => send(...args).catch((error: unknown) => error);
const refused = { code: "REFUSED" };

describe("an endpoint that is not known is refused", () => {
  test.each([
    ["GET", "/e/key"],
    ["POST", "/e/key/more"],
    ["POST", "/e/"],
    ["PUT", "/v1/signals"],
    ["POST", "/v1/signals/more"],
    ["POST", "/v1/checkpoint/x/async/more"],
    ["POST", "/v1/checkpoint/x/y/async"],
    ["POST", "/v1/checkpoint/x"],
    ["GET", "/v0/runs/x/steps"],
    ["GET", "/v0/runs/x/actions/more"],
    ["GET", "/v1/http/runs/x/output/more"],
    ["POST", "/dev"],
    ["GET", "/development"],
    ["GET", "/fn/register"],
    ["POST", "/fn/registered"],
    ["POST", "/v1/realtime/publish/more"],
    ["GET", "/v1/realtime/token"],
    ["POST", "/v1/realtime/tokens"],
    ["POST", "/v1/runs/x/y/metadata"],
    ["POST", "/v1/runs/x/metadata/more"],
    ["POST", "/v2/sandbox"],
    ["POST", "/v2/sandboxes-of"],
    ["POST", "/other"],
  ])("%s %s", async (method, path) => {
    const allowPlaintext = ["sandbox", "stream", "durable-endpoint"] as const;
    expect(await refusal(method, path, "[]", { allowPlaintext })).toMatchObject(refused);
  });
});

describe("what holds no data leaves as it is", () => {
  test.each([
    ["POST", "/fn/register", '{"appName":"app"}'],
    ["POST", "/v1/realtime/token", '[{"channel":"c"}]'],
    ["GET", "/v0/runs/x/actions", undefined],
    ["GET", "/v0/runs/x/batch", null],
    ["GET", "/dev", undefined],
    ["POST", "/prefix/fn/register", "not even JSON"],
  ])("%s %s", async (method, path, body) => {
    expect(await send(method, path, body)).toBe(body);
  });

  test("but a body that is no text is refused, and without its event key", async () => {
    expect(await refusal("POST", "/fn/register", new Uint8Array(3))).toMatchObject(refused);
    for (const path of ["/e/event-key", "/e/event-key/more", "/e/proxy/e/event-key"]) {
      const error = (await refusal("POST", `${path}?query=4111`, new Uint8Array(3))) as Error;
      expect(error).toMatchObject(refused);
      expect(error.message).toMatch(/^request POST \/e\/…[:/]/);
      expect(error.message).not.toMatch(/event-key|4111/);
    }
  });
});

describe("a path that cannot be sealed is refused until it is allowed, and leaves as it is then", () => {
  test.each([
    ["GET", "/v1/http/runs/x/output", "durable-endpoint"],
    ["POST", "/v1/realtime/publish/tee", "stream"],
    ["POST", "/v1/realtime/publish/tee", "durable-endpoint"],
    ["POST", "/v2/sandboxes", "sandbox"],
    ["DELETE", "/v2/sandboxes/x", "sandbox"],
    ["GET", "/v2/snapshots/x/y", "sandbox"],
  ] as const)("%s %s by %s", async (method, path, allowed) => {
    const body = new Uint8Array([1, 2]);
    expect(await refusal(method, path, body)).toMatchObject(refused);
    expect(await refusal(method, path, body, { allowPlaintext: ["signal"] })).toMatchObject(refused);
    expect(await send(method, path, body, { allowPlaintext: [allowed] })).toBe(body);
  });
});

describe("a checkpoint", () => {
  const path = "/v1/checkpoint/01RUN/async";
  const place = { kind: "step.output", ...RUN, step: "x", parent: TRIGGER } as const;

  test("seals its steps for the run that is executing, and leaves its ids", async () => {
    const { steps, ...ids } = await sent("POST", path, {
      run_id: RUN.run,
      fn_id: "f",
      qi_id: "q",
      steps: [OP],
    });
    expect(ids).toEqual({ run_id: RUN.run, fn_id: "f", qi_id: "q" });
    expect(opened((steps as { data: unknown }[])[0]!.data, place)).toBe(4111);
  });

  test.each([
    ["of a run that is not executing here", { run_id: "01OTHER", steps: [] }],
    ["of no run", { run_id: 7, steps: [] }],
    ["without steps", { run_id: RUN.run }],
    ["with steps that are no list", { run_id: RUN.run, steps: { 0: OP } }],
    ["with a member that is not known", { run_id: RUN.run, steps: [], notes: "4111" }],
    ["that is no object", "4111"],
  ])("%s is refused", async (_name, body) => {
    const message = expect.stringMatching(/^a checkpoint/);
    expect(await refusal("POST", path, JSON.stringify(body))).toMatchObject({ ...refused, message });
  });
});

describe("a durable endpoint's", () => {
  const allowed = { allowPlaintext: ["durable-endpoint"] } as const;
  const run = { run_id: "01END", event: { name: "x" }, steps: [OP] };

  test.each(["/v1/checkpoint", "/v1/checkpoint/01END/steps"])(
    "steps are sealed for its run, where it is allowed (%s)",
    async (path) => {
      expect(await refusal("POST", path, JSON.stringify(run))).toMatchObject(refused);
      const { steps, event } = await sent("POST", path, run, allowed);
      const { fn, trigger } = endpointContext("app", "01END");
      const place = { kind: "step.output", fn, run: "01END", step: "x", parent: trigger } as const;
      expect(opened((steps as { data: unknown }[])[0]!.data, place)).toBe(4111);
      expect(event).toEqual({ name: "x" });
    },
  );

  test.each([{ ...run, run_id: 7 }, { ...run, notes: 1 }, { run_id: "01END" }, null])(
    "report is refused as %o",
    async (body) => {
      expect(await refusal("POST", "/v1/checkpoint", JSON.stringify(body), allowed)).toMatchObject(refused);
    },
  );
});

describe("a signal", () => {
  const place = { kind: "signal", name: "paid" } as const;

  test.each([
    [4111, 4111],
    [undefined, null],
    [null, null],
  ])("seals %o for its name", async (data, shown) => {
    const body = await sent("POST", "/v1/signals", { signal: "paid", data });
    expect(opened(body.data, place)).toBe(shown);
    expect(Object.keys(body)).toEqual(["signal", "data"]);
  });

  test("leaves as it is where that is allowed", async () => {
    const body = { signal: "paid", data: 4111 };
    expect(await sent("POST", "/v1/signals", body, { allowPlaintext: ["signal"] })).toEqual(body);
  });

  test.each([{ data: 4111 }, { signal: 7, data: 1 }, { signal: "paid", notes: 1 }, ["paid"]])(
    "is refused as %o",
    async (body) => {
      const message = expect.stringMatching(/^a signal/);
      expect(await refusal("POST", "/v1/signals", JSON.stringify(body))).toMatchObject({
        ...refused,
        message,
      });
    },
  );
});

describe("a publication", () => {
  const path = "/v1/realtime/publish?channel=c&topic=b&topic=a";

  test.each([
    ['{"card":4111}', { card: 4111 }],
    ["a text that is no JSON", "a text that is no JSON"],
  ])("seals %s for its channel and topics", async (body, shown) => {
    const sealed = JSON.parse(String(await send("POST", path, body)));
    expect(opened(sealed, { kind: "realtime", name: '["c",["a","b"]]' })).toEqual(shown);
  });

  test("without a channel is sealed for none", async () => {
    const sealed = JSON.parse(String(await send("POST", "/v1/realtime/publish", "1")));
    expect(opened(sealed, { kind: "realtime", name: '["",[]]' })).toBe(1);
  });

  test("leaves as it is where that is allowed", async () => {
    expect(await send("POST", path, '{"card":4111}', { allowPlaintext: ["realtime"] })).toBe('{"card":4111}');
  });
});

describe("metadata of a run", () => {
  const metadata = [{ kind: "userland.x", values: { card: 4111 } }];

  test("is sealed", async () => {
    const body = await sent("POST", "/v1/runs/x/metadata", { target: { run_id: "x" }, metadata });
    const [{ values }] = body.metadata as [{ values: unknown }];
    expect(opened(values, { kind: "metadata", name: "userland.x" })).toEqual({ card: 4111 });
    expect(body.target).toEqual({ run_id: "x" });
  });

  test.each([{ metadata, notes: 1 }, { metadata: {} }, "metadata"])("is refused as %o", async (body) => {
    const message = expect.stringMatching(/^(a metadata update|metadata updates)/);
    const refusing = await refusal("POST", "/v1/runs/x/metadata", JSON.stringify(body));
    expect(refusing).toMatchObject({ ...refused, message });
  });
});

test("what an asynchronous sealer has not sealed yet is waited for", async () => {
  let filled: { data?: unknown } = {};
  const slow = {
    ...sealer,
    seal: () => (filled = {}),
    settled: async () => {
      filled.data = "sealed";
    },
  };
  const left = await send("POST", "/v1/signals", '{"signal":"paid","data":4111}', {}, { sealer: slow });
  expect(left).toBe('{"signal":"paid","data":{"data":"sealed"}}');
});

test("events of a request that is no list, or has one that is none, are refused", async () => {
  for (const body of ["{}", "[7]", "[null]", '"4111"']) {
    expect(await refusal("POST", "/e/key", body)).toMatchObject(refused);
  }
});

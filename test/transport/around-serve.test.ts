import { Inngest } from "inngest";
import { serve } from "inngest/edge";
import { createTestEngine } from "stepseal/testing";
import {
  createSigner,
  createVerifier,
  memoryReplayStore,
  type SignatureError,
  secureEndpoint,
} from "stepseal/transport";
import { expect, test } from "vitest";
import { bytes } from "./support.ts";

const quiet = { info() {}, warn() {}, error() {}, debug() {} };

/** An app of the real SDK behind an endpoint, on an engine; what its SDK was given, and what was refused. */
async function guarded() {
  const engine = createTestEngine({ sync: "in_band" });
  const client = new Inngest({ id: "app", logger: quiet, checkpointing: false, ...engine.clientOptions });
  const double = client.createFunction(
    { id: "double", triggers: { event: "go" } },
    async ({ event, step }) => {
      const n = await step.run("read", () => event.data.n as number);
      await step.sleep("wait", "1h");
      return step.run("double", () => n * 2);
    },
  );
  const sdk = serve({ client, functions: [double] });
  const seen: string[] = [];
  const refused: unknown[] = [];
  const { signingKey } = engine.clientOptions as { readonly signingKey: string };
  const keys = { scheme: "inngest", signingKey } as const;
  const endpoint = secureEndpoint(
    async (request) => {
      seen.push(request.method);
      return sdk(request);
    },
    {
      verifier: createVerifier({ ...keys, replay: memoryReplayStore() }),
      onRefused: (reason) => void refused.push((reason as SignatureError).code),
    },
  );
  await engine.serve(endpoint);
  return { engine, endpoint, keys, seen, refused };
}

test("a run of the real SDK completes behind the endpoint: every request of the platform passes", async () => {
  const { engine, seen, refused } = await guarded();
  await engine.send({ name: "go", data: { n: 21 } });
  await engine.idle();
  await engine.advance("1h");
  expect(engine.runsOf("double")).toMatchObject([{ status: "completed", output: 42 }]);
  // The sync, and a request for each step and for the end.
  expect(seen.length).toBeGreaterThanOrEqual(4);
  expect(refused).toEqual([]);
});

test.each([
  ["an execution without a signature", "POST", undefined],
  ["a sync without a signature", "PUT", undefined],
  ["an introspection without a signature", "GET", undefined],
  ["an execution under another key", "POST", "signkey-prod-abcdef"],
])("%s is answered 401 before the SDK sees it", async (_name, method, key) => {
  const { engine, endpoint, keys, seen, refused } = await guarded();
  const before = seen.length;
  const url = "http://app.test/api/inngest?fnId=app-double&stepId=step";
  const body = bytes('{"event":{"name":"go","data":{"n":1}},"steps":{},"ctx":{"run_id":"r"}}');
  const signer = createSigner({ ...keys, signingKey: key });
  const headers = key === undefined ? {} : (await signer.sign({ body })).headers;
  const withBody = method === "GET" ? {} : { body: body as BodyInit };
  const response = await endpoint(new Request(url, { method, headers, ...withBody }));
  expect([response.status, await response.json()]).toEqual([401, { message: "Unauthorized" }]);
  expect(refused).toEqual([key === undefined ? "MISSING" : "MISMATCH"]);
  expect(seen.length).toBe(before);
  expect(engine.runs).toEqual([]);
});

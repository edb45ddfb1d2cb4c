import assert from "node:assert/strict";
import { createServer } from "node:http";
import express from "express";
import {
  createSigner,
  createVerifier,
  expressHandler,
  memoryReplayStore,
  nodeHandler,
  resolveMode,
  SignatureError,
  secureEndpoint,
  signedFetch,
  type Verification,
} from "stepseal/transport";

const keys = { scheme: "inngest", signingKey: "signkey-test-12345678" } as const;
const verifier = createVerifier({ ...keys, replay: memoryReplayStore() });
const body = new TextEncoder().encode('{"n":1}');
const { headers } = await createSigner(keys).sign({ body });

const accepted: Verification = await verifier.verify({ headers, body });
assert.equal(accepted.usedFallback, false);
await assert.rejects(verifier.verify({ headers, body }), (error: unknown) => error instanceof SignatureError);

const endpoint = secureEndpoint((request) => new Response(request.method), {
  verifier,
  mode: resolveMode({}),
});
const refused: Response = await endpoint(new Request("https://app.example.com/hook", { method: "POST" }));
assert.equal(refused.status, 401);

// As an app mounts them.
createServer(nodeHandler(endpoint));
express().post("/hook", expressHandler(endpoint));
const call: typeof fetch = signedFetch({ signingKey: keys.signingKey });
assert.equal(typeof call, "function");

/** What the types refuse. */
export function wrong(): void {
  // @ts-expect-error an endpoint has a check
  secureEndpoint(() => new Response(), {});
  // @ts-expect-error a QStash verifier is told for which URL
  createVerifier({ scheme: "qstash", signingKey: "sig" });
}

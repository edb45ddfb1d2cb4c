import { Agent, createServer, request } from "node:http";
import { expect, test } from "vitest";
import {
  createSigner,
  createVerifier,
  memoryReplayStore,
  nodeHandler,
  secureEndpoint,
} from "../../src/transport/index.ts";
import { bytes, INNGEST, T0 } from "./support.ts";

const REQUESTS = process.env.SLOW === "1" ? 100_000 : 5_000;
/** Requests under way at once. */
const CONNECTIONS = 32;
/** The clock moves by this much with each request, so that the load goes over many acceptance windows. */
const SECONDS_PER_REQUEST = 0.1;
/** Of 10 requests a second 8 are new: in 360 s, the window and the clock slack, 2 880 of them are remembered. */
const MAX_ENTRIES = 3_000;

test(`${REQUESTS} verifications over loopback: each right, and the replay store holds no more than a window`, {
  timeout: 600_000,
}, async () => {
  let sent = 0;
  const now = (): number => (T0 + sent * SECONDS_PER_REQUEST) * 1000;
  const keys = { scheme: "inngest", signingKey: INNGEST.old, now } as const;
  const signer = createSigner(keys);
  const replay = memoryReplayStore({ now, maxEntries: MAX_ENTRIES });
  const endpoint = secureEndpoint(async (given) => new Response(await given.arrayBuffer()), {
    verifier: createVerifier({ ...keys, replay }),
  });
  const server = createServer(nodeHandler(endpoint));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

  const post = (headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<number> =>
    new Promise((resolve, reject) => {
      const call = request(
        { host: "127.0.0.1", port, method: "POST", path: "/", agent, headers },
        (answer) => {
          answer.resume().on("end", () => resolve(answer.statusCode!));
        },
      );
      call.on("error", reject).end(body);
    });

  const statuses = new Map<string, number>();
  const count = (kind: string, status: number): void => {
    const name = `${kind} ${status}`;
    statuses.set(name, (statuses.get(name) ?? 0) + 1);
  };
  /** Of ten requests, eight are new, one is sent a second time, and one is altered. */
  const worker = async (): Promise<void> => {
    let last = { headers: {}, body: bytes("") };
    while (sent < REQUESTS) {
      const index = sent++;
      const kind = index < CONNECTIONS || index % 10 < 8 ? "new" : index % 10 === 8 ? "repeated" : "altered";
      const body = bytes(JSON.stringify({ index, text: "x".repeat(index % 500) }));
      if (kind === "repeated") count(kind, await post(last.headers, last.body));
      else {
        const { headers } = await signer.sign({ body });
        if (kind === "altered") count(kind, await post({ ...headers }, bytes(`{"index":${-index}}`)));
        else {
          last = { headers: { ...headers }, body };
          count(kind, await post(last.headers, body));
        }
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  } finally {
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  // A store that forgot nothing would be full after 3 000 and answer 503; one that forgot too soon would say 200.
  expect([...statuses.keys()].sort()).toEqual(["altered 401", "new 200", "repeated 401"]);
  expect([...statuses.values()].reduce((a, b) => a + b)).toBe(REQUESTS);
});

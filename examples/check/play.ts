import { generateKey, isSealed, loadKeyring } from "stepseal";
import { createTestEngine, createTestQstash, findPlaintext, type WireEntry } from "stepseal/testing";
import { openAnywhere } from "../../src/cli/envelopes.ts";
import type { App, Start } from "./app.ts";
import { listen } from "./inngest-api.ts";

const CARD = "4000 0566 5566 5556";
const RECEIPT = "charged the card that ends in 5556";
/** What the platform must not get to see: a field of the order, and what a step made of it. */
export const MARKERS: readonly string[] = [CARD, RECEIPT];
/** What a run of any example returns. */
export const RESULT = { order: "order-1001", receipt: RECEIPT };

/** What became of one order. */
export interface Play {
  readonly status: string;
  /** What the run returned, opened where it was sealed. */
  readonly result: unknown;
  /** Markers found in what left the app. */
  readonly leaked: readonly string[];
}

/** Plays an app on a platform. */
export type Stage = (start: Start, sealed: boolean) => Promise<Play>;

/** Paths of an Inngest app. */
interface Paths {
  readonly inngest: string;
  readonly orders: string;
}

/** Inngest as the platform: registers the app, has it take an order, and lets the day pass. */
export function onInngest({ inngest, orders }: Paths): Stage {
  return async (start, sealed) => {
    const engine = createTestEngine();
    const api = await listen(engine);
    const { eventKey, signingKey = "" } = engine.clientOptions;
    const key = generateKey();
    let app: App | undefined;
    try {
      app = await start(
        {
          STEPSEAL_KEY: key,
          INNGEST_DEV: "0",
          INNGEST_BASE_URL: api.url,
          INNGEST_EVENT_KEY: eventKey,
          INNGEST_SIGNING_KEY: signingKey,
        },
        sealed,
      );
      await engine.serve(new URL(inngest, app.url));
      await order(app, orders);
      await engine.idle();
      await engine.advance("1d");
      const [run] = engine.runsOf("place-order");
      return {
        status: run?.status ?? "did not start",
        result: await opened(run?.output, key),
        leaked: leakedIn(engine.wire),
      };
    } finally {
      await app?.stop();
      api.close();
    }
  };
}

const PUBLIC_URL = "https://shop.example.com";

/** Upstash as the platform, which reaches the app under its public URL, as through a proxy. */
export const onUpstash: Stage = async (start, sealed) => {
  const qstash = await createTestQstash();
  const key = generateKey();
  let app: App | undefined;
  try {
    app = await start({ STEPSEAL_KEY: key, UPSTASH_WORKFLOW_URL: PUBLIC_URL, ...qstash.env }, sealed);
    const { url } = app;
    qstash.serve(PUBLIC_URL, async (request) => {
      const { method, headers } = request;
      return fetch(new URL(new URL(request.url).pathname, url), {
        method,
        headers,
        body: await request.text(),
      });
    });
    await order(app, "/orders");
    await qstash.idle();
    await qstash.advance("1d");
    const [run] = qstash.runs;
    return {
      status: run?.state === "RUN_SUCCESS" ? "completed" : (run?.state ?? "did not start"),
      result: await opened(run?.result === undefined ? undefined : JSON.parse(run.result), key),
      leaked: leakedIn(qstash.wire),
    };
  } finally {
    await app?.stop();
    await qstash.close();
  }
};

async function order(app: App, path: string): Promise<void> {
  const answer = await fetch(new URL(path, app.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ order: RESULT.order, card: CARD }),
  });
  if (answer.status !== 202) throw new Error(`the order was answered with status ${answer.status}`);
}

const leakedIn = (wire: readonly WireEntry[]): string[] => [
  ...new Set(findPlaintext(wire, MARKERS).map(({ needle }) => needle)),
];

/** What somebody with the key reads of a stored value, as `npx stepseal decrypt` shows it. */
async function opened(stored: unknown, key: string): Promise<unknown> {
  if (!isSealed(stored)) return stored;
  return JSON.parse(openAnywhere(stored.data, await loadKeyring({ env: { STEPSEAL_KEY: key } })).json);
}

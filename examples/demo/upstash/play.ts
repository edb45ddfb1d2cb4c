import { Client as QstashClient, Receiver } from "@upstash/qstash";
import { Client } from "@upstash/workflow";
import { serveMany } from "@upstash/workflow/nextjs";
import { createTestQstash, type QstashRun, type TestQstash } from "stepseal/testing";
import { type AnyWorkflow, secureWorkflow } from "stepseal/upstash";
import type { Deploy, Engine } from "../acts.ts";
import { progress } from "../report.ts";
import type { Sight } from "../story.ts";
import { APPROVAL, createApp, MARKERS, ORDER } from "./app.ts";

const SHOP = "https://shop.example.com";
const URL_OF_ORDERS = `${SHOP}/workflows/place-order`;

/** The demo on Upstash Workflow. */
export const upstash: Engine = {
  markers: Object.values(MARKERS),
  change: "serveMany and client() of secureWorkflow() in place of the SDK's",
  async play(first, afterSleep) {
    const qstash = await createTestQstash();
    const seen = new Map<string, Sight>();
    const deploy = (keyring: Deploy): Client => {
      // A resumed run sees its earlier values again: kept once.
      const app = createApp((what, value) => seen.set(what, { what, value }));
      const { endpoint, client } = deployed(qstash, app, keyring);
      qstash.serve(SHOP, endpoint);
      return client;
    };

    const log = quiet();
    try {
      progress("  the order comes in; risk and fraud run, the bank fails once");
      const shop = deploy(first);
      const { workflowRunId } = await shop.trigger({ url: URL_OF_ORDERS, body: ORDER });
      await qstash.idle();
      progress("  the charge is tried again, the voucher is refused");
      await qstash.advance("5m");
      progress("  the approval arrives, the child workflow ships");
      await shop.notify(APPROVAL);
      await qstash.idle();
      progress("  the run sleeps for a day");
      deploy(afterSleep);
      await qstash.advance("2d");

      const run = qstash.run(workflowRunId);
      return {
        seen: [...seen.values()],
        wire: qstash.wire,
        stored: parsed(run.result),
        storedStep: firstStepOf(run),
        status: STATUS[run.state],
      };
    } finally {
      log.restore();
      await qstash.close();
    }
  },
};

interface Deployed {
  readonly endpoint: (request: Request) => Promise<Response>;
  readonly client: Client;
}

/** The same workflows, served by the SDK alone or with stepseal around it. */
function deployed(qstash: TestQstash, app: Record<string, AnyWorkflow>, keyring: Deploy): Deployed {
  if (keyring !== undefined) {
    const secure = secureWorkflow({ keyring, env: qstash.env, publicUrl: SHOP });
    return { endpoint: secure.serveMany(app).POST, client: secure.client() };
  }
  const { url: baseUrl, token, signingKeys } = qstash;
  const options = {
    qstashClient: new QstashClient({ baseUrl, token }),
    receiver: new Receiver({
      currentSigningKey: signingKeys.current,
      nextSigningKey: signingKeys.next,
    }),
  };
  return { endpoint: serveMany(app, options).POST, client: new Client({ baseUrl, token }) };
}

const STATUS = {
  RUN_STARTED: "did not end",
  RUN_SUCCESS: "completed",
  RUN_FAILED: "failed",
  RUN_CANCELED: "was cancelled",
} as const;

/** The result of the first step that has one. */
function firstStepOf({ journal }: QstashRun): unknown {
  for (const { body } of journal.slice(1)) {
    const { stepType, out } = JSON.parse(Buffer.from(body, "base64").toString("utf8"));
    if (stepType === "Run" && out !== undefined) return parsed(out);
  }
  return undefined;
}

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}

/** Keeps the SDK's log of the failing steps, which goes to the console, out of the account. */
function quiet(): { restore(): void } {
  const { error, warn } = console;
  Object.assign(console, { error() {}, warn() {} });
  return { restore: () => void Object.assign(console, { error, warn }) };
}

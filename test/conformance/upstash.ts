import { type Check, holds, type Lack, passed, same } from "./check.ts";
import { utf8 } from "./reference.ts";
import { KEYS } from "./vectors.ts";

/** The adapter and a platform to run on. */
export interface UpstashSubject {
  readonly transport: typeof import("stepseal/transport");
  readonly adapter: typeof import("stepseal/upstash");
  readonly testing: typeof import("stepseal/testing");
}

const ORIGIN = "https://app.example.com";
const SIGNED = { scheme: "qstash", currentSigningKey: "sig_current" } as const;
const OPTIONS = { key: KEYS.A.text, signingKeys: { current: "sig_current" }, publicUrl: ORIGIN } as const;
/** What the platform forwards of a trigger's headers. */
const FORWARDED = { "upstash-workflow-sdk-version": "1" };
const SECRETS = ["4111-1111-1111-1111", "receipt-of-marguerite", "sum-for-marguerite"];
const [CARD, RECEIPT, RESULT] = SECRETS as [string, string, string];

/** Requests that are refused, and a run on the real SDK of which the platform sees no data. */
export function upstashChecks({ adapter, testing, transport }: UpstashSubject, check: Check): void {
  check("refuses a request without a signature", async () => {
    let ran = 0;
    const secure = adapter.secureWorkflow({ ...OPTIONS, qstash: { token: "token" } });
    const { POST } = secure.serve(async () => void ran++);
    const { status } = await POST(new Request(`${ORIGIN}/pay`, { method: "POST", body: "{}" }));
    return same([status, ran], [401, 0]);
  });

  check("starts a run, and sends on only what it sealed", async () => {
    const sent: Request[] = [];
    const real = globalThis.fetch;
    // In place of the platform, where none can listen.
    globalThis.fetch = async (...args) => {
      sent.push(new Request(...args));
      return Response.json([{ messageId: "msg_1", workflowRunId: "wfr_1", workflowCreatedAt: 0 }]);
    };
    try {
      const secure = adapter.secureWorkflow({
        ...OPTIONS,
        qstash: { token: "token", baseUrl: "https://qstash.test" },
      });
      const seen: unknown[] = [];
      const { POST } = secure.serve<{ card: string }>(async (context) => {
        seen.push(context.requestPayload);
        await context.run("charge", () => ({ receipt: RECEIPT }));
      });
      await secure.client().trigger({ url: `${ORIGIN}/pay`, body: { card: CARD }, workflowRunId: "1" });
      const trigger = await sent[0]!.clone().text();
      const [message] = JSON.parse(trigger) as [{ headers: Record<string, string>; body: string }];
      const journal = JSON.stringify([{ messageId: "msg_1", body: btoa(message.body), callType: "step" }]);
      const body = utf8(journal);
      const signer = transport.createSigner({ ...SIGNED, url: `${ORIGIN}/pay` });
      const headers = { ...message.headers, ...FORWARDED, ...(await signer.sign({ body })).headers };
      const answer = await POST(new Request(`${ORIGIN}/pay`, { method: "POST", headers, body }));
      same([answer.status, seen[0], sent.length], [200, { card: CARD }, 2]);

      const step = await sent[1]!.clone().text();
      holds(step.includes("charge") && step.includes("__ENCRYPTED__"), "the step was sent, sealed");
      for (const secret of SECRETS)
        holds(!(trigger + step).includes(secret), "nothing that is secret was sent");
      return passed;
    } finally {
      globalThis.fetch = real;
    }
  });

  check("runs a workflow, and the platform sees none of its data", async () => {
    const qstash = await testing.createTestQstash({ intercept: answerProbe }).catch(lacking);
    if ("why" in qstash) return qstash;
    try {
      const isReachable = await fetch(qstash.url + PROBE).then(
        () => true,
        () => false,
      );
      if (!isReachable) return { what: WHAT, why: "nothing can listen on a port in this runtime" };
      const secure = adapter.secureWorkflow({
        key: KEYS.A.text,
        qstash: { token: qstash.token, baseUrl: qstash.url },
        signingKeys: qstash.signingKeys,
        publicUrl: ORIGIN,
      });
      const seen: unknown[] = [];
      const { POST } = secure.serve<{ card: string }>(async (context) => {
        const charge = await context.run("charge", () => ({ receipt: RECEIPT }));
        await context.sleep("a day", "1d");
        await context.run("note", () => void seen.push(context.requestPayload, charge));
        return { result: RESULT };
      });
      qstash.serve(`${ORIGIN}/pay`, POST);
      const { workflowRunId } = await secure.client().trigger({ url: `${ORIGIN}/pay`, body: { card: CARD } });
      await qstash.idle();
      await qstash.advance("1d");
      same(seen, [{ card: CARD }, { receipt: RECEIPT }]);
      same(qstash.run(workflowRunId).state, "RUN_SUCCESS");
      holds(qstash.wire.length > 3, "something left the app");
      return same(
        testing.findPlaintext(qstash.wire, SECRETS).map(({ needle }) => needle),
        [],
      );
    } finally {
      await qstash.close();
    }
  });
}

const WHAT = "createTestQstash of stepseal/testing";
const PROBE = "/is-there-a-server";

function answerProbe({ url }: { readonly url: string }): Response | undefined {
  return url.endsWith(PROBE) ? new Response("yes") : undefined;
}

/** What the platform of the tests says it lacks. */
function lacking(error: unknown): Lack {
  const { code, message } = error as { code?: unknown; message: string };
  if (code !== "UNSUPPORTED" || !message.includes("node:http")) throw error;
  return { what: WHAT, why: message };
}

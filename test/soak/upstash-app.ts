import { AsyncLocalStorage } from "node:async_hooks";
import { Client as QstashClient, Receiver } from "@upstash/qstash";
import { Client, type WorkflowContext, WorkflowNonRetryableError } from "@upstash/workflow";
import { createWorkflow, serveMany } from "@upstash/workflow/nextjs";
import { createKeyring } from "stepseal";
import type { TestQstash } from "stepseal/testing";
import { secureWorkflow } from "stepseal/upstash";
import type { Fetched } from "./fetched.ts";
import { type Outcomes, secret, type Witness } from "./ledger.ts";
import type { Boot, Process } from "./platform.ts";

export const ORIGIN = "https://app.example.com";
export const KINDS = ["order", "order", "patient", "broken"] as const;

/** What of a platform its clients know. */
export interface Account extends Pick<TestQstash, "token" | "signingKeys"> {
  readonly url: string;
}

/** What a run is to come to. */
export function outcomesOf(kind: string, n: number): Outcomes {
  switch (kind) {
    case "order":
      return {
        order: {
          charge: { card: secret(n, "card") },
          parallel: [secret(n, "left"), secret(n, "right")],
          shipped: { label: `label of ${secret(n, "street")}` },
          paid: secret(n, "receipt"),
        },
        ship: { label: `label of ${secret(n, "street")}` },
      };
    case "patient":
      return { patient: { timeout: true, noted: secret(n, "card") } };
    default:
      return { failure: { message: secret(n, "reason"), card: secret(n, "card") } };
  }
}

interface Scope {
  /** Names of the steps whose results the request holds. */
  readonly held: ReadonlySet<string>;
}

/** One for all processes: Node keeps each that was ever entered, and looks at all of them for each promise. */
const requests = new AsyncLocalStorage<Scope>();

/** Many attempts, twenty minutes apart. */
const RETRIES = { retries: 20, retryDelay: "1200000" } as const;

/** Steps that fail at first, run in parallel, sleep, wait, time out and invoke; and a run that fails. */
function workflowsOf(witness: Witness) {
  /** Tells that a step came to its end, and gives its result. */
  const done = <Result>(n: number, step: string, result: Result): Result => {
    witness.executed(n, step, requests.getStore()?.held.has(step) ?? false);
    return result;
  };
  const ship = createWorkflow(async (context: WorkflowContext<{ n: number; street: string }>) => {
    const { n, street } = context.requestPayload;
    const label = await context.run("label", () => done(n, "label", `label of ${street}`));
    await context.sleep("drive", "1h");
    witness.finished(n, "ship", { label });
    return { label };
  });
  const order = createWorkflow(async (context: WorkflowContext<{ n: number; card: string }>) => {
    const { n, card } = context.requestPayload;
    const charge = await context.run("charge", () => done(n, "charge", { card }));
    const [left, right] = await Promise.all([
      context.run("left", () => done(n, "left", secret(n, "left"))),
      context.run("right", () => {
        if (context.retried === 0) throw new Error(secret(n, "right at first"));
        return done(n, "right", secret(n, "right"));
      }),
      context.sleep("nap", (1 + (n % 4)) * 3600),
    ]);
    const { body: shipped } = await context.invoke("ship", {
      workflow: ship,
      workflowRunId: `soak-${n}-ship`,
      body: { n, street: secret(n, "street") },
      ...RETRIES,
    });
    const { eventData } = await context.waitForEvent<{ receipt: string }>("paid", `paid-${n}`, {
      timeout: "7d",
    });
    const value = { charge, parallel: [left, right], shipped, paid: eventData?.receipt };
    witness.finished(n, "order", value);
    return value;
  });
  const patient = createWorkflow(async (context: WorkflowContext<{ n: number; card: string }>) => {
    const { n, card } = context.requestPayload;
    const noted = await context.run("note", () => done(n, "note", card));
    const { timeout } = await context.waitForEvent("never", `never-${n}`, { timeout: "3h" });
    witness.finished(n, "patient", { timeout, noted });
    return noted;
  });
  const broken = createWorkflow(
    async (context: WorkflowContext<{ n: number; card: string }>) => {
      const { n } = context.requestPayload;
      const reason = await context.run("reason", () => done(n, "reason", secret(n, "reason")));
      await context.sleep("nap", "90m");
      await context.run("fail", () => {
        throw new WorkflowNonRetryableError(reason);
      });
    },
    {
      failureFunction: ({ context, failResponse }) => {
        const { n, card } = context.requestPayload;
        witness.finished(n, "failure", { message: failResponse, card });
      },
    },
  );
  return { ship, order, patient, broken };
}

/** The names of the steps whose results stand in a request. */
async function heldIn(request: Request): Promise<ReadonlySet<string>> {
  const body = await request.text();
  const entries: unknown = body === "" ? [] : JSON.parse(body);
  if (!Array.isArray(entries)) return new Set();
  const steps = entries
    .slice(1)
    .filter(({ callType }) => callType === "step")
    .map((entry) => JSON.parse(Buffer.from(entry.body, "base64").toString()));
  return new Set(steps.filter(({ stepId }) => stepId > 0).map(({ stepName }) => stepName));
}

/** Starts a process of the app. */
export function bootApp(
  { url: baseUrl, token, signingKeys }: Account,
  { ring, seal, witness }: Omit<Boot, "how">,
  fetched?: Fetched,
): Process {
  const workflows = workflowsOf(witness);
  // The SDK waits between attempts, on the real clock.
  const qstash = { token, baseUrl, retry: { retries: 5, backoff: () => 1 } };
  const open = () => {
    const client = new QstashClient({ ...qstash, devMode: false });
    const receiver = new Receiver({
      currentSigningKey: signingKeys.current,
      nextSigningKey: signingKeys.next,
      devMode: false,
    });
    return {
      POST: serveMany(workflows, { qstashClient: client, receiver }).POST,
      client: new Client({ token, baseUrl, devMode: false }),
    };
  };
  const sealed = () => {
    const keyring = fetched?.source ?? createKeyring({ keys: ring });
    const secure = secureWorkflow({
      keyring,
      qstash,
      signingKeys,
      publicUrl: ORIGIN,
      // Its answers do not say.
      onRefused: (reason) => witness.refused((reason as { code: string }).code),
    });
    return { POST: secure.serveMany(workflows).POST, client: secure.client() };
  };
  const { POST, client } = seal ? sealed() : open();
  return {
    async handle(request) {
      const held = await heldIn(request.clone());
      return requests.run({ held }, () => POST(request as never));
    },
    async start(kind, n) {
      const body = { n, card: secret(n, "card") };
      await client.trigger({
        url: `${ORIGIN}/${kind}`,
        workflowRunId: `soak-${n}-${kind}`,
        body,
        ...RETRIES,
      });
    },
    async pay(n) {
      await client.notify({ eventId: `paid-${n}`, eventData: { receipt: secret(n, "receipt") } });
    },
    ...(fetched && { deploy: fetched.deploy }),
  };
}

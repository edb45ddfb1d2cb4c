import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { Inngest, type InngestFunction, NonRetriableError } from "inngest";
import { serve } from "inngest/edge";
import { createKeyring } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import type { TestClientOptions } from "stepseal/testing";
import type { Fetched } from "./fetched.ts";
import { type Outcomes, secret, type Witness } from "./ledger.ts";
import type { Boot, Process } from "./platform.ts";

export const KINDS = ["order", "order", "patient", "broken"] as const;

const declined = (n: number): string => `RangeError: ${secret(n, "card declined")}`;

/** What a run is to come to. */
export function outcomesOf(kind: string, n: number): Outcomes {
  switch (kind) {
    case "order":
      return {
        order: {
          charge: { card: secret(n, "card") },
          parallel: [secret(n, "left"), secret(n, "right")],
          declined: declined(n),
          shipped: { label: `label of ${secret(n, "street")}` },
          paid: secret(n, "receipt"),
        },
        ship: { label: `label of ${secret(n, "street")}` },
      };
    case "patient":
      return { patient: { event: null, noted: secret(n, "card") }, audit: secret(n, "audit") };
    default:
      return {
        failure: { message: secret(n, "reason"), card: secret(n, "card"), cleaned: secret(n, "clean") },
      };
  }
}

interface Scope {
  /** Hashed ids of the steps whose results the request holds. */
  readonly held: ReadonlySet<string>;
}

/** One for all processes: Node keeps each that was ever entered, and looks at all of them for each promise. */
const requests = new AsyncLocalStorage<Scope>();

const hashed = (step: string): string => createHash("sha1").update(step).digest("hex");
const quiet = { info() {}, warn() {}, error() {}, debug() {} };

/** Steps that fail at first, run in parallel, sleep, wait, time out, invoke and send; and a run that fails. */
function functionsOf(inngest: Inngest, witness: Witness) {
  const retries = 20;
  /** Tells that a step came to its end, and gives its result. */
  const done = <Result>(n: number, step: string, result: Result): Result => {
    witness.executed(n, step, requests.getStore()?.held.has(hashed(step)) ?? false);
    return result;
  };
  const ship = inngest.createFunction(
    { id: "ship", triggers: { event: "soak/ship" }, retries },
    async ({ event, step }) => {
      const { n, encrypted } = event.data;
      const label = await step.run("label", () => done(n, "label", `label of ${encrypted.street}`));
      await step.sleep("drive", "1h");
      witness.finished(n, "ship", { label });
      return { label };
    },
  );
  const order = inngest.createFunction(
    { id: "order", triggers: { event: "soak/order" }, retries },
    async ({ event, step, attempt }) => {
      const { n, encrypted } = event.data;
      const charge = await step.run("charge", () => done(n, "charge", { card: encrypted.card }));
      const parallel = await Promise.all([
        step.run("left", () => done(n, "left", secret(n, "left"))),
        step.run("right", () => {
          if (attempt === 0) throw new Error(secret(n, "right at first"));
          return done(n, "right", secret(n, "right"));
        }),
        step.sleep("nap", `${1 + (n % 4)}h`),
      ]);
      const refused = await step
        .run("declined", () => {
          throw new NonRetriableError("declined", { cause: new RangeError(secret(n, "card declined")) });
        })
        .catch((error: Error) => String(error.cause));
      const shipped = await step.invoke("ship", {
        function: ship,
        data: { n, encrypted: { street: secret(n, "street") } },
      });
      const receipt = await step.waitForEvent("paid", { event: "soak/paid", timeout: "7d", match: "data.n" });
      const [left, right] = parallel;
      const value = {
        charge,
        parallel: [left, right],
        declined: refused,
        shipped,
        paid: receipt?.data.encrypted.receipt,
      };
      witness.finished(n, "order", value);
      return value;
    },
  );
  const patient = inngest.createFunction(
    { id: "patient", triggers: { event: "soak/patient" }, retries },
    async ({ event, step }) => {
      const { n, encrypted } = event.data;
      const noted = await step.run("note", () => done(n, "note", encrypted.card));
      await step.sendEvent("audit", {
        name: "soak/audit",
        id: `audit-${n}`,
        data: { n, encrypted: { text: secret(n, "audit") } },
      });
      const never = await step.waitForEvent("never", {
        event: "soak/never",
        timeout: "3h",
        match: "data.n",
      });
      witness.finished(n, "patient", { event: never, noted });
      return noted;
    },
  );
  const audit = inngest.createFunction(
    { id: "audit", triggers: { event: "soak/audit" }, retries },
    async ({ event, step }) => {
      await step.sleep("queue", "30m");
      witness.finished(event.data.n, "audit", event.data.encrypted.text);
    },
  );
  const broken = inngest.createFunction(
    {
      id: "broken",
      triggers: { event: "soak/broken" },
      retries,
      onFailure: async ({ error, event, step }) => {
        const { n, encrypted } = event.data.event.data;
        const cleaned = await step.run("clean", () => done(n, "clean", secret(n, "clean")));
        witness.finished(n, "failure", { message: error.message, card: encrypted.card, cleaned });
      },
    },
    async ({ event, step }) => {
      const { n } = event.data;
      const reason = await step.run("reason", () => done(n, "reason", secret(n, "reason")));
      await step.sleep("nap", "90m");
      throw new NonRetriableError(reason);
    },
  );
  return [order, ship, patient, audit, broken] as InngestFunction.Any[];
}

/** Starts a process of the app. */
export function bootApp(
  client: TestClientOptions,
  { ring, seal, witness, checkpointing }: Omit<Boot, "how">,
  fetched?: Fetched,
): Process {
  const keyring = fetched?.source ?? createKeyring({ keys: ring });
  const inngest = new Inngest({
    id: "soak",
    ...client,
    logger: quiet,
    checkpointing,
    middleware: seal ? [encryptionMiddleware({ keyring })] : [],
  });
  const handler = serve({ client: inngest, functions: functionsOf(inngest, witness) });
  return {
    async handle(request) {
      const body = await request.clone().text();
      const steps: object = body === "" ? {} : (JSON.parse(body).steps ?? {});
      return requests.run({ held: new Set(Object.keys(steps)) }, () => handler(request));
    },
    async start(kind, n) {
      const data = { n, encrypted: { card: secret(n, "card") } };
      await inngest.send({ name: `soak/${kind}`, data });
    },
    async pay(n) {
      await inngest.send({ name: "soak/paid", data: { n, encrypted: { receipt: secret(n, "receipt") } } });
    },
    ...(fetched && { deploy: fetched.deploy }),
  };
}

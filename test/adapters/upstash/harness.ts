import { Client as QstashClient, Receiver } from "@upstash/qstash";
import { Client, type InvokableWorkflow } from "@upstash/workflow";
import { serveMany } from "@upstash/workflow/nextjs";
import { createKeyring, type Keyring } from "stepseal";
import { createTestQstash, type TestQstash, type TestQstashOptions } from "stepseal/testing";
import { type SecureWorkflow, type SecureWorkflowOptions, secureWorkflow } from "stepseal/upstash";
import { afterEach, beforeEach, vi } from "vitest";
import { resolveOptions, type UpstashSettings } from "../../../src/adapters/upstash/options.ts";

export const ORIGIN = "https://app.example.com";
/** Every workflow of a test is at this path and its name. */
export const BASE = `${ORIGIN}/workflows/`;

/** Two fixed keys: what a test prints is the same each time. */
export const KEY = "hex:8f1d3ac05e7b9264f0a1c8d35b6e7f9012c4a7be83d65f0948eb21d07c9a3e56";
export const OTHER_KEY = "hex:3c9e51f7a20d68b4e18f4472cb905ad613f7e08c2b5d9a6140e3fd8791c62ab5";

export function keyring(): Keyring {
  return createKeyring({ key: KEY });
}

// biome-ignore lint/suspicious/noExplicitAny: as the SDK has it
export type Workflows = Record<string, InvokableWorkflow<any, any>>;

/** Options of `secureWorkflow`, or null for an app without stepseal. */
export type Seal = Partial<SecureWorkflowOptions> | null;

export interface App {
  readonly qstash: TestQstash;
  /** Triggers and notifies, as the deployed app does. */
  readonly client: Client;
  /** Replaces what is deployed. */
  deploy(workflows: Workflows, seal?: Seal): SecureWorkflow | undefined;
  /** Starts a run. Returns its id. */
  trigger(name: string, body?: unknown, options?: object): Promise<string>;
}

const open: TestQstash[] = [];
afterEach(async () => {
  for (const qstash of open.splice(0)) await qstash.close();
  vi.restoreAllMocks();
});

// The SDK logs what fails; these tests make things fail.
beforeEach(() => {
  for (const method of ["error", "warn", "info"] as const)
    vi.spyOn(console, method).mockImplementation(() => {});
});

/** An app on the real SDK, and the platform it runs on. */
export async function createApp(
  workflows: Workflows,
  { seal = {}, ...options }: TestQstashOptions & { seal?: Seal } = {},
): Promise<App> {
  const qstash = await createTestQstash(options);
  open.push(qstash);
  let client: Client | undefined;
  const deploy: App["deploy"] = (next, nextSeal = seal) => {
    if (nextSeal === null) {
      qstash.serve(ORIGIN, plainEndpoint(qstash, next));
      client = new Client({ baseUrl: qstash.url, token: qstash.token, devMode: false });
      return undefined;
    }
    const secure = secure_(qstash, nextSeal);
    qstash.serve(ORIGIN, secure.serveMany(next).POST);
    client = secure.client();
    return secure;
  };
  deploy(workflows);
  return {
    qstash,
    get client() {
      return client as Client;
    },
    deploy,
    async trigger(name, body, more) {
      const { workflowRunId } = await (client as Client).trigger({ url: BASE + name, body, ...more });
      return workflowRunId;
    },
  };
}

/** `secureWorkflow` on a platform of a test. */
export function secure_(qstash: TestQstash, options: Partial<SecureWorkflowOptions> = {}): SecureWorkflow {
  return secureWorkflow({
    ...(options.key === undefined && options.keyring === undefined && { keyring: keyring() }),
    qstash: { token: qstash.token, baseUrl: qstash.url },
    signingKeys: qstash.signingKeys,
    publicUrl: ORIGIN,
    ...options,
  });
}

/** Options with their defaults, for what is asked without an endpoint. */
export function settingsWith(options: Partial<SecureWorkflowOptions>): UpstashSettings {
  return resolveOptions({ key: KEY, qstash: { token: "token" }, publicUrl: ORIGIN, ...options });
}

/** The SDK alone, as its documentation sets it up. */
function plainEndpoint(qstash: TestQstash, workflows: Workflows): (request: Request) => Promise<Response> {
  return serveMany(workflows, {
    qstashClient: new QstashClient({ baseUrl: qstash.url, token: qstash.token, devMode: false }),
    receiver: new Receiver({
      currentSigningKey: qstash.signingKeys.current,
      nextSigningKey: qstash.signingKeys.next,
      devMode: false,
    }),
  }).POST;
}

export function toBase64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** Texts that stand in a base64 body of a journal. */
export function fromBase64(text: string): string {
  return Buffer.from(text, "base64").toString("utf8");
}

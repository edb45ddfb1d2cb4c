import { Client as QstashClient } from "@upstash/qstash";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { generateKey, StepsealError } from "stepseal";
import { type SecureWorkflowOptions, secureWorkflow } from "stepseal/upstash";
import { describe, expect, it } from "vitest";
import { resolveOptions } from "../../../src/adapters/upstash/options.ts";
import { keyring, ORIGIN } from "./harness.ts";

const GOOD = {
  keyring: keyring(),
  qstash: { token: "tok_good" },
  signingKeys: { current: "sig_current" },
  publicUrl: ORIGIN,
} satisfies SecureWorkflowOptions;

function messageOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof StepsealError && error.code === "CONFIG") return error.message;
    throw error;
  }
  return "nothing was thrown";
}

/** Options that are wrong, and what the error says of them. */
const WRONG: [options: object, says: string[]][] = [
  [{ publicUrl: undefined }, ["publicUrl", "UPSTASH_WORKFLOW_URL", "https://app.example.com"]],
  [{ publicUrl: "app.example.com" }, ["publicUrl", "https://app.example.com"]],
  [{ publicUrl: "https://app.example.com?x=1" }, ["publicUrl"]],
  [{ publicUrl: "https://app.example.com#x" }, ["publicUrl"]],
  [{ publicUrl: "https://" }, ["publicUrl"]],
  [{ publicUrl: " https://app.example.com" }, ["publicUrl"]],
  [{ publicUrl: "see https://app.example.com" }, ["publicUrl"]],
  [{ publicUrl: "https://[" }, ["publicUrl"]],
  [{ publicUrl: "ftp://app.example.com" }, ["publicUrl"]],
  [{ publicUrl: undefined, env: { UPSTASH_WORKFLOW_URL: "" } }, ["publicUrl", "UPSTASH_WORKFLOW_URL"]],
  [{ publicUrl: "https://app.example.com " }, ["publicUrl"]],
  [
    { publicUrl: undefined, env: { UPSTASH_WORKFLOW_URL: "app.example.com" } },
    ["UPSTASH_WORKFLOW_URL", "https://app.example.com"],
  ],
  [{ publicURL: ORIGIN }, ["publicURL", "known: keyring", "publicUrl"]],
  [{ qstash: {} }, ["QSTASH_TOKEN", "qstash"]],
  [{ qstash: undefined, env: { QSTASH_REGION: "us-east-1", QSTASH_TOKEN: "x" } }, ["US_EAST_1_QSTASH_TOKEN"]],
  [{ qstash: "token" }, ["qstash"]],
  [{ signingKeys: { next: "sig_next" } }, ["signingKeys.current"]],
  [{ qstash: null }, ["qstash", "object"]],
  [{ qstash: { tokens: "x" } }, ["qstash", '"tokens"', "known: token, baseUrl"]],
  [{ qstash: { token: 1 } }, ["qstash.token", "string"]],
  [{ qstash: { token: "x", baseUrl: "qstash.example.com" } }, ["qstash.baseUrl", "absolute URL"]],
  [{ qstash: { token: "x", retry: true } }, ["qstash.retry", "false"]],
  [{ qstash: { token: "x", retry: { retries: "3" } } }, ["qstash.retry", "retries, a number"]],
  [{ qstash: { token: "x", headers: "a: b" } }, ["qstash.headers", "headers"]],
  [{ qstash: { token: "x", headers: null } }, ["qstash.headers", "headers"]],
  [{ qstash: { token: "x", enableTelemetry: "no" } }, ["qstash.enableTelemetry", "boolean"]],
  [{ signingKeys: { current: "sig_current", next: "" } }, ["signingKeys.next", "empty"]],
  [{ signingKeys: { current: "" } }, ["signingKeys.current", "empty"]],
  [{ signingKeys: { current: "sig \n" } }, ["currentSigningKey"]],
  [{ signingKeys: { current: "sig_current", next: "sig \n" } }, ["nextSigningKey"]],
  [{ keyring: undefined, key: undefined, env: {} }, ["STEPSEAL_KEY", "not set"]],
  [{ key: generateKey() }, ['"keyring" and "key"']],
  [{ keyring: undefined, fallbackKeys: [] }, ['"fallbackKeys" needs "key"']],
  [{ keyring: {} }, ["keyring"]],
  [{ plaintextTrigger: "allow" }, ["plaintextTrigger", '"reject"', '"accept"']],
  [{ thirdPartyCalls: true }, ["thirdPartyCalls", '"refuse"', '"allow"']],
  [{ webhooks: "yes" }, ["webhooks", '"refuse"', '"allow"']],
  [{ plaintextFrom: { event: ["x"] } }, ["plaintextFrom", "event", "known: events, platformFailures"]],
  [{ plaintextFrom: { events: [""] } }, ["plaintextFrom.events.0", "empty"]],
  [{ scope: "" }, ["scope", "empty"]],
  [{ onUse: "log" }, ["onUse", "function"]],
  [{ onRefused: 1 }, ["onRefused", "function"]],
  [{ maxBodyBytes: "1 MB" }, ["maxBodyBytes", "number"]],
  [{ maxBodyBytes: -1 }, ["maxBodyBytes"]],
  [{ replay: {} }, ["replay", "claim"]],
  [{ env: "QSTASH_TOKEN=x" }, ["env", "object"]],
];

describe("secureWorkflow", () => {
  it.each(WRONG)("refuses %j, and says what and how", (wrong, says) => {
    const message = messageOf(() => secureWorkflow({ env: {}, ...GOOD, ...wrong } as SecureWorkflowOptions));
    for (const text of says) expect(message).toContain(text);
    expect(message).not.toMatch(/ssk1_|sig_|tok_/);
  });

  it("takes a client, its options, and the environment", () => {
    const client = new QstashClient({ token: "token", baseUrl: "http://127.0.0.1:1", devMode: false });
    secureWorkflow({ ...GOOD, qstash: client });
    secureWorkflow({ ...GOOD, qstash: { token: "token", baseUrl: "http://127.0.0.1:1", retry: false } });
    secureWorkflow({
      env: { STEPSEAL_KEY: generateKey(), QSTASH_TOKEN: "token", UPSTASH_WORKFLOW_URL: ORIGIN },
    });
  });

  it("lets nothing unsealed in or out that no option allows", () => {
    const { plainEvents, ...defaults } = resolveOptions(GOOD);
    expect(defaults).toMatchObject({
      plaintextTrigger: "reject",
      thirdPartyCalls: "refuse",
      webhooks: "refuse",
      platformFailures: true,
      maxBodyBytes: 16 * 1024 * 1024,
    });
    expect([...plainEvents]).toEqual([]);
  });

  it("takes the public URL from the option, then from the environment, without the slash at its end", () => {
    const env = { UPSTASH_WORKFLOW_URL: "https://env.example.com/base/" };
    expect(resolveOptions({ ...GOOD, env }).publicUrl).toBe(ORIGIN);
    expect(resolveOptions({ ...GOOD, publicUrl: `${ORIGIN}/` }).publicUrl).toBe(ORIGIN);
    const { publicUrl: _, ...rest } = GOOD;
    expect(resolveOptions({ ...rest, env }).publicUrl).toBe("https://env.example.com/base");
  });

  it("keeps what createWorkflow is given", () => {
    const route = async (): Promise<void> => {};
    const options = { failureFunction: () => {} };
    expect(secureWorkflow(GOOD).createWorkflow(route, options)).toEqual({ routeFunction: route, options });
  });

  it("may be served on this machine, without TLS", () => {
    expect(resolveOptions({ ...GOOD, publicUrl: "http://127.0.0.1:3000" }).publicUrl).toBe(
      "http://127.0.0.1:3000",
    );
  });

  it.each([
    ["qstashClient", "qstash"],
    ["receiver", "signingKeys"],
    ["baseUrl", "publicUrl"],
  ])("keeps %s of serve to itself", (name, instead) => {
    const { serve, serveMany, createWorkflow: create } = secureWorkflow(GOOD);
    const options = { [name]: "anything" } as object;
    const route = async (): Promise<void> => {};
    for (const make of [
      () => serve(route, options),
      () => create(route, options),
      () => serveMany({}, options),
      () => serveMany({ a: createWorkflow(route, options) }),
    ]) {
      expect(messageOf(make)).toContain(`"${name}" of serve`);
      expect(messageOf(make)).toContain(`give secureWorkflow "${instead}" instead`);
    }
  });

  it("takes no URL that would be that of each workflow", () => {
    const { serve, serveMany } = secureWorkflow(GOOD);
    expect(messageOf(() => serveMany({}, { url: `${ORIGIN}/all` }))).toContain('"url"');
    expect(serve(async () => {}, { url: `${ORIGIN}/one` }).POST).toBeTypeOf("function");
  });

  it("takes no URL that is none", () => {
    const { serve, wrap } = secureWorkflow(GOOD);
    for (const make of [
      () => serve(async () => {}, { url: "/order" }),
      () => wrap(() => new Response(), "app.example.com"),
    ]) {
      expect(messageOf(make)).toContain('option "url" must be the URL of the endpoint');
    }
  });

  it.each(["", "a/b"])("takes no workflow with the name %j", (name) => {
    expect(
      messageOf(() => secureWorkflow(GOOD).serveMany({ [name]: createWorkflow(async () => {}) })),
    ).toContain(JSON.stringify(name));
  });

  it("shows nothing of its keys, however it is printed", () => {
    const secure = secureWorkflow({
      ...GOOD,
      signingKeys: { current: "sig_secret" },
      qstash: { token: "tok_secret" },
    });
    expect(JSON.stringify(secure)).not.toContain("secret");
    expect(Object.isFrozen(secure)).toBe(true);
  });
});

import { Client } from "@upstash/qstash";
import { secureWorkflow } from "stepseal/upstash";
import { afterEach, describe, expect, it, vi } from "vitest";
import { clientsOf } from "../../../src/adapters/upstash/clients.ts";
import { keyring, ORIGIN } from "./harness.ts";

afterEach(() => void vi.unstubAllEnvs());

/** Where a client sends to, with what token, and how often. */
function seen(client: Client): unknown {
  const { baseUrl, authorization, retry } = client.http as unknown as {
    baseUrl: string;
    authorization: string;
    retry: { attempts: number };
  };
  return [baseUrl, authorization, retry.attempts];
}

const URLS = { QSTASH_URL: "https://env.example.com", US_EAST_1_QSTASH_URL: "https://us.example.com" };
const US = { ...URLS, QSTASH_REGION: "us-east-1", US_EAST_1_QSTASH_TOKEN: "us" };

describe("the client that requests leave with", () => {
  it("is the one that was given", () => {
    const client = new Client({ token: "given", baseUrl: "http://127.0.0.1:1", devMode: false });
    expect(clientsOf(client, US)("eu-central-1")).toBe(client);
  });

  it("has what was given, before what stands in the environment", () => {
    const given = { token: "given", baseUrl: "https://given.example.com", retry: { retries: 7 } };
    const env = { ...URLS, QSTASH_TOKEN: "env" };
    expect(seen(clientsOf(given, env)(undefined))).toEqual(["https://given.example.com", "Bearer given", 7]);
    expect(seen(clientsOf({}, env)(undefined))).toEqual(["https://env.example.com", "Bearer env", 5]);
    expect(seen(clientsOf(undefined, env)(undefined))).toEqual(["https://env.example.com", "Bearer env", 5]);
  });

  it("has the token that was given, whatever the region", () => {
    expect(seen(clientsOf({ token: "given" }, US)("eu-central-1"))).toEqual([
      "https://env.example.com",
      "Bearer given",
      5,
    ]);
  });

  it("talks to no local server, whose keys everybody knows", () => {
    vi.stubEnv("QSTASH_DEV", "1");
    expect(seen(clientsOf({ token: "given" }, URLS)(undefined))).toEqual([
      "https://env.example.com",
      "Bearer given",
      5,
    ]);
  });

  it("is that of the region, and of the home region where a request names none", () => {
    const env = { ...US, EU_CENTRAL_1_QSTASH_TOKEN: "eu", EU_CENTRAL_1_QSTASH_URL: "https://eu.example.com" };
    const clients = clientsOf(undefined, env);
    for (const none of [undefined, null, "", "us-east-1", "US_EAST_1"]) {
      expect(seen(clients(none))).toEqual(["https://us.example.com", "Bearer us", 5]);
    }
    expect(seen(clients("eu-central-1"))).toEqual(["https://eu.example.com", "Bearer eu", 5]);
    expect(clients("EU_CENTRAL_1")).toBe(clients("eu-central-1"));
  });

  it("outside of a run tells what the SDK tells where the platform does not answer", async () => {
    const qstash = { token: "token", baseUrl: "http://127.0.0.1:1", retry: false } as const;
    const client = secureWorkflow({ keyring: keyring(), publicUrl: ORIGIN, qstash }).client();
    await expect(client.trigger({ url: `${ORIGIN}/pay`, retries: 0 })).rejects.toThrow(
      /fetch|bad port|connect/i,
    );
  });

  it("is none where there is no token", () => {
    expect(() => clientsOf(undefined, US)("eu-central-1")).toThrow("EU_CENTRAL_1_QSTASH_TOKEN is not set");
    expect(() => clientsOf(undefined, { ...US, US_EAST_1_QSTASH_TOKEN: "" })).toThrow(
      "US_EAST_1_QSTASH_TOKEN",
    );
    expect(() => clientsOf(undefined, { QSTASH_TOKEN: "" })).toThrow("there is no token");
    expect(() => clientsOf({ token: "" }, {})).toThrow("there is no token");
  });
});

import { Client } from "@upstash/qstash";
import * as z from "zod/mini";
import { StepsealError } from "../../errors.ts";
import type { Environment } from "../../internal/environment.ts";
import { parseUrl } from "../../internal/url.ts";
import { regionName } from "../../transport/keys.ts";
import { func } from "../check-shape.ts";

/** Where requests to QStash go, and with what: the options of its `Client`. */
export interface QstashOptions {
  /** Default: `QSTASH_TOKEN` of the environment. */
  readonly token?: string;
  /** Default: `QSTASH_URL` of the environment, or the SDK's own. */
  readonly baseUrl?: string;
  /** Of the SDK: how often a request that fails is sent again. */
  readonly retry?:
    | false
    | {
        readonly retries?: number;
        /** Milliseconds before the given retry. */
        readonly backoff?: (retry: number) => number;
      };
  /** Of the SDK: headers of each request. They leave as they are. */
  readonly headers?: HeadersInit;
  /** Of the SDK: whether it tells its version and runtime. Default true. */
  readonly enableTelemetry?: boolean;
}

export const qstashSchema: z.ZodMiniObject = z.strictObject({
  token: z.optional(z.string()),
  baseUrl: z.optional(
    z.string().check(z.refine((url) => parseUrl(url) !== undefined, "must be an absolute URL")),
  ),
  retry: z.optional(
    z.union(
      [
        z.literal(false),
        z.strictObject({ retries: z.optional(z.int().check(z.nonnegative())), backoff: z.optional(func) }),
      ],
      "must be false, or have the members retries, a number, and backoff, a function",
    ),
  ),
  headers: z.optional(
    z.custom<HeadersInit>((value) => typeof value === "object" && value !== null, "must be headers"),
  ),
  enableTelemetry: z.optional(z.boolean()),
});

/** Whether this is a client of the SDK, and not options of one. Of another copy of the SDK, it is no instance of ours. */
export function isClient(given: unknown): given is Client {
  return typeof given === "object" && given !== null && "http" in given;
}

/** The client that talks to the QStash of a region: that of the request's `upstash-region` header, if it has one. */
export type Clients = (region: string | null | undefined) => Client;

/**
 * The clients of an app: one that was given, or those of the environment.
 *
 * @throws {StepsealError} CONFIG without a token
 */
export function clientsOf(given: Client | QstashOptions | undefined, env: Environment): Clients {
  if (isClient(given)) return () => given;
  const { token, baseUrl, ...rest } = given ?? {};
  const make = (prefix: string): Client | undefined => {
    const tokenOrNone = token ?? env[`${prefix}QSTASH_TOKEN`];
    const url = baseUrl ?? env[`${prefix}QSTASH_URL`];
    if (!tokenOrNone) return undefined;
    // QSTASH_DEV would have it talk to another server, with keys that everybody knows.
    return new Client({
      ...rest,
      token: tokenOrNone,
      ...(url && { baseUrl: url }),
      devMode: false,
    } as ClientConfig);
  };
  const home = token === undefined && env.QSTASH_REGION ? regionName(env.QSTASH_REGION) : undefined;
  const standard = make(home === undefined ? "" : `${home}_`);
  if (standard === undefined) {
    const variable = home === undefined ? "QSTASH_TOKEN" : `${home}_QSTASH_TOKEN`;
    throw new StepsealError(
      "CONFIG",
      `secureWorkflow: there is no token for QStash. Set ${variable}, or give option "qstash"`,
    );
  }
  if (home === undefined) return () => standard;
  const made = new Map<string, Client>([[home, standard]]);
  return (region) => {
    if (!region) return standard;
    const name = regionName(region);
    // The signature was checked with the keys of this region: what it says of itself is true.
    const client = made.get(name) ?? make(`${name}_`);
    // What is not there is not kept: where keys are not by region, the platform may name any.
    if (client !== undefined) {
      made.set(name, client);
      return client;
    }
    throw new StepsealError(
      "CONFIG",
      `A request came from the region ${name}, and ${name}_QSTASH_TOKEN is not set. Set it to the token of that region.`,
    );
  };
}

type ClientConfig = NonNullable<ConstructorParameters<typeof Client>[0]>;

import type { Client as QstashClient } from "@upstash/qstash";
import * as z from "zod/mini";
import { StepsealError } from "../../errors.ts";
import { type Environment, processEnv } from "../../internal/environment.ts";
import { parseUrl } from "../../internal/url.ts";
import { createSealer, type Sealer, type SealerOptions } from "../../sealer.ts";
import { memoryReplayStore, type ReplayStore } from "../../transport/replay.ts";
import { createVerifier, type QstashVerifierOptions } from "../../transport/verifier.ts";
import { checkShape, func, nonEmpty } from "../check-shape.ts";
import { type KeyOptions, keyShape, type SealerSource, sealerSource } from "../sealer-source.ts";
import { type Clients, clientsOf, isClient, type QstashOptions, qstashSchema } from "./clients.ts";

const BY = "secureWorkflow";
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Options of {@link secureWorkflow}. Keys, token, signing keys and `publicUrl` can come from the environment. */
export interface SecureWorkflowOptions extends KeyOptions {
  /** A QStash `Client`, or its options. Default: the environment, by region where `QSTASH_REGION` is set. */
  readonly qstash?: QstashClient | QstashOptions;
  /** Default: `QSTASH_CURRENT_SIGNING_KEY` and `QSTASH_NEXT_SIGNING_KEY` of the environment, by region. */
  readonly signingKeys?: { readonly current: string; readonly next?: string };
  /**
   * How the platform reaches this server, `https://app.example.com`: what stands before the path of each request. A
   * request is accepted only when it was signed for this URL and its path. Default: `UPSTASH_WORKFLOW_URL` of the
   * environment.
   */
  readonly publicUrl?: string;
  /** `"accept"`: runs may be started with a payload that is not sealed. Default `"reject"`. */
  readonly plaintextTrigger?: "reject" | "accept";
  /** `"allow"`: `context.call` and `context.api` send plaintext through the platform. Default `"refuse"`. */
  readonly thirdPartyCalls?: "refuse" | "allow";
  /** `"allow"`: webhooks receive plaintext through the platform. Default `"refuse"`. */
  readonly webhooks?: "refuse" | "allow";
  /** Who may send plaintext where a sealed value is expected. */
  readonly plaintextFrom?: {
    /** Ids of events that others send: `waitForEvent` returns what came, sealed or not. */
    readonly events?: readonly string[];
    /**
     * Failures that the platform makes itself, time-outs above all. Default true: the failure function runs, is told the
     * status and nothing that was not sealed, and `isPlatformFailure` knows. False: refused.
     */
    readonly platformFailures?: boolean;
  };
  /** A name that sealed values are bound to (an environment, a tenant); another scope cannot open them. */
  readonly scope?: string;
  /** Called at each seal and open with kid, state, kind, operation and size, never with data. */
  readonly onUse?: NonNullable<SealerOptions["onUse"]>;
  /** Refuses a second delivery of one signature. Default: the memory of this process. */
  readonly replay?: ReplayStore;
  /** Longest request in bytes. Default 16 MiB. */
  readonly maxBodyBytes?: number;
  /** Told why a request was refused: a `SignatureError` or a `StepsealError`. For logs and metrics. */
  readonly onRefused?: (reason: unknown) => void;
  /** Where the variables are read. Default: `process.env`. */
  readonly env?: Environment;
}

/** The options, checked and with their defaults. */
export interface UpstashSettings extends SealerSource<Sealer> {
  readonly clients: Clients;
  /** Options of the verifier of one endpoint, which adds its URL. */
  readonly signatures: Omit<QstashVerifierOptions, "url">;
  /** Without the slash at its end. */
  readonly publicUrl: string;
  readonly plaintextTrigger: "reject" | "accept";
  readonly thirdPartyCalls: "refuse" | "allow";
  readonly webhooks: "refuse" | "allow";
  readonly plainEvents: ReadonlySet<string>;
  readonly platformFailures: boolean;
  readonly maxBodyBytes: number;
  readonly onRefused: ((reason: unknown) => void) | undefined;
}

const object = z.custom<object>((value) => typeof value === "object" && value !== null, "must be an object");

const PUBLIC_URL = "must be the URL of your server as the platform reaches it: https://app.example.com";

function isPublicUrl(url: string): boolean {
  return /^https?:\/\/[^\s?#]+$/.test(url) && parseUrl(url) !== undefined;
}

const schema = z.strictObject({
  ...keyShape,
  qstash: z.optional(qstashSchema),
  signingKeys: z.optional(z.strictObject({ current: nonEmpty, next: z.optional(nonEmpty) })),
  publicUrl: z.optional(nonEmpty.check(z.refine(isPublicUrl, PUBLIC_URL))),
  plaintextTrigger: z.optional(z.enum(["reject", "accept"])),
  thirdPartyCalls: z.optional(z.enum(["refuse", "allow"])),
  webhooks: z.optional(z.enum(["refuse", "allow"])),
  plaintextFrom: z.optional(
    z.strictObject({ events: z.optional(z.array(nonEmpty)), platformFailures: z.optional(z.boolean()) }),
  ),
  scope: z.optional(nonEmpty),
  onUse: z.optional(func),
  replay: z.optional(
    z.custom<ReplayStore>(
      (value) => typeof (value as ReplayStore | null)?.claim === "function",
      "must have a function claim: memoryReplayStore(), or a store of yours",
    ),
  ),
  maxBodyBytes: z.optional(z.int().check(z.positive())),
  onRefused: z.optional(func),
  env: z.optional(object),
});

/**
 * Checks the options and fills in their defaults.
 *
 * @throws {StepsealError} CONFIG, naming the option and the fix
 */
export function resolveOptions(options: SecureWorkflowOptions = {}): UpstashSettings {
  // What a client has is the SDK's to check.
  checkShape(BY, isClient(options?.qstash) ? { ...options, qstash: undefined } : options, schema);
  const { scope, onUse, signingKeys, env = processEnv() } = options;
  const publicUrl = options.publicUrl ?? env.UPSTASH_WORKFLOW_URL;
  if (!publicUrl) {
    throw new StepsealError(
      "CONFIG",
      `${BY}: option "publicUrl" is missing, and so is UPSTASH_WORKFLOW_URL: the URL that requests must be signed for. Give https://app.example.com, without the path of the workflow`,
    );
  }
  if (!isPublicUrl(publicUrl)) throw new StepsealError("CONFIG", `${BY}: UPSTASH_WORKFLOW_URL ${PUBLIC_URL}`);
  const sealers = sealerSource(
    BY,
    options,
    (keyring) =>
      createSealer({
        keyring,
        ...(scope !== undefined && { scope }),
        ...(onUse !== undefined && { onUse }),
      }),
    env,
  );
  const signatures = {
    scheme: "qstash",
    env,
    replay: options.replay ?? memoryReplayStore(),
    ...(signingKeys && { currentSigningKey: signingKeys.current, nextSigningKey: signingKeys.next }),
  } as const;
  // A key in code that is none is told now, and not by each request.
  createVerifier({ ...signatures, url: publicUrl });
  return {
    ...sealers,
    clients: clientsOf(options.qstash, env),
    signatures,
    publicUrl: publicUrl.endsWith("/") ? publicUrl.slice(0, -1) : publicUrl,
    plaintextTrigger: options.plaintextTrigger ?? "reject",
    thirdPartyCalls: options.thirdPartyCalls ?? "refuse",
    webhooks: options.webhooks ?? "refuse",
    plainEvents: new Set(options.plaintextFrom?.events),
    platformFailures: options.plaintextFrom?.platformFailures ?? true,
    maxBodyBytes: options.maxBodyBytes ?? MAX_BODY_BYTES,
    onRefused: options.onRefused,
  };
}

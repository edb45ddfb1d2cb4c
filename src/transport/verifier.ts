import { bytesToHex } from "@noble/hashes/utils.js";
import { StepsealError } from "../errors.ts";
import { namesOf } from "../internal/members.ts";
import { parseUrl } from "../internal/url.ts";
import { checkInngest, INNGEST_HEADER, INNGEST_WINDOW, readInngestSignature } from "./inngest.ts";
import { coveredByRequest } from "./json-body.ts";
import type { SigningKey } from "./key.ts";
import { type KeySource, keySource } from "./keys.ts";
import { bodyOf, oneHeader, QSTASH_HEADER, type SignedMessage } from "./message.ts";
import {
  type ClockOptions,
  checkSchemeOptions,
  type InngestKeys,
  type QstashKeys,
  type QstashRegion,
  secondsOf,
  wholeSeconds,
} from "./options.ts";
import type { TokenRules } from "./qstash.ts";
import { claimOnce, type ReplayStore } from "./replay.ts";
import { SignatureError } from "./signature-error.ts";

const REGION_HEADER = "upstash-region";
/** The platform's tokens live 300 s. */
const MAX_LIFETIME = 600;
const LONGEST_LIFETIME = 86_400;

/** What is known of a message that was accepted. */
export interface Verification {
  readonly scheme: "inngest" | "qstash";
  /** Which key signed: 8 hex digits of a hash of it. */
  readonly keyId: string;
  /** Whether that was another key than the primary or current one. */
  readonly usedFallback: boolean;
}

/** Options that verifiers of both schemes take. */
export interface VerifierHooks extends ClockOptions {
  /** Refuses a second delivery of one signature. Without it a signature is good for repeats in its time. */
  readonly replay?: ReplayStore;
  /**
   * Called when a message was accepted by the fallback or next key: while it is, a rotation is not done. What it
   * throws, or rejects with, refuses the message.
   */
  readonly onFallbackUsed?: (verification: Verification) => void | Promise<void>;
}

export interface InngestVerifierOptions extends InngestKeys, VerifierHooks {}

/** Options of a QStash verifier. One of `url` and `dangerouslyAcceptAnyUrl` must be there. */
export interface QstashVerifierOptions extends QstashKeys, VerifierHooks {
  /** The URL, or URLs, that requests are signed for: the public one of the endpoint, compared to the letter. */
  readonly url?: string | readonly string[];
  /** Lets a request that was signed for another endpoint of yours pass at this one. */
  readonly dangerouslyAcceptAnyUrl?: true;
  /**
   * Keys by region, as `EU_CENTRAL_1` or `eu-central-1`, chosen by the header `upstash-region`. A region that is
   * not here is refused. From the environment where `QSTASH_REGION` is set: `EU_CENTRAL_1_QSTASH_CURRENT_SIGNING_KEY` …
   */
  readonly regions?: Readonly<Record<string, QstashRegion>>;
  /** Seconds by which the clocks may differ, up to 300. Default 0, as in the SDK. */
  readonly clockTolerance?: number;
  /** Longest time from `nbf` to `exp` of a token, in seconds, up to a day. Default 600. */
  readonly maxLifetime?: number;
}

const HOOKS = { now: true, replay: true, onFallbackUsed: true } as const;
const OPTIONS = {
  inngest: namesOf<InngestVerifierOptions>({
    scheme: true,
    signingKey: true,
    signingKeyFallback: true,
    env: true,
    ...HOOKS,
  }),
  qstash: namesOf<QstashVerifierOptions>({
    scheme: true,
    currentSigningKey: true,
    nextSigningKey: true,
    env: true,
    url: true,
    dangerouslyAcceptAnyUrl: true,
    regions: true,
    clockTolerance: true,
    maxLifetime: true,
    ...HOOKS,
  }),
};

/** Checks requests of one scheme. Shows nothing of its keys, however it is printed. */
export interface Verifier {
  readonly scheme: "inngest" | "qstash";
  /**
   * Accepts a request, or throws.
   *
   * @throws {SignatureError} any of its codes
   * @throws {StepsealError} CONFIG for a body that is not bytes, or a key of the environment that is none
   */
  verify(request: SignedMessage): Promise<Verification>;
}

/** Checks Inngest requests, and the signed responses of an Inngest SDK. */
export interface InngestVerifier extends Verifier {
  readonly scheme: "inngest";
  /**
   * Accepts a response whose signature covers its bytes, or throws as `verify` does. The replay store is not asked.
   */
  verifyResponse(response: SignedMessage): Promise<Verification>;
}

/**
 * Makes the check of signed requests, for one of two schemes.
 *
 * `inngest`: HMAC-SHA256 in `x-inngest-signature` over the canonical JSON of the body and a time, good for 300 s
 * before and after it. Neither URL nor method is covered. `qstash`: an HS256 JWT in `Upstash-Signature` over the hash
 * of the body and the URL. The rules are those of the SDKs (inngest 4 and 3, @upstash/qstash 2), where they are
 * lenient made strict; docs/transport.md lists where.
 *
 * @throws {StepsealError} CONFIG for an option or key that is wrong or unknown. Keys that are missing are told by `verify`
 * @example
 * ```ts
 * import { createSigner, createVerifier, memoryReplayStore } from "stepseal/transport";
 *
 * const keys = { scheme: "inngest", signingKey: "signkey-test-12345678" } as const;
 * const verifier = createVerifier({ ...keys, replay: memoryReplayStore() });
 *
 * const body = new TextEncoder().encode('{"event":{}}');
 * const { headers } = await createSigner(keys).sign({ body });
 * const { keyId, usedFallback } = await verifier.verify({ headers, body });
 * ```
 */
export function createVerifier(options: InngestVerifierOptions): InngestVerifier;
export function createVerifier(options: QstashVerifierOptions): Verifier;
export function createVerifier(options: InngestVerifierOptions | QstashVerifierOptions): Verifier;
export function createVerifier(options: InngestVerifierOptions | QstashVerifierOptions): Verifier {
  checkSchemeOptions(options, "createVerifier", OPTIONS);
  const keys = keySource(options);
  return options.scheme === "inngest" ? inngestVerifier(options, keys) : qstashVerifier(options, keys);
}

function inngestVerifier(options: InngestVerifierOptions, source: KeySource): InngestVerifier {
  const { replay } = options;
  return Object.freeze({
    scheme: "inngest",
    async verify(request: SignedMessage): Promise<Verification> {
      const keys = source();
      const signature = readInngestSignature(signatureHeader(request, INNGEST_HEADER));
      const body = bodyOf(request);
      const now = secondsOf(options);
      const key = checkInngest(signature, coveredByRequest(body), keys, now);
      // The time is in whole seconds: without a body, two requests of one second have one signature.
      if (replay !== undefined && body.length > 0) {
        const claim = `inngest:${bytesToHex(signature.mac)}`;
        await claimOnce(replay, claim, signature.seconds + INNGEST_WINDOW, now);
      }
      return accepted(options, key, keys);
    },
    async verifyResponse(response: SignedMessage): Promise<Verification> {
      const keys = source();
      const signature = readInngestSignature(signatureHeader(response, INNGEST_HEADER));
      return accepted(options, checkInngest(signature, bodyOf(response), keys, secondsOf(options)), keys);
    },
  });
}

function qstashVerifier(options: QstashVerifierOptions, source: KeySource): Verifier {
  const rules: TokenRules = {
    urls: urlsOf(options),
    maxLifetime: wholeSeconds(options.maxLifetime ?? MAX_LIFETIME, "maxLifetime", LONGEST_LIFETIME),
    clockTolerance: wholeSeconds(options.clockTolerance ?? 0, "clockTolerance", 300),
  };
  const { replay } = options;
  return Object.freeze({
    scheme: "qstash",
    async verify(request: SignedMessage): Promise<Verification> {
      const keys = source(oneHeader(request.headers, REGION_HEADER));
      const token = signatureHeader(request, QSTASH_HEADER);
      const body = bodyOf(request);
      const now = secondsOf(options);
      // Loaded here, and with it jose: who verifies Inngest requests alone never does.
      const { checkQstash } = await import("./qstash.ts");
      const { key, signature, goodUntil } = await checkQstash(token, body, keys, rules, now);
      if (replay !== undefined) await claimOnce(replay, `qstash:${signature}`, goodUntil, now);
      return accepted(options, key, keys);
    },
  });
}

function signatureHeader({ headers }: SignedMessage, name: string): string {
  const value = oneHeader(headers, name);
  if (value === undefined) throw new SignatureError("MISSING", `There is no ${name} header.`);
  return value;
}

function urlsOf({
  url,
  dangerouslyAcceptAnyUrl: acceptsAll,
}: QstashVerifierOptions): readonly string[] | undefined {
  if (url === undefined && acceptsAll === true) return undefined;
  const urls = typeof url === "string" ? [url] : (url ?? []);
  if (acceptsAll !== undefined || urls.length === 0 || urls.some((one) => parseUrl(one) === undefined)) {
    throw new StepsealError(
      "CONFIG",
      "url: expected the absolute URL that requests are signed for, or a list.",
    );
  }
  return [...urls];
}

async function accepted(
  { scheme, onFallbackUsed }: InngestVerifierOptions | QstashVerifierOptions,
  key: SigningKey,
  keys: readonly SigningKey[],
): Promise<Verification> {
  const verification = Object.freeze({ scheme, keyId: key.id, usedFallback: key !== keys[0] });
  if (verification.usedFallback) await onFallbackUsed?.(verification);
  return verification;
}

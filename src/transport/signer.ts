import { StepsealError } from "../errors.ts";
import { namesOf } from "../internal/members.ts";
import { parseUrl } from "../internal/url.ts";
import { INNGEST_HEADER, signInngest } from "./inngest.ts";
import { coveredByRequest } from "./json-body.ts";
import type { SigningKey } from "./key.ts";
import { type KeySource, keySource } from "./keys.ts";
import { bodyOf, QSTASH_HEADER } from "./message.ts";
import {
  type ClockOptions,
  checkSchemeOptions,
  type InngestKeys,
  type QstashKeys,
  secondsOf,
  wholeSeconds,
} from "./options.ts";
import { SignatureError } from "./signature-error.ts";

/** Options that signers of both schemes take. */
export interface SignerHooks extends ClockOptions {
  /** Which of the keys signs. Default `"primary"`: `signingKey`, or `currentSigningKey`. */
  readonly signWith?: "primary" | "fallback";
}

export interface InngestSignerOptions extends InngestKeys, SignerHooks {}

export interface QstashSignerOptions extends QstashKeys, SignerHooks {
  /** The URL the requests are for. */
  readonly url: string;
  /** Seconds that a signature is good for. Default 300, as the platform's. */
  readonly lifetime?: number;
}

const OPTIONS = {
  inngest: namesOf<InngestSignerOptions>({
    scheme: true,
    signingKey: true,
    signingKeyFallback: true,
    env: true,
    now: true,
    signWith: true,
  }),
  qstash: namesOf<QstashSignerOptions>({
    scheme: true,
    currentSigningKey: true,
    nextSigningKey: true,
    env: true,
    now: true,
    signWith: true,
    url: true,
    lifetime: true,
  }),
};

/** A signature as headers to send, and the key that made it. */
export interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  /** 8 hex digits of a hash of the key. */
  readonly keyId: string;
}

/** Signs requests of one scheme. Shows nothing of its keys, however it is printed. */
export interface Signer {
  readonly scheme: "inngest" | "qstash";
  /**
   * Signs the bytes of a request's body. Sign each attempt anew: a replay store refuses a signature it has seen.
   *
   * @throws {SignatureError} NO_KEYS; MALFORMED for a body that the Inngest scheme cannot sign
   * @throws {StepsealError} CONFIG for a body that is not bytes, or a key of the environment that is none
   */
  sign(request: { readonly body: Uint8Array }): Promise<Signed>;
}

/** Signs Inngest requests, and responses as an Inngest SDK does. */
export interface InngestSigner extends Signer {
  readonly scheme: "inngest";
  /** Signs the bytes of a response, whatever they are. Throws as `sign` does. */
  signResponse(response: { readonly body: Uint8Array }): Promise<Signed>;
}

/**
 * Makes a signer of requests, for one of two schemes: what the platform does, for tests and for services of your own
 * that call an endpoint behind `createVerifier`.
 *
 * @throws {StepsealError} CONFIG for an option or key that is wrong or unknown. Keys that are missing are told by `sign`
 * @example
 * ```ts
 * import { createSigner } from "stepseal/transport";
 *
 * const signer = createSigner({
 *   scheme: "qstash",
 *   currentSigningKey: "sig_an_example",
 *   url: "https://app.example.com/api/workflow",
 * });
 * const { headers } = await signer.sign({ body: new TextEncoder().encode("any bytes") });
 * console.log(Object.keys(headers)); // [ "upstash-signature" ]
 * ```
 */
export function createSigner(options: InngestSignerOptions): InngestSigner;
export function createSigner(options: QstashSignerOptions): Signer;
export function createSigner(options: InngestSignerOptions | QstashSignerOptions): Signer;
export function createSigner(options: InngestSignerOptions | QstashSignerOptions): Signer {
  checkSchemeOptions(options, "createSigner", OPTIONS);
  const { signWith = "primary" } = options;
  if (signWith !== "primary" && signWith !== "fallback") {
    throw new StepsealError("CONFIG", 'signWith: expected "primary" or "fallback".');
  }
  const key = oneOf(keySource(options), signWith);
  return options.scheme === "inngest" ? inngestSigner(options, key) : qstashSigner(options, key);
}

function inngestSigner(options: InngestSignerOptions, key: () => SigningKey): InngestSigner {
  const signed = (covered: Uint8Array): Signed => {
    const used = key();
    const header = signInngest(used, covered, Math.floor(secondsOf(options)));
    return { headers: { [INNGEST_HEADER]: header }, keyId: used.id };
  };
  return Object.freeze({
    scheme: "inngest",
    sign: async (request: { readonly body: Uint8Array }) => signed(coveredByRequest(bodyOf(request))),
    signResponse: async (response: { readonly body: Uint8Array }) => signed(bodyOf(response)),
  });
}

function qstashSigner(options: QstashSignerOptions, key: () => SigningKey): Signer {
  const { url } = options;
  if (parseUrl(url) === undefined)
    throw new StepsealError("CONFIG", "url: expected the absolute URL requests are for.");
  const lifetime = wholeSeconds(options.lifetime ?? 300, "lifetime", 86_400);
  return Object.freeze({
    scheme: "qstash",
    async sign(request: { readonly body: Uint8Array }): Promise<Signed> {
      const used = key();
      const { signQstash } = await import("./qstash.ts");
      const token = await signQstash(used, bodyOf(request), { url, now: secondsOf(options), lifetime });
      return { headers: { [QSTASH_HEADER]: token }, keyId: used.id };
    },
  });
}

function oneOf(source: KeySource, which: "primary" | "fallback"): () => SigningKey {
  return () => {
    const key = source()[which === "primary" ? 0 : 1];
    if (key === undefined) throw new SignatureError("NO_KEYS", "No fallback key is configured to sign with.");
    return key;
  };
}

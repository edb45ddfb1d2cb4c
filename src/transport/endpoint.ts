import { StepsealError } from "../errors.ts";
import { members, namesOf } from "../internal/members.ts";
import { tell } from "../internal/tell.ts";
import { readBody } from "./body.ts";
import { checkMode, type Mode } from "./mode.ts";
import { SignatureError } from "./signature-error.ts";
import type { Verifier } from "./verifier.ts";

/** What answers a request: an `inngest/edge` or Upstash Workflow `serve` handler, or any other. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** Options of `secureEndpoint`: a verifier, or an `authorize` of your own. */
export type EndpointOptions = (VerifiedEndpoint | AuthorizedEndpoint) & {
  /**
   * `"dev"` asks for no signature, as the SDKs do with a local server, which signs nothing; an `authorize` is asked all the
   * same. Give what `resolveMode` answers. Default `"cloud"`.
   */
  readonly mode?: Mode;
  /** Longest body in bytes. Default 8 MiB, twice what Inngest sends. */
  readonly maxBodyBytes?: number;
  /**
   * Called with the reason of each refusal, for logs and metrics: a `SignatureError`, or what `authorize` threw.
   * Undefined where `authorize` said no. The caller is told none of it. What it throws is ignored.
   */
  readonly onRefused?: (reason: unknown) => void;
};

/** An endpoint whose requests are signed. */
export interface VerifiedEndpoint {
  /** Made by `createVerifier`. */
  readonly verifier: Verifier;
  readonly authorize?: never;
}

/** An endpoint with a check of your own. */
export interface AuthorizedEndpoint {
  readonly verifier?: never;
  /**
   * Decides instead of a signature, for every method and path: a failure callback is a request like others. The
   * request is a copy, whose body it may read. Anything but true refuses, and so does a throw.
   */
  readonly authorize: (request: Request) => boolean | Promise<boolean>;
}

const OPTIONS = namesOf<EndpointOptions>({
  verifier: true,
  authorize: true,
  mode: true,
  maxBodyBytes: true,
  onRefused: true,
});

const MAX_BODY_BYTES = 8 * 1024 * 1024;

/**
 * Puts a check in front of a handler. Nothing of the handler runs before a request has passed it.
 *
 * A body that is too long is answered with 413 before it was read whole; a request that is refused, whatever the
 * reason, with one and the same 401; one that is authentic while the replay store fails with 503, so that the
 * platform tries again. What the handler gets is a request with the very bytes that were checked. The signature of
 * an Inngest request does not cover its URL: do not grant anything by the path alone.
 *
 * @returns a handler that rejects where the handler does, where a key is malformed (`StepsealError` CONFIG), or with what
 * the verifier's `onFallbackUsed` throws
 * @throws {StepsealError} CONFIG for options with both or neither of `verifier` and `authorize`, and for a wrong or unknown one
 * @example
 * ```ts
 * import { createSigner, createVerifier, secureEndpoint } from "stepseal/transport";
 *
 * const keys = { scheme: "inngest", signingKey: "signkey-test-12345678" } as const;
 * const endpoint = secureEndpoint(async (request) => Response.json(await request.json()), {
 *   verifier: createVerifier(keys),
 * });
 *
 * const body = new TextEncoder().encode('{"n":1}');
 * const { headers } = await createSigner(keys).sign({ body });
 * const url = "https://app.example.com/hook";
 * console.log((await endpoint(new Request(url, { method: "POST", headers, body }))).status); // 200
 * console.log((await endpoint(new Request(url, { method: "POST", body }))).status); // 401
 * ```
 */
export function secureEndpoint(
  handler: Handler,
  options: EndpointOptions,
): (request: Request) => Promise<Response> {
  members(options, "secureEndpoint options", OPTIONS);
  const { mode = "cloud", maxBodyBytes: limit = MAX_BODY_BYTES, onRefused } = options;
  const check = checkOf(options);
  checkMode(mode, "secureEndpoint");
  const isUnchecked = mode === "dev" && options.authorize === undefined;
  if (!Number.isInteger(limit) || limit < 0) throw config("maxBodyBytes: expected a whole number of bytes");

  return async (request) => {
    const body = await readBody(request, limit);
    if (body === undefined) return answer(413, "Payload Too Large");
    const refusal = isUnchecked ? undefined : await check(request, body);
    if (refusal === undefined) return handler(withBody(request, body));
    tell(onRefused, refusal.reason);
    return isUnavailable(refusal.reason) ? answer(503, "Service Unavailable") : answer(401, "Unauthorized");
  };
}

/** Answers what was wrong with a request, or undefined. */
type Check = (request: Request, body: Uint8Array) => Promise<{ readonly reason: unknown } | undefined>;

function checkOf({ verifier, authorize }: EndpointOptions): Check {
  if ((verifier === undefined) === (authorize === undefined)) {
    throw config("give one of verifier and authorize");
  }
  if (verifier !== undefined) {
    return async ({ headers }, body) => {
      try {
        await verifier.verify({ headers, body });
        return undefined;
      } catch (reason) {
        if (reason instanceof SignatureError) return { reason };
        throw reason;
      }
    };
  }
  if (typeof authorize !== "function") throw config("authorize: expected a function");
  return async (request, body) => {
    try {
      return (await authorize(withBody(request, body))) === true ? undefined : { reason: undefined };
    } catch (reason) {
      return { reason };
    }
  };
}

/** The request with the bytes that were read from it, in memory of its own. */
function withBody(request: Request, body: Uint8Array): Request {
  const { method } = request;
  return new Request(request, method === "GET" || method === "HEAD" ? {} : { body: body as BodyInit });
}

function isUnavailable(reason: unknown): boolean {
  return reason instanceof SignatureError && reason.code === "REPLAY_UNAVAILABLE";
}

function answer(status: number, message: string): Response {
  return new Response(JSON.stringify({ message }), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
}

function config(problem: string): StepsealError {
  return new StepsealError("CONFIG", `secureEndpoint: ${problem}.`);
}

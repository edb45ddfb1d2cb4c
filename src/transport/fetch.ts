import { StepsealError } from "../errors.ts";
import { processEnv } from "../internal/environment.ts";
import { members, namesOf } from "../internal/members.ts";
import { bearerToken } from "./inngest.ts";
import { inngestTexts } from "./keys.ts";
import { checkMode, type Mode } from "./mode.ts";
import type { InngestKeys } from "./options.ts";
import { SignatureError } from "./signature-error.ts";

/** Options of `signedFetch`: keys as for an Inngest verifier. */
export interface SignedFetchOptions extends Omit<InngestKeys, "scheme"> {
  /**
   * Name of the branch environment: all of them share one signing key. Default: what the SDK goes by, `INNGEST_ENV`
   * first, then the branch that a hosting platform names.
   */
  readonly environment?: string;
  /** `"dev"` sends no key, for a local server. Default `"cloud"`. */
  readonly mode?: Mode;
  /** Makes the requests. Default: the global `fetch`, looked up at each call. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Variables that name the environment, the most specific first (inngest, `getEnvironmentName`). */
const ENVIRONMENT_VARIABLES = [
  "INNGEST_ENV",
  "BRANCH_NAME",
  "VERCEL_GIT_COMMIT_REF",
  "BRANCH",
  "CF_PAGES_BRANCH",
  "RENDER_GIT_BRANCH",
  "RAILWAY_GIT_BRANCH",
];

const OPTIONS = namesOf<SignedFetchOptions>({
  signingKey: true,
  signingKeyFallback: true,
  env: true,
  environment: true,
  mode: true,
  fetch: true,
});

const MAX_REDIRECTS = 5;

/**
 * Makes a `fetch` for the Inngest API: with the hashed signing key as bearer token, and once more with the fallback
 * key when the answer is 401 or 403 (inngest, `fetchWithAuthFallback`).
 *
 * The token goes to whatever URL is called. Bodies are read into memory first, so that they can be sent twice.
 * Redirects are followed on the same origin alone. The keys themselves are never sent, and stand in no error.
 *
 * @returns a function with the parameters of `fetch`. It rejects as `fetch` does, with a `SignatureError` NO_KEYS where
 * no key is configured, and with a `StepsealError`: CONFIG for a key that is not in hex, REFUSED for a redirect to
 * another origin, which would get the token and the body
 * @throws {StepsealError} CONFIG for an unknown mode or option
 * @example
 * ```ts
 * import { signedFetch } from "stepseal/transport";
 *
 * const api = signedFetch({
 *   signingKey: "signkey-test-12345678",
 *   environment: "my-branch",
 *   fetch: async (_url, init) => Response.json(new Headers(init?.headers).get("x-inngest-env")),
 * });
 * const answer = await api("https://api.inngest.com/v1/events");
 * console.log(await answer.json()); // "my-branch"
 * ```
 */
export function signedFetch(options: SignedFetchOptions = {}): typeof globalThis.fetch {
  members(options, "signedFetch options", OPTIONS);
  const { mode = "cloud" } = options;
  checkMode(mode, "signedFetch");
  return async (input, init) => {
    const request = new Request(input, init);
    const call = {
      url: new URL(request.url),
      method: request.method,
      headers: request.headers,
      body: request.body === null ? undefined : await request.arrayBuffer(),
      signal: request.signal,
      redirect: request.redirect,
    };
    const environment = options.environment ?? environmentOf(options);
    if (environment !== undefined) call.headers.set("x-inngest-env", environment);
    const send: Send = ({ url, method, headers, body, signal, redirect }) =>
      (options.fetch ?? globalThis.fetch)(url.href, {
        ...init,
        method,
        headers,
        body: body ?? null,
        signal,
        // Followed here, where it is known which origin may have the token.
        redirect: redirect === "error" ? "error" : "manual",
      });
    if (mode === "dev") return follow(send, call);

    const [token, fallback] = tokens(options);
    const response = await follow(send, withToken(call, token!));
    if (fallback === undefined || (response.status !== 401 && response.status !== 403)) return response;
    await response.body?.cancel();
    return follow(send, withToken(call, fallback));
  };
}

/** A request that can be sent more than once. */
interface Call {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: ArrayBuffer | undefined;
  readonly signal: AbortSignal;
  readonly redirect: RequestRedirect;
}

type Send = (call: Call) => Promise<Response>;

function withToken(call: Call, token: string): Call {
  const headers = new Headers(call.headers);
  headers.set("authorization", `Bearer ${token}`);
  return { ...call, headers };
}

async function follow(send: Send, first: Call): Promise<Response> {
  let call = first;
  for (let hops = 0; ; hops++) {
    const { url, redirect } = call;
    const response = await send(call);
    const location = response.headers.get("location");
    if (redirect !== "follow" || location === null || !isRedirect(response.status)) return response;
    const next = new URL(location, url);
    if (next.origin !== url.origin) {
      throw new StepsealError(
        "REFUSED",
        `signedFetch: ${url.origin} redirects to another origin, ${next.origin}.`,
      );
    }
    if (hops === MAX_REDIRECTS) {
      throw new StepsealError(
        "REFUSED",
        `signedFetch: ${url.origin} redirects more than ${MAX_REDIRECTS} times.`,
      );
    }
    await response.body?.cancel();
    call = redirected(call, next, response.status);
  }
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/** The next request, as `fetch` makes it: 303 always, and 301 and 302 of a POST, become a GET without a body. */
function redirected(call: Call, url: URL, status: number): Call {
  const becomesGet = (status === 303 && call.method !== "HEAD") || (status < 303 && call.method === "POST");
  if (!becomesGet) return { ...call, url };
  const headers = new Headers(call.headers);
  for (const name of [...headers.keys()]) if (name.startsWith("content-")) headers.delete(name);
  return { ...call, url, headers, method: "GET", body: undefined };
}

function tokens(options: SignedFetchOptions): readonly string[] {
  const texts = inngestTexts(options);
  if (texts.length === 0) {
    throw new SignatureError("NO_KEYS", "No signing key is configured: nothing was sent.");
  }
  return texts.map(({ text, where }) => bearerToken(text, where));
}

function environmentOf({ env = processEnv() }: SignedFetchOptions): string | undefined {
  return ENVIRONMENT_VARIABLES.map((name) => env[name]).find(Boolean);
}

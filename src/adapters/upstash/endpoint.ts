import type { WorkflowContext, WorkflowServeOptions } from "@upstash/workflow";
import { StepsealError } from "../../errors.ts";
import { toHex } from "../../internal/bytes.ts";
import { tell } from "../../internal/tell.ts";
import { parseUrl } from "../../internal/url.ts";
import { secureEndpoint } from "../../transport/endpoint.ts";
import { QSTASH_HEADER } from "../../transport/message.ts";
import { createVerifier } from "../../transport/verifier.ts";
import { refuse, sealAnswer, sealThrown } from "./answer.ts";
import { sealingClient } from "./door.ts";
import { type RequestKeys, requestKeys } from "./keys.ts";
import { CALL_HEADER } from "./message.ts";
import { openRequest } from "./opening.ts";
import type { UpstashSettings } from "./options.ts";
import { originOf, type RunState, runState } from "./place.ts";
import { watch } from "./watch.ts";
import { withhold } from "./withheld.ts";

/** What a `serve` of the SDK has to be given for one request. */
export interface Secured {
  /** Spread into its options, after all others. */
  readonly options: Required<Pick<WorkflowServeOptions, "qstashClient" | "receiver" | "url" | "baseUrl">>;
  /** The route function to give it. What the framework's `serve` calls it with beside the context passes through. */
  route<Payload, Result, More extends unknown[]>(
    routeFunction: (context: WorkflowContext<Payload>, ...more: More) => Promise<Result>,
  ): (context: WorkflowContext<Payload>, ...more: More) => Promise<Result>;
}

/** Answers an authentic request, whose body is opened, with a handler of the SDK. */
export type SecuredHandler = (request: Request, secured: Secured) => Response | Promise<Response>;

/**
 * An endpoint of the platform: nothing of the handler runs before a request was verified for this URL, opened and
 * found in its place; nothing it answers leaves unsealed.
 *
 * @param url of the endpoint, where it is not the public URL with the path of the request
 */
export function createEndpoint(
  settings: UpstashSettings,
  handler: SecuredHandler,
  url?: string,
): (request: Request) => Promise<Response> {
  const { signatures, maxBodyBytes, onRefused } = settings;
  if (url !== undefined && parseUrl(url) === undefined) {
    throw new StepsealError(
      "CONFIG",
      'secureWorkflow: option "url" must be the URL of the endpoint as the platform reaches it: https://app.example.com/path',
    );
  }
  return async (request) => {
    const address = url ?? addressOf(request, settings);
    try {
      const verifier = createVerifier({ ...signatures, url: address });
      const endpoint = secureEndpoint((verified) => answer(verified, address, settings, handler), {
        verifier,
        maxBodyBytes,
        ...(onRefused !== undefined && { onRefused }),
      });
      return await endpoint(request);
    } catch (error) {
      // A signing key of the environment that is none.
      if (!(error instanceof StepsealError)) throw error;
      tell(onRefused, error);
      return refuse(error, undefined, runState(address, undefined));
    }
  };
}

function addressOf({ url }: Request, { publicUrl }: UpstashSettings): string {
  const { pathname, search } = new URL(url);
  return publicUrl + pathname + search;
}

async function answer(
  request: Request,
  address: string,
  settings: UpstashSettings,
  handler: SecuredHandler,
): Promise<Response> {
  const state = runState(address, request.headers.get("upstash-workflow-runid") || undefined);
  let keys: RequestKeys | undefined;
  try {
    const held = await requestKeys(settings);
    keys = held;
    const body = await request.text();
    const opened = await held.open((sealer) => openRequest(sealer, request.headers, body, state, settings));
    const response = await handle(request, opened, held, state, settings, handler);
    if (state.refusal !== undefined) throw state.refusal;
    return await sealAnswer(response, held.sealer, state);
  } catch (thrown) {
    const error = state.refusal ?? thrown;
    if (!(error instanceof StepsealError)) return sealThrown(error, keys?.sealer, state);
    tell(settings.onRefused, error);
    return refuse(error, keys?.sealer, state);
  }
}

async function handle(
  request: Request,
  body: string,
  keys: RequestKeys,
  state: RunState,
  settings: UpstashSettings,
  handler: SecuredHandler,
): Promise<Response> {
  const { method } = request;
  const headers = new Headers(request.headers);
  for (const name of ["content-length", "content-encoding", CALL_HEADER]) headers.delete(name);
  // The SDK checks requests itself. This one it may believe, and no other.
  const signature = toHex(crypto.getRandomValues(new Uint8Array(32)));
  headers.set(QSTASH_HEADER, signature);
  const withheld = withhold(state.url, {
    method,
    headers,
    ...(method !== "GET" && method !== "HEAD" && { body }),
  });
  const client = sealingClient(
    settings.clients(request.headers.get("upstash-region")),
    () => keys,
    settings,
    state,
  );
  const options: Secured["options"] = {
    get qstashClient() {
      withheld.release();
      return client;
    },
    receiver: { verify: async (given) => given.signature === signature && given.body === body },
    url: state.url,
    // Otherwise the environment's is put before the path.
    baseUrl: originOf(state.url),
  };
  const response = await handler(withheld.request, {
    options,
    route: (routeFunction) => watch(routeFunction, state, settings, client),
  });
  if (withheld.isReleased) return response;
  throw new StepsealError(
    "CONFIG",
    "secureWorkflow: the SDK was not given `secured.options`, so what it would send is not sealed. In `wrap`, spread them into the options of its serve, before the request is read.",
  );
}

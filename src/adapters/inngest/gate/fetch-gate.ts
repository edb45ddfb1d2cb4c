import { StepsealError } from "../../../errors.ts";
import { createRunRegistry, type RunRegistry } from "./context.ts";
import type { ResolvedOptions } from "./options.ts";
import { type RequestScope, sealRequest } from "./requests.ts";

type Fetch = typeof globalThis.fetch;

const registries = new WeakMap<object, RunRegistry>();

/** The runs that a client is executing, for the client whose `fetch` is gated. */
export function runsOf(client: object): RunRegistry {
  const runs = registries.get(client);
  if (runs === undefined)
    throw new StepsealError("CONFIG", "encryptionMiddleware is not registered on this client");
  return runs;
}

/**
 * The gate of a client, to be put in front of every function by which it calls the platform's API.
 *
 * @returns wraps such a function; the same one for the same function, so that `client.fetch` stays one function
 */
export function createFetchGate(
  client: { readonly id: string },
  options: ResolvedOptions,
): (inner: Fetch) => Fetch {
  const runs = createRunRegistry();
  registries.set(client, runs);
  const gated = new WeakMap<Fetch, Fetch>();
  const underWay = new Set<BodyInit>();
  return (inner) => {
    let gate = gated.get(inner);
    if (gate === undefined) {
      gate = createGate(inner, { options, runs, clientId: client.id }, underWay);
      gated.set(inner, gate);
      gated.set(gate, gate);
    }
    return gate;
  };
}

/** @param underWay what gates of this client have sealed: what wraps one of them may itself stand behind another */
function createGate(inner: Fetch, scope: Omit<RequestScope, "sealer">, underWay: Set<BodyInit>): Fetch {
  const { options } = scope;
  return async (input, init) => {
    if (!options.seals) return inner(input, init);
    const sealer = await options.sealer();
    const isRequest = input instanceof Request;
    const request = isRequest ? new Request(input.clone(), init) : undefined;
    const method = request?.method ?? (init?.method ?? "GET").toUpperCase();
    const url = new URL(request?.url ?? (input as string | URL));
    const given =
      request === undefined ? init?.body : request.body === null ? undefined : await request.text();

    const send = (body: BodyInit | null | undefined): Promise<Response> => {
      const changed = { ...init, ...(body !== undefined && { body }) };
      return isRequest ? inner(new Request(input, changed)) : inner(input, changed);
    };
    if (underWay.has(given as BodyInit)) return send(given);
    const body = (await sealRequest(method, url, given, { ...scope, sealer })) as BodyInit | undefined;
    if (body === undefined || body === given) return send(body);
    underWay.add(body);
    try {
      return await send(body);
    } finally {
      underWay.delete(body);
    }
  };
}

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
  return (inner) => {
    let gate = gated.get(inner);
    if (gate === undefined) {
      gate = createGate(inner, { options, runs, clientId: client.id });
      gated.set(inner, gate);
    }
    return gate;
  };
}

function createGate(inner: Fetch, scope: Omit<RequestScope, "sealer">): Fetch {
  const { options } = scope;
  return async (input, init) => {
    if (!options.seals) return inner(input, init);
    const sealer = await options.sealer();
    if (input instanceof Request) {
      const request = new Request(input.clone(), init);
      const text = request.body === null ? undefined : await request.text();
      const url = new URL(request.url);
      const body = (await sealRequest(request.method, url, text, { ...scope, sealer })) as BodyInit;
      return inner(new Request(input, { ...init, ...(body !== undefined && { body }) }));
    }
    const method = (init?.method ?? "GET").toUpperCase();
    const body = (await sealRequest(method, new URL(input), init?.body, { ...scope, sealer })) as BodyInit;
    return inner(input, { ...init, ...(body !== undefined && { body }) });
  };
}

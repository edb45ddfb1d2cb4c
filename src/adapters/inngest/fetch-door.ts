import { StepsealError } from "../../errors.ts";
import { createRunRegistry, type RunRegistry } from "./gate/context.ts";
import type { ResolvedOptions } from "./gate/options.ts";
import { type RequestScope, sealRequest } from "./gate/requests.ts";

type Fetch = typeof globalThis.fetch;

/** Gated functions by the function they wrap, so that `client.fetch` stays one function. */
interface Door {
  readonly runs: RunRegistry;
}

const doors = new WeakMap<object, Door>();

/** The runs that a client is executing, for the client whose `fetch` is gated. */
export function runsOf(client: object): RunRegistry {
  const door = doors.get(client);
  if (door === undefined)
    throw new StepsealError("CONFIG", "encryptionMiddleware is not registered on this client");
  return door.runs;
}

/**
 * Puts the gate in front of a client's `fetch`, through which all its calls to the platform's API go.
 *
 * The property stands on the client itself and asks the class's own getter each time, so a user's `fetch` option,
 * a global `fetch` patched later and environment variables set later all work as before.
 *
 * @throws {StepsealError} `CONFIG` where this version of the SDK has no such getter
 */
export function gateFetch(client: { readonly id: string }, options: ResolvedOptions): void {
  const getter = inheritedGetter(client, "fetch");
  if (getter === undefined) {
    throw new StepsealError(
      "CONFIG",
      "encryptionMiddleware cannot gate this client: its class has no `fetch` getter; stepseal supports inngest 4",
    );
  }
  const runs = createRunRegistry();
  const gated = new WeakMap<Fetch, Fetch>();
  doors.set(client, { runs });
  Object.defineProperty(client, "fetch", {
    configurable: true,
    get(): Fetch {
      const inner = getter.call(client) as Fetch;
      let gate = gated.get(inner);
      if (gate === undefined) {
        gate = createGate(inner, { options, runs, clientId: client.id });
        gated.set(inner, gate);
      }
      return gate;
    },
  });
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

function inheritedGetter(object: object, property: string): (() => unknown) | undefined {
  for (let proto = Object.getPrototypeOf(object); proto !== null; proto = Object.getPrototypeOf(proto)) {
    const descriptor = Object.getOwnPropertyDescriptor(proto, property);
    if (descriptor !== undefined) return descriptor.get;
  }
  return undefined;
}

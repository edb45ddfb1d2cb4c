import { StepsealError } from "../../errors.ts";
import { createFetchGate } from "./gate/fetch-gate.ts";
import type { ResolvedOptions } from "./gate/options.ts";

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
  const gate = createFetchGate(client, options);
  Object.defineProperty(client, "fetch", {
    configurable: true,
    get: () => gate(getter.call(client) as typeof globalThis.fetch),
  });
}

function inheritedGetter(object: object, property: string): (() => unknown) | undefined {
  for (let proto = Object.getPrototypeOf(object); proto !== null; proto = Object.getPrototypeOf(proto)) {
    const descriptor = Object.getOwnPropertyDescriptor(proto, property);
    if (descriptor !== undefined) return descriptor.get;
  }
  return undefined;
}

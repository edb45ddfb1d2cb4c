import { isObject } from "./gate/event.ts";

/** Where the SDK keeps what belongs to the request that is executing; a registered symbol, one for all its copies. */
const CONTEXT = Symbol.for("inngest:als");

/**
 * Makes `stream.push` and `stream.pipe` of the run that is executing refuse. They reach the platform past the step
 * tools, and a refusal in `fetch` would be lost: the SDK does not wait for that call.
 */
export function refuseStreams(refusal: () => unknown): void {
  const context = (globalThis as { readonly [CONTEXT]?: { readonly resolved?: { getStore(): unknown } } })[
    CONTEXT
  ];
  const store = context?.resolved?.getStore();
  const execution = isObject(store) ? store.execution : undefined;
  const stream = isObject(execution) ? execution.stream : undefined;
  if (!isObject(stream)) return;
  stream.push = () => {
    throw refusal();
  };
  stream.pipe = () => Promise.reject(refusal());
}

import { Inngest } from "inngest";
import { INVOKED_EVENT, own } from "../inngest/gate/event.ts";
import { type EncryptionMiddlewareOptions, resolveOptions } from "../inngest/gate/options.ts";
import { markAsOurs, wrongSdk } from "../inngest/gate/ours.ts";
import { checkEvent } from "../inngest/gate/sent-events.ts";
import { installLate, registerOptions, type SdkClient, watchClients } from "./client.ts";
import { checkWatched } from "./execution.ts";
import type { SdkFunction } from "./sdk.ts";

/** A middleware of SDK v3, as its types ask for one. */
export interface EncryptionMiddleware {
  readonly name: string;
  readonly [Symbol.toStringTag]: "Inngest.Middleware";
  /** Called by the SDK, for the client and for each function. */
  init(context: { readonly client: unknown; readonly fn?: unknown }): {
    /** Called by the SDK before it sends events. */
    onSendEvent(): {
      /** Refuses events that may not leave. */
      transformInput(given: { readonly payloads: readonly unknown[] }): undefined;
    };
    /** Called by the SDK before it runs a function: refuses one that is not gated. */
    onFunctionRun(run: { readonly ctx: object; readonly fn: object }): object;
  };
}

/**
 * End-to-end encryption for an Inngest client, SDK v3: the platform stores ciphertext, functions see plaintext.
 *
 * It belongs on the client; where in its list of middleware does not matter. Keys come from `STEPSEAL_KEY` and
 * `STEPSEAL_KEY_FALLBACK` unless an option gives them.
 *
 * @throws {StepsealError} `CONFIG` where a key or an option is missing or wrong; and, when the client or a
 * function is created, where the middleware is listed on a function or twice
 *
 * @example
 * ```ts
 * import { Inngest } from "inngest";
 * import { encryptionMiddleware } from "stepseal/inngest-v3";
 *
 * export const inngest = new Inngest({ id: "my-app", middleware: [encryptionMiddleware()] });
 * ```
 */
export function encryptionMiddleware(options?: EncryptionMiddlewareOptions): EncryptionMiddleware {
  const resolved = resolveOptions(options);
  const hooks = {
    onSendEvent: () => ({
      /** Refuses an event before it is sent: a throw in the client's `fetch` would be retried five times. */
      transformInput: ({ payloads }: { readonly payloads: readonly unknown[] }): undefined => {
        // An invocation's payload comes by, too: of it leaves in an op what the SDK knows, and is sealed there.
        const events = payloads.filter((event) => own(event, "name") !== INVOKED_EVENT);
        if (resolved.seals) for (const event of events) checkEvent(event, resolved);
      },
    }),
    onFunctionRun: (run: { readonly ctx: object; readonly fn: object }): object => {
      checkWatched(run);
      return {};
    },
  };
  // A function, which SDK v4 takes for a class, so that it can say what is wrong.
  const middleware = Object.assign(function stepseal() {}, {
    [Symbol.toStringTag]: "Inngest.Middleware" as const,
    init: ({ client, fn }: { readonly client: unknown; readonly fn?: unknown }): typeof hooks => {
      installLate(client as SdkClient, fn as SdkFunction | undefined, middleware);
      return hooks;
    },
    onRegister: (): never => {
      throw wrongSdk("stepseal/inngest-v3", "v4", "stepseal/inngest");
    },
  });
  markAsOurs(middleware);
  registerOptions(middleware, resolved);
  watchClients(Inngest.prototype as unknown as SdkClient);
  return middleware;
}

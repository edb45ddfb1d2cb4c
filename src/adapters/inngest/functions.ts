import type { Inngest, Middleware } from "inngest";
import {
  type ExecutionOptions,
  markAsSealed,
  type SdkFunction as Watched,
  watchFunctions,
} from "./gate/function-class.ts";
import type { ResolvedOptions } from "./gate/options.ts";
import { checkOthers } from "./install.ts";

/** What is used here of the SDK's class of functions; private to TypeScript. */
interface SdkFunction extends Watched<ExecutionOptions, unknown> {
  readonly client: Inngest.Any;
  readonly opts: { readonly middleware?: readonly Middleware.Class[] };
}

/** Watches over the functions of a client. Its middleware does the rest: the SDK runs that of the client that serves. */
export function guardFunctions(client: Inngest.Any, options: ResolvedOptions): void {
  markAsSealed(client, options);
  // Made to learn its class; the client does not list it.
  // biome-ignore lint/complexity/useLiteralKeys: private to TypeScript
  const sample = client["_createFunction"]({ id: "stepseal", triggers: [] }, async () => {});
  watchFunctions(Object.getPrototypeOf(sample) as SdkFunction, {
    configured: (fn, { id }, own) => {
      checkOthers(fn.opts.middleware ?? [], fn.client, own, `function "${id}"`);
    },
    execute: (_fn, given, create) => create(given),
  });
}

import type { Inngest, Middleware } from "inngest";
import { StepsealError } from "../../errors.ts";
import { checkFunctionConfig, type FunctionConfig } from "./gate/expressions.ts";
import type { ResolvedOptions } from "./gate/options.ts";
import { checkOthers } from "./install.ts";

/** What is used here of the SDK's class of functions; private to TypeScript. */
interface SdkFunction {
  readonly client: Inngest.Any;
  readonly opts: { readonly middleware?: readonly Middleware.Class[] };
  getConfig(...args: unknown[]): FunctionConfig[];
  createExecution(options: { readonly partialOptions: { readonly client: object } }): unknown;
}

const sealedClients = new WeakMap<object, ResolvedOptions>();
const guardedClasses = new WeakSet<object>();

/**
 * Watches over the functions of a client: what they are registered with, and who serves them.
 *
 * Neither has a hook, and deferred functions are made without asking the client, so the methods stand on the SDK's
 * class, once. Functions of clients without stepseal pass through them untouched.
 */
export function guardFunctions(client: Inngest.Any, options: ResolvedOptions): void {
  sealedClients.set(client, options);
  // Made to learn its class; the client does not list it.
  // biome-ignore lint/complexity/useLiteralKeys: private to TypeScript
  const sample = client["_createFunction"]({ id: "stepseal", triggers: [] }, async () => {});
  const SdkClass = Object.getPrototypeOf(sample) as SdkFunction;
  if (guardedClasses.has(SdkClass)) return;
  guardedClasses.add(SdkClass);
  const { getConfig, createExecution } = SdkClass;

  /** Asked by `serve` and `connect` as they start, and at each registration. */
  SdkClass.getConfig = function (...args) {
    const configs = getConfig.apply(this, args);
    const own = sealedClients.get(this.client);
    const [config] = configs;
    if (own?.seals && config !== undefined) {
      checkFunctionConfig(config, own.eventFields);
      checkOthers(this.opts.middleware ?? [], this.client, own, `function "${config.id}"`);
    }
    return configs;
  };

  /** Asked for each request; the middleware that then runs is that of the client that serves. */
  SdkClass.createExecution = function (given) {
    if (sealedClients.has(this.client) && !sealedClients.has(given.partialOptions.client)) {
      throw new StepsealError(
        "CONFIG",
        "this function belongs to a client with encryptionMiddleware and is served by one without: what it returns would leave unsealed. Serve it with its own client: serve({ client, functions })",
      );
    }
    return createExecution.call(this, given);
  };
}

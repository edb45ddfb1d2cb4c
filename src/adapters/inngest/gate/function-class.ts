import { StepsealError } from "../../../errors.ts";
import { checkFunctionConfig, type FunctionConfig } from "./expressions.ts";
import type { ResolvedOptions } from "./options.ts";

/** What the SDK executes a function with: its own affair, but for the client that serves. */
export interface ExecutionOptions {
  readonly partialOptions: { readonly client?: object };
}

/** What is used here of the SDK's class of functions; private to TypeScript. */
export interface SdkFunction<Given extends ExecutionOptions, Execution> {
  readonly client: object;
  getConfig(...args: unknown[]): FunctionConfig[];
  createExecution(options: Given): Execution;
}

/** What an adapter does where the SDK asks a function for something. */
export interface FunctionWatch<Fn, Given, Execution> {
  /** Asked by `serve` and `connect` as they start, and at each registration, of functions of clients with stepseal. */
  readonly configured: (fn: Fn, config: FunctionConfig, options: ResolvedOptions) => void;
  /** Asked for each request that a client with stepseal serves. */
  readonly execute: (fn: Fn, given: Given, create: (given: Given) => Execution, served: Served) => Execution;
}

/** The client that serves, and its options. */
export interface Served {
  readonly client: object;
  readonly options: ResolvedOptions;
}

const sealedClients = new WeakMap<object, ResolvedOptions>();
const watchedClasses = new WeakSet<object>();

/** Remembers a client as one with stepseal. */
export function markAsSealed(client: object, options: ResolvedOptions): void {
  sealedClients.set(client, options);
}

export function isSealedClient(client: object): boolean {
  return sealedClients.has(client);
}

/**
 * Watches over the functions of an SDK: what they are registered with, and who serves them.
 *
 * Neither has a hook, and some functions are made without asking the client, so the methods stand on the SDK's
 * class, once. Functions of clients without stepseal pass through them untouched.
 */
export function watchFunctions<
  Given extends ExecutionOptions,
  Execution,
  Fn extends SdkFunction<Given, Execution>,
>(SdkClass: Fn, watch: FunctionWatch<Fn, Given, Execution>): void {
  if (watchedClasses.has(SdkClass)) return;
  watchedClasses.add(SdkClass);
  const { getConfig, createExecution } = SdkClass;

  SdkClass.getConfig = function (this: Fn, ...args) {
    const configs = getConfig.apply(this, args);
    const options = sealedClients.get(this.client);
    const [config] = configs;
    if (options !== undefined && config !== undefined) {
      if (options.seals) checkFunctionConfig(config, options.eventFields);
      watch.configured(this, config, options);
    }
    return configs;
  };

  SdkClass.createExecution = function (this: Fn, given) {
    const client = given.partialOptions.client ?? this.client;
    const options = sealedClients.get(client);
    if (options !== undefined) {
      return watch.execute(this, given, (changed) => createExecution.call(this, changed), {
        client,
        options,
      });
    }
    if (sealedClients.has(this.client)) {
      throw new StepsealError(
        "CONFIG",
        "this function belongs to a client with encryptionMiddleware and is served by one without: what it returns would leave unsealed. Serve it with its own client: serve({ client, functions })",
      );
    }
    return createExecution.call(this, given);
  };
}

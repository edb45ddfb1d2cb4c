import { StepsealError } from "../../errors.ts";
import { createFetchGate } from "../inngest/gate/fetch-gate.ts";
import { isSealedClient, markAsSealed, watchFunctions } from "../inngest/gate/function-class.ts";
import type { ResolvedOptions } from "../inngest/gate/options.ts";
import { checkPlace, isOurs } from "../inngest/gate/ours.ts";
import { refusedPath } from "../inngest/gate/refusals.ts";
import { execute, noteId } from "./execution.ts";
import type { Execution, Given, SdkFunction } from "./sdk.ts";

type Fetch = typeof globalThis.fetch;

/** What is used here of the SDK's client; most of it private to TypeScript. */
export interface SdkClient {
  readonly id: string;
  readonly options: { readonly middleware?: readonly Listed[] };
  fetch: Fetch;
  readonly inngestApi: { fetch: Fetch };
  readonly logger: { warn(message: string): void; error(message: string): void };
  createFunction: MakeFunction;
  /** As `createFunction`, but the client does not list the function; before 3.43 it lists none. */
  _createFunction?: MakeFunction;
  initializeMiddleware(
    listed: readonly Listed[] | undefined,
    options?: { readonly registerInput?: { readonly fn?: SdkFunction } },
  ): unknown;
}

type MakeFunction = (options: object, trigger: object, handler: () => void) => SdkFunction;

/** A middleware as it is listed. */
interface Listed {
  readonly name?: unknown;
}

/** The SDK's own middleware that lets spans leave past the gate. */
const TRACES = "Inngest: Extended Traces";

/** The options of each middleware of ours. */
const optionsOf = new WeakMap<object, ResolvedOptions>();
const watchedClasses = new WeakSet<object>();

/** Remembers what a middleware was made with. */
export function registerOptions(middleware: object, options: ResolvedOptions): void {
  optionsOf.set(middleware, options);
}

/**
 * Watches the SDK's class of clients, so that each one with stepseal is gated while it is being made. The SDK
 * calls `init` of a middleware some microtasks later, and a client that is used at once would have sent by then.
 *
 * @param SdkClass prototype of the class
 */
export function watchClients(SdkClass: SdkClient): void {
  if (watchedClasses.has(SdkClass) || typeof SdkClass.initializeMiddleware !== "function") return;
  watchedClasses.add(SdkClass);
  const { initializeMiddleware } = SdkClass;
  SdkClass.initializeMiddleware = function (this: SdkClient, listed = [], options) {
    const fn = options?.registerInput?.fn;
    if (fn === undefined) installAll(this, listed);
    else checkPlace(listed, fn.id());
    return initializeMiddleware.call(this, listed, options);
  };
}

/**
 * What `init` of a middleware does: nothing where the client was gated when it was made. A copy of the SDK that stepseal
 * does not import, CommonJS for one, is met here first.
 *
 * @throws {StepsealError} `CONFIG`, `REFUSED`
 */
export function installLate(client: SdkClient, fn: SdkFunction | undefined, self: object): void {
  if (fn !== undefined) checkPlace([self], fn.id());
  if (isSealedClient(client)) return;
  watchClients(Object.getPrototypeOf(client) as SdkClient);
  const { middleware = [] } = client.options;
  // Listed, or called by a middleware that is.
  installAll(client, middleware.some(isOurs) ? middleware : [...middleware, self as Listed]);
}

function installAll(client: SdkClient, listed: readonly Listed[]): void {
  checkPlace(listed, undefined);
  const options = listed.map((each) => optionsOf.get(each)).find((found) => found !== undefined);
  if (options === undefined) return;
  checkTraces(listed, `middleware of client "${client.id}"`, options);
  gate(client, options);
}

/** Puts the gate in front of all by which a client calls the platform, and around the functions that it serves. */
function gate(client: SdkClient, options: ResolvedOptions): void {
  const { inngestApi } = client;
  if (typeof client.fetch !== "function" || typeof inngestApi?.fetch !== "function") {
    throw new StepsealError(
      "CONFIG",
      "encryptionMiddleware cannot gate this client: it has no `fetch` of its own; stepseal/inngest-v3 supports inngest 3 from 3.35.1 on",
    );
  }
  const gated = createFetchGate(client, options);
  gateFetch(client, gated);
  gateFetch(inngestApi, gated);
  markAsSealed(client, options);
  // Made to learn its class.
  const make = client._createFunction ?? client.createFunction;
  const sample = make.call(client, { id: "stepseal" }, { event: "stepseal" }, () => {});
  watchFunctions(Object.getPrototypeOf(sample) as SdkFunction, {
    configured: (fn, { id }, options) => {
      noteId(fn, id);
      checkTracesOf(fn, id, options);
    },
    execute: (fn: SdkFunction, given: Given, create: (opened: Given) => Execution, served) => {
      // Its configuration may have been asked for before its class was watched.
      checkTracesOf(fn, fn.id(), served.options);
      return execute(fn, given, create, served);
    },
  });
}

/** Gates the `fetch` of an object, and whatever is put in its place later: by other middleware, or to watch it. */
function gateFetch(holder: { fetch: Fetch }, gated: (inner: Fetch) => Fetch): void {
  let { fetch } = holder;
  Object.defineProperty(holder, "fetch", {
    get: () => gated(fetch),
    set: (later: Fetch) => {
      fetch = later;
    },
  });
}

function checkTracesOf(fn: SdkFunction, id: string, options: ResolvedOptions): void {
  checkTraces(fn.opts.middleware ?? [], `middleware of function "${id}"`, options);
}

function checkTraces(listed: readonly Listed[], at: string, { allows }: ResolvedOptions): void {
  if (listed.some(({ name }) => name === TRACES) && !allows("traces")) throw refusedPath("traces", at);
}

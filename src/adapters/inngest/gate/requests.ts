import { StepsealError } from "../../../errors.ts";
import type { ValueSealer } from "../../../value-sealer.ts";
import { endpointContext, type RunContext, type RunRegistry } from "./context.ts";
import { isObject } from "./event.ts";
import { sealMetadata } from "./metadata.ts";
import { sealOp } from "./ops.ts";
import type { PlaintextPath, ResolvedOptions } from "./options.ts";
import { realtimeName } from "./realtime.ts";
import { checkMembers, refusedPath, unknownPath } from "./refusals.ts";
import { sealSentEvents } from "./sent-events.ts";

/** What sealing a request to the platform's API needs to know. */
export interface RequestScope {
  readonly sealer: ValueSealer;
  readonly options: ResolvedOptions;
  readonly runs: RunRegistry;
  readonly clientId: string;
}

/** How one endpoint of the platform's API is called: what of the body leaves, sealed or not. */
export interface Endpoint {
  /** Default: any. */
  readonly method?: "GET" | "POST";
  readonly path: RegExp;
  /** Rewrites the parsed body; without it the body holds configuration, names and ids only, and leaves as it is. */
  readonly seal?: (body: unknown, scope: RequestScope, url: URL) => unknown;
  /** The body may be a text that is no JSON, and counts as itself then. */
  readonly text?: true;
  /** Paths of which one has to be allowed, since what leaves here cannot be sealed. */
  readonly unless?: readonly PlaintextPath[];
}

/**
 * Every endpoint that the SDK calls through the client's `fetch`. A call to any other is refused. Paths are those
 * of inngest 4 and 3; docs/engines/inngest.md and docs/engines/inngest-v3.md list the same.
 */
export const ENDPOINTS: readonly Endpoint[] = [
  { method: "POST", path: /\/e\/[^/]+$/, seal: sealSentEvents },
  { method: "POST", path: /\/v1\/checkpoint\/[^/]+\/async$/, seal: sealCheckpoint },
  {
    method: "POST",
    path: /\/v1\/checkpoint(\/[^/]+\/steps)?$/,
    seal: sealEndpointRun,
    unless: ["durable-endpoint"],
  },
  { method: "GET", path: /\/v1\/http\/runs\/[^/]+\/output$/, unless: ["durable-endpoint"] },
  { method: "GET", path: /\/v0\/runs\/[^/]+\/(actions|batch)$/ },
  { method: "POST", path: /\/fn\/register$/ },
  // Where neither a mode nor a URL is set, v3 asks whether a dev server is there.
  { method: "GET", path: /\/dev$/ },
  { method: "POST", path: /\/v1\/signals$/, seal: sealSignal },
  { method: "POST", path: /\/v1\/realtime\/publish$/, seal: sealRealtime, text: true },
  // The end of a durable endpoint's run is told here, too.
  { method: "POST", path: /\/v1\/realtime\/publish\/tee$/, unless: ["stream", "durable-endpoint"] },
  { method: "POST", path: /\/v1\/realtime\/token$/ },
  { method: "POST", path: /\/v1\/runs\/[^/]+\/metadata$/, seal: sealRunMetadata },
  { path: /\/v2\/(sandboxes|snapshots)(\/.*)?$/, unless: ["sandbox"] },
];

/**
 * Seals the body of a request that the SDK makes to the platform's API.
 *
 * @param body the body as it was given to `fetch`
 * @returns the body to send
 * @throws {StepsealError} `REFUSED` for an endpoint or a body that this version does not know
 */
export async function sealRequest(
  method: string,
  url: URL,
  body: unknown,
  scope: RequestScope,
): Promise<unknown> {
  const at = requestName(method, url);
  const endpoint = ENDPOINTS.find(
    (e) => (e.method === undefined || e.method === method) && e.path.test(url.pathname),
  );
  if (endpoint === undefined) throw unknownPath(at);
  const { unless, seal, text } = endpoint;
  const [path] = unless ?? [];
  if (path !== undefined && !unless?.some(scope.options.allows)) throw refusedPath(path, at);
  if (body === undefined || body === null || (path !== undefined && seal === undefined)) return body;
  if (typeof body !== "string") throw unknownPath(`${at}: a body that is not text`);
  if (seal === undefined) return body;
  const sealed = seal(text ? jsonOrText(body) : JSON.parse(body), scope, url);
  await scope.sealer.settled?.();
  return JSON.stringify(sealed);
}

function jsonOrText(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** A request as messages name it: without the query, and without the event key, which is part of the event API's path. */
function requestName(method: string, { pathname }: URL): string {
  return `request ${method} ${pathname.replace(/\/e\/[^/]+/g, "/e/…")}`;
}

const CHECKPOINT_KEYS = new Set([
  "run_id",
  "fn_id",
  "qi_id",
  "request_id",
  "generation_id",
  "request_started_at",
  "steps",
  "ts",
]);

function sealCheckpoint(body: unknown, scope: RequestScope): unknown {
  const { run_id: run } = knownMembers(body, CHECKPOINT_KEYS, "a checkpoint");
  const context = typeof run === "string" ? scope.runs.get(run) : undefined;
  if (context === undefined) {
    throw new StepsealError(
      "REFUSED",
      `a checkpoint for run ${JSON.stringify(run)}, which is not executing here`,
    );
  }
  return sealSteps(body, { ...scope, context });
}

const ENDPOINT_RUN_KEYS = new Set([
  "run_id",
  "fn_id",
  "app_id",
  "event",
  "steps",
  "ts",
  "request_version",
  "retries",
]);

/** A durable endpoint reports its run before any hook has seen it; its event is the request, which is not sealed. */
function sealEndpointRun(body: unknown, scope: RequestScope): unknown {
  const { run_id: run } = knownMembers(body, ENDPOINT_RUN_KEYS, "a checkpoint of a durable endpoint");
  if (typeof run !== "string") throw new StepsealError("REFUSED", "a checkpoint without a run");
  return sealSteps(body, { ...scope, context: endpointContext(scope.clientId, run) });
}

function sealSteps(body: unknown, scope: RequestScope & { readonly context: RunContext }): unknown {
  const { steps } = body as { readonly steps?: unknown };
  if (!Array.isArray(steps)) throw new StepsealError("REFUSED", "a checkpoint without a list of steps");
  return { ...(body as object), steps: steps.map((op: unknown) => sealOp(op, scope)) };
}

function sealSignal(body: unknown, { options, sealer }: RequestScope): unknown {
  const { signal, data } = knownMembers(body, new Set(["signal", "data"]), "a signal");
  if (typeof signal !== "string") throw new StepsealError("REFUSED", "a signal without a name");
  if (options.allows("signal")) return body;
  // The platform hands the waiter null where a signal has no data.
  return { signal, data: sealer.seal(data ?? null, { kind: "signal", name: signal }) };
}

function sealRealtime(body: unknown, { options, sealer }: RequestScope, url: URL): unknown {
  if (options.allows("realtime")) return body;
  const name = realtimeName(url.searchParams.get("channel") ?? "", url.searchParams.getAll("topic"));
  return sealer.seal(body, { kind: "realtime", name });
}

function sealRunMetadata(body: unknown, scope: RequestScope): unknown {
  const { metadata } = knownMembers(body, new Set(["target", "metadata"]), "a metadata update");
  return { ...(body as object), metadata: sealMetadata(metadata, scope) };
}

function knownMembers(body: unknown, known: ReadonlySet<string>, what: string): Record<string, unknown> {
  if (!isObject(body)) throw new StepsealError("REFUSED", `${what} that is not an object`);
  checkMembers(body, known, what);
  return body;
}

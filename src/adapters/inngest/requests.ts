import { StepsealError } from "../../errors.ts";
import type { Sealer } from "../../sealer.ts";
import type { RunContext, RunRegistry } from "./context.ts";
import { isObject } from "./event.ts";
import { sealFields } from "./events.ts";
import { sealMetadata } from "./metadata.ts";
import { sealOp } from "./ops.ts";
import type { ResolvedOptions } from "./options.ts";
import { realtimeName } from "./realtime.ts";
import { refusedPath, unsealable } from "./refusals.ts";

/** What sealing a request to the platform's API needs to know. */
export interface RequestScope {
  readonly sealer: Sealer;
  readonly options: ResolvedOptions;
  readonly runs: RunRegistry;
}

/** How one endpoint of the platform's API is called: what of the body leaves, sealed or not. */
interface Endpoint {
  readonly method: "GET" | "POST";
  readonly path: RegExp;
  /** Rewrites the parsed body; without it the body holds configuration, names and ids only, and leaves as it is. */
  readonly seal?: (body: unknown, scope: RequestScope, url: URL) => unknown;
  /** What the endpoint is for, where what leaves there cannot be sealed. */
  readonly refused?: string;
}

/**
 * Every endpoint that the SDK calls through the client's `fetch`. A call to any other is refused. Paths are those
 * of inngest 4; docs/inngest.md lists the same.
 */
const ENDPOINTS: readonly Endpoint[] = [
  { method: "POST", path: /\/e\/[^/]+$/, seal: sealEvents },
  { method: "POST", path: /\/v1\/checkpoint\/[^/]+\/async$/, seal: sealCheckpoint },
  { method: "POST", path: /\/v1\/checkpoint(\/[^/]+\/steps)?$/, refused: "durable endpoints" },
  { method: "GET", path: /\/v1\/http\/runs\/[^/]+\/output$/, refused: "durable endpoints" },
  { method: "GET", path: /\/v0\/runs\/[^/]+\/(actions|batch)$/ },
  { method: "POST", path: /\/fn\/register$/ },
  { method: "POST", path: /\/v1\/signals$/, seal: sealSignal },
  { method: "POST", path: /\/v1\/realtime\/publish$/, seal: sealRealtime },
  { method: "POST", path: /\/v1\/realtime\/publish\/tee$/, refused: "streams" },
  { method: "POST", path: /\/v1\/realtime\/token$/ },
  { method: "POST", path: /\/v1\/runs\/[^/]+\/metadata$/, seal: sealRunMetadata },
];

const EVENT_KEYS = new Set(["name", "data", "id", "ts", "v", "meta", "user"]);

/**
 * Seals the body of a request that the SDK makes to the platform's API.
 *
 * @param body the body as text, or undefined where there is none
 * @returns the body to send
 * @throws {StepsealError} `REFUSED` for an endpoint or a body that this version does not know
 */
export function sealRequest(
  method: string,
  url: URL,
  body: string | undefined,
  scope: RequestScope,
): string | undefined {
  const endpoint = ENDPOINTS.find((e) => e.method === method && e.path.test(url.pathname));
  const at = requestName(method, url);
  if (endpoint === undefined) {
    throw new StepsealError("REFUSED", `${at}: unknown to this version of stepseal, so it does not leave`);
  }
  if (endpoint.refused !== undefined) throw unsealable(endpoint.refused, at);
  if (endpoint.seal === undefined || body === undefined) return body;
  return JSON.stringify(endpoint.seal(JSON.parse(body), scope, url));
}

/** A request as messages name it: without the query, and without the event key, in which the event API's path ends. */
export function requestName(method: string, { pathname }: URL): string {
  return `request ${method} ${pathname.replace(/\/e\/[^/]+$/, "/e/…")}`;
}

/**
 * Refuses events that carry what cannot be sealed.
 *
 * @throws {StepsealError} `REFUSED`, naming the event and the member
 */
export function checkEvent(event: unknown, { allows }: Pick<ResolvedOptions, "allows">): void {
  if (!isObject(event)) throw new StepsealError("REFUSED", "an event that is not an object does not leave");
  const at = `event ${JSON.stringify(event.name)}`;
  for (const key of Object.keys(event)) {
    if (!EVENT_KEYS.has(key) && event[key] !== undefined && typeof event[key] !== "function") {
      throw new StepsealError(
        "REFUSED",
        `${at}: member "${key}" is unknown to this version of stepseal, so it does not leave`,
      );
    }
  }
  const { user } = event;
  const empty = user === undefined || user === null || (isObject(user) && Object.keys(user).length === 0);
  if (!empty && !allows("event-user")) throw refusedPath("event-user", at);
}

function sealEvents(body: unknown, { sealer, options }: RequestScope): unknown {
  if (!Array.isArray(body)) throw new StepsealError("REFUSED", "an event request without a list of events");
  return body.map((event: unknown) => {
    checkEvent(event, options);
    const { name, data } = event as { name: unknown; data: unknown };
    const sealed = sealFields(data, options.eventFields, (value, field) =>
      sealer.seal(value, { kind: "event.field", event: String(name), field }),
    );
    return { ...(event as object), ...(sealed !== undefined && { data: sealed }) };
  });
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
  const { run_id: run, steps } = knownMembers(body, CHECKPOINT_KEYS, "a checkpoint");
  const context: RunContext | undefined = typeof run === "string" ? scope.runs.get(run) : undefined;
  if (context === undefined) {
    throw new StepsealError(
      "REFUSED",
      `a checkpoint for run ${JSON.stringify(run)}, which is not executing here`,
    );
  }
  if (!Array.isArray(steps)) throw new StepsealError("REFUSED", "a checkpoint without a list of steps");
  return { ...(body as object), steps: steps.map((op: unknown) => sealOp(op, { ...scope, context })) };
}

function sealSignal(body: unknown, { sealer }: RequestScope): unknown {
  const { signal, data } = knownMembers(body, new Set(["signal", "data"]), "a signal");
  if (typeof signal !== "string") throw new StepsealError("REFUSED", "a signal without a name");
  // The platform hands the waiter null where a signal has no data.
  return { signal, data: sealer.seal(data ?? null, { kind: "signal", name: signal }) };
}

function sealRealtime(body: unknown, { sealer }: RequestScope, url: URL): unknown {
  const name = realtimeName(url.searchParams.get("channel") ?? "", url.searchParams.getAll("topic"));
  return sealer.seal(body, { kind: "realtime", name });
}

function sealRunMetadata(body: unknown, scope: RequestScope): unknown {
  const { metadata } = knownMembers(body, new Set(["target", "metadata"]), "a metadata update");
  return { ...(body as object), metadata: sealMetadata(metadata, scope) };
}

function knownMembers(body: unknown, known: ReadonlySet<string>, what: string): Record<string, unknown> {
  if (!isObject(body)) throw new StepsealError("REFUSED", `${what} that is not an object`);
  for (const key of Object.keys(body)) {
    if (!known.has(key)) {
      throw new StepsealError("REFUSED", `${what}: member "${key}" is unknown to this version of stepseal`);
    }
  }
  return body;
}

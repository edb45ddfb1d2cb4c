import { StepsealError } from "../errors.ts";
import { parseUrl } from "../internal/url.ts";
import { isObject, type JsonObject, text } from "./json.ts";
import type { Platform } from "./platform.ts";
import type { ServeHandler } from "./types.ts";

/** A function as its app registered it, reduced to what the engine acts on. */
export interface FunctionRecord {
  /** `<app id>-<function id>` */
  readonly id: string;
  readonly appId: string;
  readonly url: string;
  readonly maxAttempts: number;
  readonly triggers: readonly { readonly event: string; readonly expression: string | undefined }[];
  readonly batch:
    | {
        readonly maxSize: number;
        readonly timeout: string;
        readonly key: string | undefined;
        readonly if: string | undefined;
      }
    | undefined;
  readonly cancel: readonly {
    readonly event: string;
    readonly if: string | undefined;
    readonly timeout: string | undefined;
  }[];
}

/** A registered app and how to reach it. */
export interface AppRecord {
  readonly id: string;
  readonly functions: ReadonlyMap<string, FunctionRecord>;
  readonly send: (request: Request) => Promise<Response>;
}

/** Turns a handler, or the URL of a running one, into a way to send requests and the URL they go to. */
export function target(handler: ServeHandler | string | URL): {
  readonly url: string;
  readonly send: (request: Request) => Promise<Response>;
} {
  if (typeof handler === "function") {
    const send = async (request: Request): Promise<Response> => {
      // A server's requests have a host header, from which handlers learn their URL.
      request.headers.set("host", new URL(request.url).host);
      return handler(request);
    };
    return { url: "http://app.test/api/inngest", send };
  }
  const url = String(handler);
  if (parseUrl(url) === undefined) {
    throw new StepsealError("CONFIG", "engine.serve: give a serve handler or the absolute URL of one");
  }
  return { url, send: (request) => fetch(request) };
}

const optional = (value: unknown): string | undefined => (text(value) === "" ? undefined : text(value));

/** Reads one function of a registration. @throws StepsealError `CONFIG` */
function readFunction(raw: unknown, appId: string): FunctionRecord {
  const config = isObject(raw) ? raw : {};
  const id = text(config.id);
  const steps: JsonObject = isObject(config.steps) ? config.steps : {};
  const step = Object.values(steps)[0];
  const runtime = isObject(step) && isObject(step.runtime) ? step.runtime : {};
  const url = withoutDeployId(text(runtime.url));
  if (!isObject(step) || id === undefined || url === undefined) {
    throw new StepsealError("CONFIG", `app ${JSON.stringify(appId)} registered a function without id or URL`);
  }
  const retries = isObject(step.retries) ? step.retries.attempts : undefined;
  const batch = isObject(config.batchEvents) ? config.batchEvents : undefined;
  return {
    id,
    appId,
    url,
    maxAttempts: (typeof retries === "number" ? retries : 3) + 1,
    triggers: list(config.triggers).flatMap((trigger) => {
      const event = text(trigger.event);
      return event === undefined ? [] : [{ event, expression: optional(trigger.expression) }];
    }),
    batch: batch && {
      maxSize: typeof batch.maxSize === "number" ? batch.maxSize : 100,
      timeout: text(batch.timeout) ?? "60s",
      key: optional(batch.key),
      if: optional(batch.if),
    },
    cancel: list(config.cancel).flatMap((cancel) => {
      const event = text(cancel.event);
      if (event === undefined) return [];
      return [{ event, if: optional(cancel.if), timeout: optional(cancel.timeout) }];
    }),
  };
}

/** The URL of a function without the id of the sync that registered it. */
function withoutDeployId(raw: string | undefined): string | undefined {
  if (raw === undefined || parseUrl(raw) === undefined) return undefined;
  const url = new URL(raw);
  url.searchParams.delete("deployId");
  return url.href;
}

const list = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** Reads a registration, of a call or of the answer to an in-band sync. @throws StepsealError `CONFIG` */
export function readApp(raw: unknown, send: AppRecord["send"]): AppRecord {
  const body = isObject(raw) ? raw : {};
  const id = text(body.appName) ?? text(body.app_id);
  if (id === undefined || !Array.isArray(body.functions)) {
    throw new StepsealError(
      "CONFIG",
      "engine.serve: the app's registration holds no app id or no list of functions",
    );
  }
  const functions = body.functions.map((one) => readFunction(one, id));
  return { id, functions: new Map(functions.map((one) => [one.id, one])), send };
}

/** A function by its full id, in whatever app has it. */
export function findFunction(platform: Platform, id: string): FunctionRecord | undefined {
  for (const app of platform.apps.values()) {
    const found = app.functions.get(id);
    if (found) return found;
  }
  return undefined;
}

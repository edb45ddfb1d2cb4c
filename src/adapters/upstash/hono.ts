/**
 * `stepseal/upstash` for Hono: handlers that take a Hono context.
 *
 * @module stepseal/upstash/hono
 */
import type { Client, InvokableWorkflow, RouteFunction } from "@upstash/workflow";
import type { SecureWorkflowOptions } from "./options.ts";
import { perEnv } from "./per-env.ts";
import { type AnyWorkflow, createWorkflow, type ServeOptions } from "./workflow.ts";

/** What is used of a Hono context. */
export interface HonoContext {
  readonly req: { readonly raw: Request };
  readonly env?: unknown;
}

/** Answers a request of the platform. */
export type HonoHandler = (context: HonoContext) => Promise<Response>;

/** As `SecureWorkflow`, for Hono. */
export interface HonoSecureWorkflow {
  /** As `serve` of `stepseal/upstash`. */
  serve<Payload = unknown, Result = unknown>(
    routeFunction: RouteFunction<Payload, Result>,
    options?: ServeOptions<Payload, Result>,
  ): HonoHandler;
  /** As `serveMany` of `stepseal/upstash`. */
  serveMany(workflows: Readonly<Record<string, AnyWorkflow>>, options?: ServeOptions): HonoHandler;
  /** As `createWorkflow` of `stepseal/upstash`. */
  createWorkflow<Payload = unknown, Result = unknown>(
    routeFunction: RouteFunction<Payload, Result>,
    options?: ServeOptions<Payload, Result>,
  ): InvokableWorkflow<Payload, Result>;
  /**
   * As `client` of `stepseal/upstash`.
   *
   * @param env the context's, on a runtime without `process.env`
   */
  client(env?: object): Client;
}

/** Variables that are read. On Node, a context's `env` holds other things. */
const OURS = /(^|_)QSTASH_|^(STEPSEAL|UPSTASH_WORKFLOW)_/;

/**
 * `secureWorkflow` for Hono. Variables are read from the context's `env` where that holds any of them, else from the
 * process.
 *
 * @returns handlers that reject with a `StepsealError` CONFIG, naming the option or variable that is missing or wrong
 * @example
 * ```ts
 * import { Hono } from "hono";
 * import { generateKey } from "stepseal";
 * import { secureWorkflow } from "stepseal/upstash/hono";
 *
 * const secure = secureWorkflow({
 *   key: generateKey(),
 *   qstash: { token: "qstash-token" },
 *   signingKeys: { current: "sig_current" },
 *   publicUrl: "https://app.example.com",
 * });
 * const app = new Hono();
 * app.post("/pay", secure.serve(async (context) => context.run("charge", () => "charged")));
 * console.log((await app.request("/pay", { method: "POST" })).status); // 401
 * ```
 */
export function secureWorkflow(options: SecureWorkflowOptions = {}): HonoSecureWorkflow {
  const secureFor = perEnv(options, (env) => Object.keys(env).some((name) => OURS.test(name)));
  const envOf = ({ env }: HonoContext): object | undefined =>
    typeof env === "object" && env !== null ? env : undefined;
  return Object.freeze<HonoSecureWorkflow>({
    serve: (routeFunction, serveOptions) => async (context) =>
      secureFor(envOf(context)).serve(routeFunction, serveOptions).POST(context.req.raw),
    serveMany: (workflows, serveOptions) => async (context) =>
      secureFor(envOf(context)).serveMany(workflows, serveOptions).POST(context.req.raw),
    createWorkflow,
    client: (env) => secureFor(env).client(),
  });
}

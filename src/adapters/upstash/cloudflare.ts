/**
 * `stepseal/upstash` for Cloudflare Workers: modules with `fetch`.
 *
 * @module stepseal/upstash/cloudflare
 */
import type { Client, InvokableWorkflow, RouteFunction } from "@upstash/workflow";
import type { SecureWorkflowOptions } from "./options.ts";
import { perEnv } from "./per-env.ts";
import { type AnyWorkflow, createWorkflow, type ServeOptions } from "./workflow.ts";

/** What the runtime calls: with a request and bindings, or, in Pages, with one object that holds both. */
export type WorkerFetch = (
  request: Request | { readonly request: Request; readonly env: object },
  env?: object,
) => Promise<Response>;

/** As `SecureWorkflow`, for Workers. */
export interface WorkerSecureWorkflow {
  /** As `serve` of `stepseal/upstash`. */
  serve<Payload = unknown, Result = unknown>(
    routeFunction: RouteFunction<Payload, Result>,
    options?: ServeOptions<Payload, Result>,
  ): { readonly fetch: WorkerFetch };
  /** As `serveMany` of `stepseal/upstash`. */
  serveMany(
    workflows: Readonly<Record<string, AnyWorkflow>>,
    options?: ServeOptions,
  ): { readonly fetch: WorkerFetch };
  /** As `createWorkflow` of `stepseal/upstash`. */
  createWorkflow<Payload = unknown, Result = unknown>(
    routeFunction: RouteFunction<Payload, Result>,
    options?: ServeOptions<Payload, Result>,
  ): InvokableWorkflow<Payload, Result>;
  /**
   * As `client` of `stepseal/upstash`.
   *
   * @param env the bindings
   */
  client(env?: object): Client;
}

/**
 * `secureWorkflow` for Workers. Keys, tokens and `UPSTASH_WORKFLOW_URL` are read from the bindings of each request,
 * unless they are given here.
 *
 * @example
 * ```ts
 * import { generateKey } from "stepseal";
 * import { secureWorkflow } from "stepseal/upstash/cloudflare";
 *
 * const worker = secureWorkflow().serve(async (context) => context.run("charge", () => "charged"));
 * const env = {
 *   STEPSEAL_KEY: generateKey(),
 *   QSTASH_TOKEN: "qstash-token",
 *   QSTASH_CURRENT_SIGNING_KEY: "sig_current",
 *   UPSTASH_WORKFLOW_URL: "https://app.example.com",
 * };
 * const answer = await worker.fetch(new Request("https://app.example.com/pay", { method: "POST" }), env);
 * console.log(answer.status); // 401
 * ```
 */
export function secureWorkflow(options: SecureWorkflowOptions = {}): WorkerSecureWorkflow {
  const secureFor = perEnv(options, () => true);
  return Object.freeze<WorkerSecureWorkflow>({
    serve: (routeFunction, serveOptions) => ({
      fetch: async (given, env) => {
        const [request, bindings] = argumentsOf(given, env);
        return secureFor(bindings).serve(routeFunction, serveOptions).POST(request);
      },
    }),
    serveMany: (workflows, serveOptions) => ({
      fetch: async (given, env) => {
        const [request, bindings] = argumentsOf(given, env);
        return secureFor(bindings).serveMany(workflows, serveOptions).POST(request);
      },
    }),
    createWorkflow,
    client: (env) => secureFor(env).client(),
  });
}

function argumentsOf(
  given: Parameters<WorkerFetch>[0],
  env: object | undefined,
): [request: Request, env: object | undefined] {
  return "request" in given ? [given.request, given.env] : [given, env];
}

/**
 * `stepseal/upstash` for Express: handlers that read the bytes of a request themselves.
 *
 * @module stepseal/upstash/express
 */
import type { RouteFunction } from "@upstash/workflow";
import { expressHandler } from "../../transport/node.ts";
import type { SecureWorkflowOptions } from "./options.ts";
import { type Endpoint, type SecureWorkflow, secureWorkflow as secure } from "./secure-workflow.ts";
import type { AnyWorkflow, ServeOptions } from "./workflow.ts";

/** A handler of Express 4 or 5. */
export type ExpressHandler = ReturnType<typeof expressHandler>;

/** As `SecureWorkflow`, for Express. */
export interface ExpressSecureWorkflow extends Pick<SecureWorkflow, "createWorkflow" | "client"> {
  /** As `serve` of `stepseal/upstash`. */
  serve<Payload = unknown, Result = unknown>(
    routeFunction: RouteFunction<Payload, Result>,
    options?: ServeOptions<Payload, Result>,
  ): ExpressHandler;
  /** As `serveMany` of `stepseal/upstash`. */
  serveMany(workflows: Readonly<Record<string, AnyWorkflow>>, options?: ServeOptions): ExpressHandler;
}

/**
 * `secureWorkflow` for Express.
 *
 * Mount its handlers before `express.json()`, or have that keep the bytes: a signature covers them, and not what was
 * parsed of them. See `expressHandler` of `stepseal/transport`.
 *
 * @throws {StepsealError} CONFIG, naming the option or variable that is missing or wrong
 * @example
 * ```ts
 * import express from "express";
 * import { generateKey } from "stepseal";
 * import { secureWorkflow } from "stepseal/upstash/express";
 *
 * const workflows = secureWorkflow({
 *   key: generateKey(),
 *   qstash: { token: "qstash-token" },
 *   signingKeys: { current: "sig_current" },
 *   publicUrl: "https://app.example.com",
 * });
 * const app = express();
 * app.post("/pay", workflows.serve(async (context) => context.run("charge", () => "charged")));
 * app.use(express.json());
 * ```
 */
export function secureWorkflow(options: SecureWorkflowOptions = {}): ExpressSecureWorkflow {
  const { serve, serveMany, createWorkflow, client } = secure(options);
  const handlerOf = ({ POST }: { readonly POST: Endpoint }): ExpressHandler =>
    // Only its path is used: the host is the public URL's.
    expressHandler(POST, { origin: "http://localhost" });
  return Object.freeze<ExpressSecureWorkflow>({
    serve: (routeFunction, serveOptions) => handlerOf(serve(routeFunction, serveOptions)),
    serveMany: (workflows, serveOptions) => handlerOf(serveMany(workflows, serveOptions)),
    createWorkflow,
    client,
  });
}

import {
  Client,
  type InvokableWorkflow,
  type RouteFunction,
  serve,
  type WorkflowServeOptions,
} from "@upstash/workflow";
import { StepsealError } from "../../errors.ts";
import { sealingClient } from "./door.ts";
import { createEndpoint, type SecuredHandler } from "./endpoint.ts";
import { requestKeys } from "./keys.ts";
import { resolveOptions, type SecureWorkflowOptions } from "./options.ts";
import { type AnyWorkflow, checkServeOptions, createWorkflow, type ServeOptions } from "./workflow.ts";

/** Answers a request of the platform. */
export type Endpoint = (request: Request) => Promise<Response>;

/** Upstash Workflow whose data is sealed. See {@link secureWorkflow}. */
export interface SecureWorkflow {
  /** As `serve` of the SDK. */
  serve<Payload = unknown, Result = unknown>(
    routeFunction: RouteFunction<Payload, Result>,
    options?: ServeOptions<Payload, Result>,
  ): { readonly POST: Endpoint };
  /** As `createWorkflow` of the SDK. */
  createWorkflow<Payload = unknown, Result = unknown>(
    routeFunction: RouteFunction<Payload, Result>,
    options?: ServeOptions<Payload, Result>,
  ): InvokableWorkflow<Payload, Result>;
  /** As `serveMany` of the SDK: each workflow by the last segment of its path. */
  serveMany(
    workflows: Readonly<Record<string, AnyWorkflow>>,
    options?: ServeOptions,
  ): { readonly POST: Endpoint };
  /** The SDK's `Client`: what it triggers and notifies leaves sealed, its logs and dead letters come back open. */
  client(): Client;
  /**
   * Puts the same check, opening and sealing around a `serve` of the SDK for another framework.
   *
   * Both of what the handler gets have to reach the SDK: `secured.options`, before the request is read, and
   * `secured.route`. Without either nothing of a run leaves, and the request is answered with 503.
   *
   * @param url of the endpoint, where it is not the public URL with the path of the request
   */
  wrap(handler: SecuredHandler, url?: string): Endpoint;
}

/**
 * Seals everything that workflows on Upstash send, and opens it when the platform sends it back: payloads, results of
 * steps and runs, events, invocations, errors. Requests are accepted only with a signature for this very URL, once.
 *
 * @throws {StepsealError} CONFIG, naming the option or variable that is missing or wrong
 * @example
 * ```ts
 * import { generateKey } from "stepseal";
 * import { secureWorkflow } from "stepseal/upstash";
 *
 * const secure = secureWorkflow({
 *   key: generateKey(), // default: STEPSEAL_KEY of the environment
 *   qstash: { token: "qstash-token" },
 *   signingKeys: { current: "sig_current", next: "sig_next" },
 *   publicUrl: "https://app.example.com",
 * });
 *
 * export const { POST } = secure.serve<{ card: string }>(async (context) => {
 *   const receipt = await context.run("charge", () => ({ charged: context.requestPayload.card }));
 *   await context.run("mail", () => `receipt for ${receipt.charged}`);
 * });
 * console.log((await POST(new Request("https://app.example.com/pay", { method: "POST" }))).status); // 401
 * ```
 */
export function secureWorkflow(options: SecureWorkflowOptions = {}): SecureWorkflow {
  const settings = resolveOptions(options);
  // What the workflow finds in context.env.
  const env = options.env && { env: options.env };

  const secureServe = <Payload, Result>(
    routeFunction: RouteFunction<Payload, Result>,
    serveOptions: ServeOptions<Payload, Result> = {},
  ): { readonly POST: Endpoint } => {
    checkServeOptions(serveOptions);
    const POST = createEndpoint(
      settings,
      // Made for each request, because the SDK keeps the client that it is given.
      (request, secured) => {
        const own: WorkflowServeOptions<Payload, Result> = serveOptions;
        return serve(secured.route(routeFunction), { ...env, ...own, ...secured.options }).handler(request);
      },
      serveOptions.url,
    );
    return { POST };
  };

  return Object.freeze<SecureWorkflow>({
    serve: secureServe,
    createWorkflow,
    serveMany: (workflows, shared = {}) => {
      checkServeOptions(shared);
      // Its path is what payloads are bound to: with one for all, that of one workflow would start another.
      if (shared.url !== undefined) {
        throw config(
          'serveMany: option "url" would be that of each workflow; use publicUrl, or "url" of serve',
        );
      }
      const endpoints = new Map<string, Endpoint>();
      for (const [id, workflow] of Object.entries(workflows)) {
        if (id === "" || id.includes("/")) {
          throw config(
            `serveMany: ${JSON.stringify(id)} is no name of a workflow: it is the last segment of a path`,
          );
        }
        // The SDK puts it into the URL that context.invoke calls, as it is.
        workflow.workflowId = encodeURIComponent(id);
        const { routeFunction, options: own } = workflow;
        endpoints.set(id, secureServe(routeFunction, { ...shared, ...own } as ServeOptions).POST);
      }
      return {
        POST: async (request) => {
          const id = new URL(request.url).pathname.split("/").at(-1) ?? "";
          return endpoints.get(decoded(id))?.(request) ?? new Response("Not Found", { status: 404 });
        },
      };
    },
    client: () => {
      const client = new Client({ token: "unused", baseUrl: "http://unused.invalid", devMode: false });
      const sealing = sealingClient(settings.clients(undefined), () => requestKeys(settings), settings);
      return Object.assign(client, { client: sealing });
    },
    wrap: (handler, url) => createEndpoint(settings, handler, url),
  });
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function config(problem: string): StepsealError {
  return new StepsealError("CONFIG", `secureWorkflow: ${problem}`);
}

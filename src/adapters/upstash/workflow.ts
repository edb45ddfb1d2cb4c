import type { InvokableWorkflow, RouteFunction, WorkflowServeOptions } from "@upstash/workflow";
import { StepsealError } from "../../errors.ts";

/** Options of the SDK's `serve`, but for those that `secureWorkflow` sets for each request. */
export type ServeOptions<Payload = unknown, Result = unknown> = WorkflowServeOptions<Payload, Result> & {
  readonly qstashClient?: never;
  readonly receiver?: never;
  readonly baseUrl?: never;
};

/** A workflow as `serveMany` takes it and `context.invoke` names it: what `createWorkflow` of the SDK makes. */
// biome-ignore lint/suspicious/noExplicitAny: workflows of one endpoint differ in payload and result, as in the SDK
export type AnyWorkflow = InvokableWorkflow<any, any>;

/** As `createWorkflow` of the SDK. @throws {StepsealError} CONFIG for options that `secureWorkflow` sets */
export function createWorkflow<Payload = unknown, Result = unknown>(
  routeFunction: RouteFunction<Payload, Result>,
  options: ServeOptions<Payload, Result> = {},
): InvokableWorkflow<Payload, Result> {
  checkServeOptions(options);
  return { routeFunction, options };
}

/** @throws {StepsealError} CONFIG */
export function checkServeOptions(options: object): void {
  for (const name of ["qstashClient", "receiver", "baseUrl"]) {
    if ((options as Record<string, unknown>)[name] === undefined) continue;
    const instead = { qstashClient: "qstash", receiver: "signingKeys", baseUrl: "publicUrl" }[name];
    throw new StepsealError(
      "CONFIG",
      `secureWorkflow: option "${name}" of serve is set for each request; give secureWorkflow "${instead}" instead`,
    );
  }
}

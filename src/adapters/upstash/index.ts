/**
 * End-to-end encryption for Upstash Workflow: `secureWorkflow` serves workflows and makes clients whose data the
 * platform cannot read.
 *
 * @module stepseal/upstash
 */
export type { QstashOptions } from "./clients.ts";
export type { Secured, SecuredHandler } from "./endpoint.ts";
export { isPlatformFailure } from "./failure.ts";
export type { SecureWorkflowOptions } from "./options.ts";
export { type Endpoint, type SecureWorkflow, secureWorkflow } from "./secure-workflow.ts";
export type { AnyWorkflow, ServeOptions } from "./workflow.ts";

import { Client } from "@upstash/workflow";
import { serve } from "@upstash/workflow/hono";

/** Stands in place of `secureWorkflow` for Hono: the SDK's own, with what it needs in the environment. */
export const secureWorkflow = () => ({ serve, client: () => new Client({}) });

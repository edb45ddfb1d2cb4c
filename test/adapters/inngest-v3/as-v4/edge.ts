import * as edge from "inngest-v3/edge";
import { serveOptions } from "./index.ts";

export const serve = (options: { readonly client: object }): unknown =>
  edge.serve({ ...options, ...serveOptions(options.client) } as never);
export const { endpointAdapter } = edge as unknown as { readonly endpointAdapter: unknown };
